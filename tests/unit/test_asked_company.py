"""`--empresa`, antes ou depois do comando: uma só, e só a quem trata de uma."""

from pathlib import Path

import click
import pytest

from bling_collector.cli.commands import cli


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Um comando que se atendesse em vez de se recusar não teria que banco tocar."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://ninguem@127.0.0.1:1/nada")


@pytest.mark.parametrize(
    "said",
    [
        "--empresa sul status --empresa norte",
        "status --empresa sul --empresa norte",
        "--empresa sul --empresa norte status",
        "empresas --empresa sul list --empresa norte",
    ],
)
def test_two_companies_in_one_command_are_refused(said: str) -> None:
    with pytest.raises(click.UsageError, match="--empresa diz mais de uma: sul, norte"):
        cli.main(said.split(), standalone_mode=False)


@pytest.mark.parametrize("said", ["empresas list", "empresas show norte", "empresas add norte", "demo", "simulator"])
def test_a_command_that_is_of_no_company_says_so(said: str) -> None:
    with pytest.raises(click.UsageError, match="repita-o sem --empresa sul"):
        cli.main([*said.split(), "--empresa", "sul"], standalone_mode=False)
