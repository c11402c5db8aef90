"""`make image-check`: a imagem construída sem Docker, posta a atender diante de um PostgreSQL e de um Bling simulado, e
parada. Diz quanto ocupa e quanto demora; se algo não é como devia, di-lo e sai com 1."""

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy.engine import make_url
from tests.image.building import ROOT, Buildah, CannotCheckError, base_of, build, buildah, take_base
from tests.image.container import SOCKET, Container, Serving, free_port
from tests.support.postgres import throwaway_server
from tests.support.truth import assert_equals_truth

from bling_collector import logs
from bling_collector.db.connection.database import close, create_engine, parse_url
from bling_collector.db.embedded.postgres import EmbeddedServer
from bling_collector.words import number
from bling_simulator.bling import Bling
from bling_simulator.server import running
from bling_simulator.settings import SimulatorSettings

COMPANY = SimulatorSettings(scale=0.05, requests_per_second=0)
START = "2021-01-01"


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # para que também assim se apague o que se fez
    logs.configure("ERROR", json=False)
    try:
        with buildah() as tool:
            construct(tool)
            with throwaway_server() as server:
                asyncio.run(check(tool, server))
    except CannotCheckError as problem:
        sys.exit(f"✘ {problem}")


def construct(tool: Buildah) -> None:
    base = base_of((ROOT / "Dockerfile").read_text("utf-8"))
    say("· A base e a imagem: de um a cinco minutos, conforme a rede e a máquina…")
    say(f"· A base, {base}: {take_base(tool, base)}.")
    began = time.monotonic()
    build(tool)
    say(f"✔ A imagem, construída em {seconds(began)}.")


async def check(tool: Buildah, server: EmbeddedServer) -> None:
    async with running(COMPANY) as bling:
        container = Container(tool, settings(bling.api_url, server), open_socket(server))
        sizes = container.run("du", "--summarize", "--block-size=1M", "/opt/bling", "/usr/local").split()
        say(f"✔ Pesa {sizes[0]} MB em /opt/bling e {sizes[2]} MB em /usr/local, onde está o Python.")
        began = time.monotonic()
        async with container.serving() as service:
            say(f"✔ /health responde, da primeira vez, {started(service, began)}.")
            user = container.configuration["User"]
            require(
                str(service.user()) == user != "0", f"A imagem diz rodar como {user}, e roda como {service.user()}."
            )
            container.run(*container.configuration["Healthcheck"]["Test"][1:])
            say(f"✔ Roda com o usuário {user}, e o HEALTHCHECK dá certo.")
            await collect(service, bling.bling, server)
            await stop(service)
        began = time.monotonic()
        async with container.serving() as service:
            say(f"✔ Da segunda vez, {started(service, began)}.")
            await stop(service)


def settings(api_url: str, server: EmbeddedServer) -> dict[str, str]:
    url = make_url(server.url)
    return {
        "PORT": str(free_port()),
        "DATABASE_URL": f"postgresql://{url.username}@/{url.database}?host={SOCKET}",
        "BLING_CLIENT_ID": COMPANY.client_id,
        "BLING_CLIENT_SECRET": COMPANY.client_secret,
        "BLING_API_BASE_URL": api_url,
        "BLING_OAUTH_URL": f"{api_url}/oauth/token",
        "BLING_AUTHORIZE_URL": f"{api_url}/oauth/authorize",
        "API_RATE_LIMIT_DELAY": "0",
        "ALLOW_UNAUTHENTICATED": "true",
    }


def open_socket(server: EmbeddedServer) -> Path:
    """A pasta do soquete do PostgreSQL, aberta também ao usuário da imagem."""
    folder = Path(str(make_url(server.url).query["host"]))
    folder.chmod(0o755)
    for file in folder.glob(".s.PGSQL.*"):
        file.chmod(0o777)
    return folder


async def collect(service: Serving, bling: Bling, server: EmbeddedServer) -> None:
    """Autoriza, carrega a história e compara, linha a linha, com o que o Bling tem. O banco começa vazio."""
    async with httpx2.AsyncClient(base_url=service.url, timeout=300) as http:
        asked = httpx2.URL(answer(await http.get("/auth/start"))["auth_url"])
        answer(await http.get("/auth/callback", params={"code": bling.authorise(), "state": asked.params["state"]}))
        began = time.monotonic()
        status = answer(await http.post("/run/full", params={"data_inicio": START}))["status"]
        require(status == "success", f"A carga acabou {status}.")
    engine = create_engine(parse_url(server.url))
    try:
        await assert_equals_truth(engine, bling)
    except AssertionError as difference:
        raise CannotCheckError(f"O banco não é igual ao Bling: {difference}") from None
    finally:
        await close(engine)
    notes = sum(total.notes for total in bling.totals_by_year().values())
    say(f"✔ As migrações e uma carga de {number(notes)} notas, iguais às do Bling simulado, em {seconds(began)}.")


def answer(response: httpx2.Response) -> Any:
    require(response.is_success, f"{response.request.method} {response.request.url.path}: {response.text}")
    return response.json()


async def stop(service: Serving) -> None:
    began = time.monotonic()
    code = await service.stop()
    require(code == 0, f"Com SIGTERM, o serviço saiu com {code}. O que ele disse:\n{service.said()}")
    say(f"✔ Com SIGTERM, acabou em {seconds(began)}, com 0.")


def require(fine: bool, otherwise: str) -> None:
    if not fine:
        raise CannotCheckError(otherwise)


def started(service: Serving, began: float) -> str:
    return f"{seconds(began)} depois do começo ({decimal(service.cpu())} de processador)"


def seconds(began: float) -> str:
    return decimal(time.monotonic() - began)


def decimal(seconds: float) -> str:
    return f"{seconds:.1f} s".replace(".", ",")


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
