"""O que fica no disco mesmo que falte a energia: o arquivo e, na pasta, o nome dele."""

import errno
import os
import stat
import sys
from pathlib import Path

import pytest
from tests.unit.auth.test_oauth import HOUR, token

from bling_collector.auth.set_aside import SetAside
from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.disk.names import keep_names
from bling_collector.exporting.places import Folder

NAMED = pytest.mark.skipif(sys.platform == "win32", reason="lá uma pasta não se manda para o disco")


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """As pastas que se mandaram para o disco, pelo número delas."""
    found: list[int] = []

    def note(descriptor: int) -> None:
        about = os.fstat(descriptor)
        if stat.S_ISDIR(about.st_mode):
            found.append(about.st_ino)

    monkeypatch.setattr(os, "fsync", note)
    return found


@NAMED
def test_a_pair_that_waits_keeps_its_name(tmp_path: Path, synced: list[int]) -> None:
    SetAside(tmp_path, TokenCipher([])).put("r0", token(HOUR))
    assert synced == [tmp_path.stat().st_ino]


@NAMED
def test_what_is_exported_keeps_its_name(tmp_path: Path, synced: list[int]) -> None:
    place = Folder(tmp_path)
    ready = place.workspace / "novo"
    ready.write_text("x")
    place.put(ready, "nfe/2026-02.csv")
    place.show()
    assert sorted(synced) == sorted(each.stat().st_ino for each in (tmp_path, tmp_path / "nfe"))


@NAMED
@pytest.mark.parametrize(("number", "said"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_folder_that_cannot_be_synced_is_not_a_broken_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: bool
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    if said:
        with pytest.raises(OSError, match=os.strerror(number)):
            keep_names(tmp_path)
    else:
        keep_names(tmp_path)
