"""Quem coleta: o que se prepara antes da medida, o programa que se mede e onde ficou o que ele gravou."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from sqlalchemy.engine import make_url
from tests.support.collecting import collector_settings
from tests.support.postgres import libpq_url

from bench.scenarios import Scenario
from bench.stage import ROOT, Simulator
from bling_collector.config import Secret
from bling_collector.workplace.account import open_account
from bling_simulator.settings import SimulatorSettings

OTHERS: Final = ROOT / "bench" / "others"
OTHER_PYTHON: Final = ROOT / "bench" / ".venv" / "bin" / "python"
FIRST_DAY: Final = "2021-01-01"
DELAY: Final = "0.35"
"""Segundos entre duas requisições, se há limite: o que os dois sistemas usam diante do Bling."""
WORKERS: Final = "64"
"""Pedidos do dlt ao mesmo tempo: tantos quantos os do nosso. Sem demora o padrão dele, 5, é o melhor para ele (medido).
"""

Environment = Mapping[str, str]


@dataclass(frozen=True)
class Tables:
    """As consultas que leem o que foi gravado."""

    notes: str
    """id, número, situação, total."""
    items: str
    """id da nota, SKU, quantidade, valor."""
    payments: str
    """id da nota, valor."""
    contacts: str
    """id, nome."""
    products: str
    """SKU."""


@dataclass(frozen=True)
class Contestant:
    name: str
    title: str
    command: tuple[str | Path, ...]
    prepare: Callable[[Simulator, str, Scenario, Path], Environment]
    """Deixa pronto o banco e a autorização; devolve o ambiente do programa."""
    tables: Tables


def _clean(home: Path) -> dict[str, str]:
    """Um ambiente sem nada de quem mede."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | {"HOME": str(home), "XDG_DATA_HOME": str(home), "PYTHONUTF8": "1"}


def _ours(simulator: Simulator, database: str, scenario: Scenario, home: Path) -> Environment:
    asyncio.run(_authorise(simulator, database))
    account = SimulatorSettings()
    return _clean(home) | {
        "BLING_CLIENT_ID": account.client_id,
        "BLING_CLIENT_SECRET": account.client_secret,
        "DATABASE_URL": database,
        "BLING_API_BASE_URL": simulator.api,
        "BLING_OAUTH_URL": f"{simulator.api}/oauth/token",
        "BLING_AUTHORIZE_URL": f"{simulator.api}/oauth/authorize",
        "API_RATE_LIMIT_DELAY": DELAY if scenario.per_second else "0",
    }


async def _authorise(simulator: Simulator, database: str) -> None:
    async with open_account(collector_settings(simulator.api, Secret(database))) as account:
        url = await account.oauth.start_authorization()
        code = await asyncio.to_thread(simulator.code)
        await account.oauth.exchange_authorization_code(code, parse_qs(urlsplit(url).query)["state"][0])


def _theirs(simulator: Simulator, home: Path) -> dict[str, str]:
    return _clean(home) | {"BENCH_API": simulator.api, "BENCH_TOKEN": simulator.token()}


def _dlt(simulator: Simulator, database: str, scenario: Scenario, home: Path) -> Environment:
    url = make_url(database)
    credentials = {
        "DATABASE": str(url.database),
        "USERNAME": str(url.username),
        "PASSWORD": url.password or "nenhuma",  # o dlt não aceita ficar sem
        "HOST": quote(str(url.query.get("host") or url.host), safe=""),
        "PORT": str(url.query.get("port") or url.port or 5432),
    }
    return (
        _theirs(simulator, home)
        | _in_parallel(scenario)
        | {f"DESTINATION__POSTGRES__CREDENTIALS__{name}": value for name, value in credentials.items()}
        | {
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "ERROR",
            "DLT_DATA_DIR": str(home / "dlt"),
        }
    )


def _in_parallel(scenario: Scenario) -> dict[str, str]:
    if scenario.per_second:  # em paralelo ele desiste, depois de cinco 429
        return {}
    more = {"EXTRACT__WORKERS": WORKERS, "EXTRACT__MAX_PARALLEL_ITEMS": WORKERS} if scenario.latency else {}
    return {"BENCH_EM_PARALELO": "1", **more}


def _sequential(simulator: Simulator, database: str, scenario: Scenario, home: Path) -> Environment:
    return _theirs(simulator, home) | {
        "BENCH_BANCO": libpq_url(database).replace("postgresql://", "postgresql+psycopg2://", 1),
        "BENCH_INTERVALO": DELAY if scenario.per_second else "0",
    }


CONTESTANTS: Final = {
    one.name: one
    for one in (
        Contestant(
            "nosso",
            "bling-collector",
            (Path(sys.executable).parent / "bling-collector", "run-full", "--data-inicio", FIRST_DAY, "--json"),
            _ours,
            Tables(
                "SELECT id, numero, situacao, total_nota FROM nfe_cabecalho WHERE excluida_em IS NULL",
                "SELECT nfe_id, coalesce(codigo_produto, ''), quantidade, valor_total FROM nfe_itens",
                "SELECT nfe_id, valor FROM nfe_pagamentos",
                "SELECT id, nome FROM contatos WHERE detalhe IS NOT NULL",
                "SELECT DISTINCT codigo FROM produtos",
            ),
        ),
        Contestant(
            "dlt",
            "dlt (rest_api)",
            (OTHER_PYTHON, OTHERS / "pipeline_dlt.py"),
            _dlt,
            Tables(
                "SELECT id, numero, situacao, valor_nota FROM bling.nfe",
                "SELECT n.id, i.codigo, i.quantidade, i.valor_total FROM bling.nfe__itens i"
                " JOIN bling.nfe n ON n._dlt_id = i._dlt_parent_id",
                "SELECT n.id, p.valor FROM bling.nfe__parcelas p JOIN bling.nfe n ON n._dlt_id = p._dlt_parent_id",
                "SELECT id, nome FROM bling.contatos",
                "SELECT DISTINCT codigo FROM bling.produtos",
            ),
        ),
        Contestant(
            "sequencial",
            "sequencial",
            (OTHER_PYTHON, OTHERS / "sequential.py"),
            _sequential,
            Tables(
                "SELECT id, numero, situacao, total_nota FROM nfe_cabecalho",
                "SELECT nfe_id, codigo_produto, quantidade, valor_total FROM nfe_itens",
                "SELECT nfe_id, valor FROM nfe_pagamentos",
                "SELECT id, nome FROM contatos",
                "SELECT DISTINCT codigo FROM produtos",
            ),
        ),
    )
}
