"""O nome de um arquivo acabado de pôr no lugar, que fica ainda que falte a energia."""

import errno
import os
from pathlib import Path
from typing import Final

_CANNOT: Final = {errno.EACCES, errno.EBADF, errno.EINVAL, errno.ENOTSUP, errno.EISDIR}
"""Como um sistema de arquivos (ou o Windows) diz que uma pasta não se manda para o disco."""


def keep_names(folder: Path) -> None:
    """Põe no disco os nomes que a pasta tem agora, onde isso se pode pedir: sem isto, uma queda de energia devolveria a
    um arquivo o nome provisório."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
