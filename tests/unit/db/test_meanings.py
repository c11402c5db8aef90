"""O que cada tabela, view e coluna quer dizer está escrito, uma vez só, com o que um leitor pode ler."""

import tomllib
from typing import Any

import pytest

from bling_collector.db.meanings import COMMON, SOURCE, meanings
from bling_collector.db.models import metadata

SECRET = {"oauth_tokens", "oauth_states", "alarmes"}


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    return tomllib.loads(SOURCE.read_text("utf-8"))


def columns(section: dict[str, Any]) -> set[str]:
    return {name for name in section if not name.startswith("_")}


def test_every_table_and_column_has_a_meaning_and_only_one(written: dict[str, Any]) -> None:
    tables = {name for name in written if not name.startswith("vw_")}
    assert tables == metadata.tables.keys() | {"alembic_version"}, "db/tabelas.toml"
    for table in metadata.tables.values():
        commented = {column.name for column in table.columns if column.comment}
        assert columns(written[table.name]) == {column.name for column in table.columns} - commented, table.name


def test_every_table_and_view_says_whether_a_reader_reads_it(written: dict[str, Any]) -> None:
    """Uma tabela nova pode ter um segredo: quem a faz decide, e não o esquecimento."""
    undecided = [name for name, section in written.items() if name != COMMON and "_leitor" not in section]
    assert undecided == []
    said = meanings()
    assert not any(said[name].readable for name in SECRET)
    secret = ("token", "secret", "senha", "password", "state_hash")
    suspect = {
        name for name, about in said.items() if any(word in column for column in about.columns for word in secret)
    }
    assert {name for name in suspect if said[name].readable} == {"limites_bling"}, "só conta as vezes que se pediu"


def test_what_is_said_of_every_view_serves_some_and_is_not_said_twice(written: dict[str, Any]) -> None:
    views = {name: section for name, section in written.items() if "_colunas" in section}
    used: set[str] = set()
    for name, section in views.items():
        listed = section["_colunas"].split()
        assert columns(section) <= set(listed), name
        assert [column for column in columns(section) if written[COMMON].get(column) == section[column]] == [], name
        like = meanings()[section["_de"]].columns if "_de" in section else {}
        used |= set(listed) - columns(section) - set(like)
    assert written[COMMON].keys() == used
