"""A documentação diz o que o código faz: cada variável, comando, erro, rota, tabela e ligação é conferida."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.collecting import collector_settings

from bling_collector.cli.commands import cli
from bling_collector.config import VARIABLES, Secret, load_settings
from bling_collector.db.companies import united
from bling_collector.db.models import metadata
from bling_collector.errors import ConfigurationError
from bling_collector.main import create_app
from bling_collector.streams.registry import RESOURCES
from bling_collector.workplace.companies import add
from bling_simulator import Bling, SimulatorSettings
from bling_simulator.clock import BRASILIA, ManualClock
from docs import gerar

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "infra").glob("*.md")])
README = (ROOT / "README.md").read_text("utf-8")
GENERATED = dict(gerar.pages())


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_a_generated_page_is_the_one_the_code_gives(path: Path) -> None:
    assert path.read_text("utf-8") == GENERATED[path], "Rode `.venv/bin/python docs/gerar.py`."


# A configuração


@pytest.mark.parametrize("name", [name.upper() for name in VARIABLES])
def test_a_setting_is_in_the_reference_with_its_true_default(name: str) -> None:
    default = VARIABLES[name.lower()].default
    shown = "—" if default is None else f"`{default}`"
    rows = page("referencia-configuracao.md")
    assert re.search(rf"^\| `{name}` \| (sim|não) \| {re.escape(shown)} \|", rows, re.MULTILINE)


def test_the_model_file_has_every_setting_and_the_true_defaults() -> None:
    written = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    assert written.keys() == {name.upper() for name in VARIABLES}
    for name, field in VARIABLES.items():
        if field.default is not None:
            assert written[name.upper()] == str(field.default)


@pytest.mark.parametrize("kept", [[], ["BLING_CLIENT_ID"], ["BLING_CLIENT_SECRET"]])
def test_the_model_file_is_recognised_as_not_filled_in(
    kept: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name.upper(), raising=False)
    for name in kept:
        monkeypatch.setenv(name, "b1946ac92492d2347c6235b4d2611184")
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings.database_url is None
    with pytest.raises(ConfigurationError, match="ainda tem o valor do modelo"):
        _ = settings.credentials


# Os comandos e os erros


def _options(command: click.Command) -> set[str]:
    return {name for option in command.params if isinstance(option, click.Option) for name in option.opts}


@pytest.mark.parametrize("name", [name for name, _ in gerar.commands(cli)])
def test_a_command_is_in_the_reference_with_its_options_and_in_the_list_at_the_top_of_it(name: str) -> None:
    command = dict(gerar.commands(cli))[name]
    listed, _, sections = page("referencia-comandos.md").partition("\n## ")
    section = f"## {sections}".partition(f"## `{name}`\n")[2].partition("\n## ")[0]
    assert section
    missing = {option for option in _options(command) if f"`{option}`" not in section}
    assert not missing
    assert f"| [`{name}`](#{_anchor(name)}) | " in listed


def test_the_options_of_every_command_are_at_the_top_of_the_reference() -> None:
    top = page("referencia-comandos.md").partition("| comando | o que faz |")[0]
    for option in cli.get_params(click.Context(cli)):
        assert f"`{option.opts[0]}`" in top


def test_no_option_of_the_reference_takes_a_value_named_in_english() -> None:
    assert re.findall(r"^\| `-.*` [a-z]+ \| ", page("referencia-comandos.md"), re.MULTILINE) == []


def test_every_group_of_commands_is_said_where_to_be_read() -> None:
    assert cli.commands.keys() <= {each.partition(" ")[0] for each in gerar.ABOUT_COMMANDS}


def test_what_is_said_to_be_read_elsewhere_is_of_a_command_or_a_setting_that_exists() -> None:
    names = [name for name, _ in gerar.commands(cli)]
    assert gerar.ABOUT_COMMANDS.keys() <= {*names, *(name.partition(" ")[0] for name in names)}
    assert gerar.ABOUT_SETTINGS.keys() <= {name.upper() for name in VARIABLES}


def _examples() -> Iterator[tuple[str, str]]:
    for path in PAGES:
        for block in re.findall(r"```(?:bash|cron)\n(.*?)```", path.read_text("utf-8"), re.DOTALL):
            for example in re.findall(r"bling-collector +([a-z][^#>|\n]*)", block):
                yield path.name, example.strip()


@pytest.mark.parametrize(("where", "example"), list(_examples()))
def test_a_command_written_in_an_example_exists(where: str, example: str) -> None:
    words = example.split()
    known = dict(gerar.commands(cli))
    name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
    assert name in known, where
    used = {word.strip("[]") for word in words if word.strip("[]").startswith("--")} - {"--empresa"}  # todos o aceitam
    command = known[name]
    assert used <= _options(command) | {o for p in command.params for o in p.secondary_opts}, where


def test_every_error_is_in_the_reference_with_its_exit_code_and_status() -> None:
    rows = page("referencia-erros.md")
    for error in gerar.errors():
        assert re.search(
            rf"^\| `{error.__name__}` \| {error.title} \|.*\| {error.exit_code} \| {error.http_status} \|$",
            rows,
            re.MULTILINE,
        )


# O serviço


OPENAPI = create_app(collector_settings("http://127.0.0.1:1", Secret("postgresql://ninguem@127.0.0.1/nada"))).openapi()


def _routes() -> list[str]:
    return [f"{method.upper()} {path}" for path, methods in OPENAPI["paths"].items() for method in methods]


@pytest.mark.parametrize("route", _routes())
def test_a_route_is_in_the_reference_and_in_the_list_at_the_top_of_it(route: str) -> None:
    listed, _, sections = page("referencia-rotas.md").partition("\n## ")
    assert f"| [`{route}`](#{_anchor(route)}) | " in listed
    assert f"## `{route}`\n" in f"## {sections}"
    assert route in (ROOT / "README.en.md").read_text("utf-8").replace("\n", " ")


def test_no_route_of_the_reference_is_gone() -> None:
    written = re.findall(r"^## `((?:GET|POST) [^`]+)`$", page("referencia-rotas.md"), re.MULTILINE)
    assert sorted(written) == sorted(_routes())


def _sections(name: str) -> list[str]:
    return [block for block in re.split(r"^## ", page(name), flags=re.MULTILINE) if block.startswith("`")]


def test_the_answers_shown_have_the_fields_of_the_schema() -> None:
    sections = dict(re.findall(r"^`([^`]+)`\n(.*)", block, re.DOTALL)[0] for block in _sections("referencia-rotas.md"))
    answers = {
        "GET /health": "Health",
        "GET /status": "Status",
        "POST /run": "RunAnswer",
        "GET /runs": "Runs",
        "GET /runs/{run_id}": "RunDetails",
        "GET /auth/start": "AuthStart",
        "GET /auth/callback": "AuthDone",
        "GET /reconcile": "Reconciliation",
        "GET /failures": "Failures",
        "GET /nfe/{nfe_id}": "Nota",
        "POST /sync/{recurso}/{id_}": "Synced",
    }
    for route, schema in answers.items():
        shown = json.loads(sections[route].partition("```json\n")[2].partition("```")[0])
        assert set(OPENAPI["components"]["schemas"][schema]["required"]) <= shown.keys(), route


# As tabelas


def test_every_table_is_in_the_drawing() -> None:
    drawn = re.findall(r"\w+", page("modelo-de-dados.md").partition("```text\n")[2].partition("```")[0])
    lacking = [name for name in metadata.tables if name not in drawn]
    assert lacking == [], "faltam no desenho de docs/modelo-de-dados.md"


def test_every_table_with_personal_data_is_on_its_page_with_its_columns() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| [^|]* \|$", page("lgpd.md"), re.MULTILINE)
    told = {resource.table.name: resource.person for resource in RESOURCES if resource.person is not None}
    assert {table: set(re.findall(r"`(\w+)`", columns)) for table, columns in rows} == {
        table: {column.name for column in person.columns} for table, person in told.items()
    }, "docs/lgpd.md: uma linha por tabela com `person`, com as colunas que se esvaziam"
    children = {person.contato_id.table.name for person in told.values() if person.contato_id is not None}
    assert [name for name in children if f"`{name}`" not in page("lgpd.md")] == []


def test_each_word_of_the_glossary_has_its_name_in_the_code() -> None:
    page = (ROOT / "docs" / "glossario.md").read_text("utf-8")
    named = [re.findall(r"`(\w+)`", line.split("|")[3]) for line in page.splitlines() if line.count("|") == 4]
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "src" / "bling_collector").rglob("*.py"))
    known = set(re.findall(r"\w+", code))
    words = [names for names in named if names]
    assert len(words) > 20
    assert [name for names in words for name in names if name not in known] == []


def _said() -> Iterator[tuple[str, str]]:
    """O que as pessoas leem: a ajuda dos comandos, os textos das páginas, as rotas e a documentação, sem o código."""
    for name, command in gerar.commands(cli):
        helps = [command.help, *(option.help for option in command.params if isinstance(option, click.Option))]
        yield f"bling-collector {name}", " ".join(filter(None, helps))
    templates = ROOT / "src" / "bling_collector" / "web" / "panel" / "templates"
    for template in sorted(templates.glob("*.html")):
        text = re.sub(r"<script.*?</script>|{[{%#].*?[}%#]}|<[^>]*>", " ", template.read_text("utf-8"), flags=re.DOTALL)
        yield template.name, text
    for module in sorted((ROOT / "src" / "bling_collector" / "web" / "api").glob("*.py")):
        described = re.findall(r'(?:summary|description)=f?"([^"]*)"', module.read_text("utf-8"))
        yield module.name, " ".join(described)
    for path in PAGES:
        if path.name != "glossario.md" and "infra" not in path.parts:
            prose = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", " ", path.read_text("utf-8"), flags=re.DOTALL)
            yield path.name, prose


@pytest.mark.parametrize(("where", "words"), list(_said()), ids=lambda value: value if len(value) < 60 else "")
def test_what_people_read_has_one_word_for_each_thing(where: str, words: str) -> None:
    table = (ROOT / "docs" / "glossario.md").read_text("utf-8").partition("## O que não se diz")[2]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE)[1:]
    instead = {word: said for unsaid, said in rows for word in unsaid.split(", ")}
    assert len(instead) > 20
    found = re.findall(rf"(?i)\b({'|'.join(instead)})\b", words)
    assert [f"{word}: diz-se {instead[word.lower()]}" for word in found] == [], where


def _queries() -> Iterator[tuple[str, str]]:
    for path in PAGES:
        for block in re.findall(r"```sql\n(.*?)```", path.read_text("utf-8"), re.DOTALL):
            yield path.name, block


@pytest.mark.parametrize(("where", "block"), list(_queries()))
async def test_a_query_of_the_manual_runs(where: str, block: str, engine: AsyncEngine) -> None:
    plain = re.sub(r"--.*", "", block)
    if united.PREFIX in block:
        await add(engine, "filial")
    async with engine.begin() as connection:
        for statement in filter(str.strip, plain.split(";")):
            await connection.execute(text(statement))


# O que está em volta


def test_the_demonstration_shown_is_of_the_company_that_is_generated() -> None:
    shown = README.partition("<!-- demo -->")[2].partition("<!-- /demo -->")[0]
    day, month, year = re.findall(r"Em (\d\d)/(\d\d)/(\d{4}) ", README)[0]
    end = ManualClock(datetime(int(year), int(month), int(day), 23, 59, tzinfo=BRASILIA))
    for year, totals in Bling(SimulatorSettings(goes_on=True), end).totals_by_year().items():
        collected, cancelled = f"{totals.notes:,}".replace(",", "."), totals.cancelled
        value = f"{sum(totals.value.values()):,.2f}".translate(str.maketrans(",.", ".,"))
        assert re.search(rf"^{year} +{collected} +{collected} +{cancelled} +R\$ {value}$", shown, re.MULTILINE), year


def _anchor(title: str) -> str:
    """Como o GitHub faz a âncora de um título."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def _prose(path: Path) -> str:
    """A página sem os seus exemplos."""
    return re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)


def _links() -> Iterator[tuple[Path, str]]:
    for path in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", _prose(path)):
            if not re.match(r"[a-z]+:", target):
                yield path, target


@pytest.mark.parametrize(("path", "target"), list(_links()))
def test_a_link_leads_somewhere(path: Path, target: str) -> None:
    name, _, anchor = unquote(target).partition("#")
    destination = (path.parent / name).resolve() if name else path
    assert destination.exists()
    if anchor:
        titles = re.findall(r"^#+ (.+)$", _prose(destination), re.MULTILINE)
        assert anchor in {_anchor(title) for title in titles}


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150
    for name in ("README.md", "README.en.md"):
        assert max(len(line) for line in (ROOT / name).read_text("utf-8").splitlines()) <= 120, name


def test_the_index_leads_to_every_page() -> None:
    index = page("README.md")
    assert re.findall(r"^## (.+)$", index, re.MULTILINE) == ["Começar", "Operar", "Entender", "Consultar"]
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"} | {"decisions/README.md"}
    assert pages <= set(re.findall(r"\]\(([^)#\s]+)", index))


@pytest.mark.parametrize("path", [path for path in PAGES if path.parent.name != "infra"], ids=lambda path: path.name)
def test_the_names_of_one_cloud_stand_only_under_infra(path: Path) -> None:
    assert re.findall(r"\bsol-\w+|us-central1|\d{12}@|-\d{12}\.", path.read_text("utf-8")) == []


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text("utf-8")
    for path in folder.glob("*.md"):
        if path.name != "README.md":
            assert f"({path.name})" in index
            assert len(path.read_text("utf-8").splitlines()) <= 60, "uma tela"


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    build = (ROOT / "requirements-build.in").read_text("utf-8").split()
    listed = [
        *project["project"]["dependencies"],
        *(each for extra in project["project"]["optional-dependencies"].values() for each in extra),
        *project["dependency-groups"]["dev"],
        *build,
    ]
    reasons = page("dependencias.md")
    for requirement in listed:
        name = re.split(r"[\[<>=~! ]", requirement, maxsplit=1)[0]
        assert f"`{name}`" in reasons, name


@pytest.mark.parametrize("script", ["first_auth.py", "init_db.py"])
def test_a_script_opens_its_command(script: str) -> None:
    answer = subprocess.run(
        [sys.executable, ROOT / "scripts" / script, "--help"], capture_output=True, text=True, check=True, cwd="/"
    )
    assert "Uso: bling-collector" in answer.stdout


def test_the_schedule_script_explains_itself() -> None:
    script = ROOT / "infra" / "agendar.sh"
    assert os.access(script, os.X_OK)
    answer = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    assert "06:00" in answer.stdout


def test_the_service_is_deployed_as_the_manual_says() -> None:
    workflow = (ROOT / ".github" / "workflows" / "deploy.yml").read_text("utf-8")
    section = (ROOT / "infra" / "README.md").read_text("utf-8").partition("## A publicação\n")[2].partition("\n## ")[0]
    for flag in (
        "--no-allow-unauthenticated",
        "--service-account",
        "--add-cloudsql-instances",
        "--update-secrets",
        "--memory 512Mi",
        "--cpu 1",
        "--timeout 3600",
        "--max-instances 1",
        "--min-instances 0",
        "--concurrency 10",
    ):
        assert f"            {flag} " in workflow
        assert f"`{flag.split()[0]}`" in section
    assert "needs: checks" in workflow


@pytest.mark.parametrize(
    "path", [ROOT / "docker-compose.yml", *(ROOT / ".github").rglob("*.yml")], ids=lambda path: path.name
)
def test_a_yaml_file_has_neither_tabs_nor_odd_indentation(path: Path) -> None:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        assert "\t" not in line, number
        assert (len(line) - len(line.lstrip())) % 2 == 0, number


def test_the_image_has_only_what_runs() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert "embedded" not in (ROOT / "requirements.txt").read_text("utf-8")
    final = dockerfile.rpartition("\nFROM ")[2]
    assert final.startswith("python:3.12-slim-bookworm\n")
    assert re.search(r"^USER [1-9]\d*$", final, re.MULTILINE)
    assert 'CMD ["bling-collector", "serve", "--host", "0.0.0.0"]' in final
