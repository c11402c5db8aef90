"""As migrações, dentro do pacote: quem instala o coletor as tem."""

from pathlib import Path
from typing import Final

HEAD: Final = max(file.name.partition("_")[0] for file in (Path(__file__).parent / "versions").glob("[0-9]*_*.py"))
"""A revisão mais nova; um teste a compara com a do Alembic."""
