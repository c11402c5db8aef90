"""O que cada comando carrega: a ajuda e um engano de digitação, quase nada; os outros, só aquilo que usam."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.commands import variables_for
from tests.support.variants import one_now

from bling_collector.config import Settings
from bling_simulator.server import RunningServer

HEAVY = {
    *("alembic", "apprise", "asyncio", "cryptography", "fastapi", "httpx2", "importlib.metadata", "jinja2"),
    *("prometheus_client", "psycopg", "pydantic", "rich", "simplejson", "sqlalchemy", "starlette", "uvicorn"),
    *("croniter", "procrastinate", "pyarrow", "fsspec", "xlsxwriter", "bling_simulator"),
}
"""O que custa a carregar."""
TO_ASK = HEAVY - {"asyncio", "importlib.metadata", "psycopg", "pydantic", "simplejson", "sqlalchemy"} | {
    "sqlalchemy.orm"
}
"""O que não faz falta a quem só pergunta ao banco."""
TO_COLLECT = TO_ASK - {"httpx2"}
TO_LISTEN = HEAVY - {"asyncio", "importlib.metadata", "starlette", "uvicorn"}
TO_SERVE = {
    "alembic",
    "apprise",
    "croniter",
    "cryptography",
    "procrastinate",
    "pyarrow",
    "rich",
    "sqlalchemy.orm",
    "xlsxwriter",
    "bling_simulator",
}

_LOADED = """
import atexit, json, os, sys
atexit.register(lambda: os.write(3, json.dumps(sorted(sys.modules)).encode()))
"""


def loaded_by(
    folder: Path, *arguments: str, doing: str = "from bling_collector.cli import main; main()", **variables: str
) -> set[str]:
    """Os módulos que o comando carregou até acabar, numa pasta vazia e sem outra variável do projeto."""
    report = folder / "modules.json"
    with report.open("wb") as file:
        script = _LOADED.replace("os.write(3,", f"os.write({file.fileno()},") + doing
        subprocess.run(
            [sys.executable, "-c", script, *arguments],
            cwd=folder,
            env={"HOME": str(folder), "PYTHONUTF8": "1"} | variables,
            pass_fds=[file.fileno()],
            capture_output=True,
            timeout=60,
            check=False,
        )
    return set(json.loads(report.read_bytes()))


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["--help"], {}),
        (["--version"], {}),
        ([], {}),
        (["runn"], {}),
        (["run", "--foo"], {}),
        (["run", "--data-inicio", "31/12/2025"], {}),
        (["sync", "nfe", "abc"], {}),
        (["db", "restore", "--help"], {}),
        (["exportar", "--help"], {}),
        ([], {"_BLING_COLLECTOR_COMPLETE": "bash_complete", "COMP_WORDS": "bling-collector ru", "COMP_CWORD": "1"}),
    ],
    ids=" ".join,
)
def test_what_asks_for_nothing_loads_nothing(
    tmp_path: Path, arguments: list[str], variables: Mapping[str, str]
) -> None:
    loaded = loaded_by(tmp_path, *arguments, **variables)

    assert "click" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    "arguments",
    one_now(
        [
            *(["status"], ["failures"], ["reconcile", "--numeracao"], ["contato", "export", "1"], ["db", "upgrade"]),
            ["exportar", "pasta", "--formato", "csv"],
        ]
    ),
    ids=" ".join,
)
async def test_what_asks_the_database_loads_no_more_than_that(
    tmp_path: Path, settings: Settings, server: RunningServer, arguments: list[str]
) -> None:
    loaded = await asyncio.to_thread(loaded_by, tmp_path, *arguments, **variables_for(settings, server))

    assert "psycopg" in loaded
    assert loaded & TO_ASK == set()


@pytest.mark.parametrize("arguments", one_now([["run"], ["doctor"], ["sync", "nfe", "1"], ["reconcile"]]), ids=" ".join)
async def test_what_asks_bling_loads_no_service(
    tmp_path: Path, settings: Settings, server: RunningServer, arguments: list[str]
) -> None:
    loaded = await asyncio.to_thread(loaded_by, tmp_path, *arguments, **variables_for(settings, server))

    assert "httpx2" in loaded
    assert loaded & TO_COLLECT == set()


def test_the_service_opens_its_door_with_little(tmp_path: Path) -> None:
    loaded = loaded_by(tmp_path, "serve", "--host", "192.0.2.1")  # sem API_TOKEN só se atende esta máquina: acaba logo

    assert "uvicorn" in loaded
    assert loaded & TO_LISTEN == set()


def test_the_service_loads_what_it_serves_with(tmp_path: Path) -> None:
    loaded = loaded_by(tmp_path, doing="import bling_collector.main")

    assert "fastapi" in loaded
    assert loaded & TO_SERVE == set()


async def test_a_worker_whose_agenda_makes_no_sense_says_it_before_the_queue_is_made(
    tmp_path: Path, settings: Settings, server: RunningServer
) -> None:
    agenda = {"SCHEDULE": "todo dia run"}
    loaded = await asyncio.to_thread(loaded_by, tmp_path, "worker", **variables_for(settings, server) | agenda)

    assert "procrastinate" in loaded
    assert loaded & {"alembic", "fastapi", "pyarrow", "rich", "uvicorn", "xlsxwriter", "bling_simulator"} == set()
