"""O banco: as tabelas em dia, a cópia e a volta dela, e quem mais o abre."""

from datetime import UTC, datetime
from pathlib import Path

from bling_collector.cli.process.running import run_to_end, settings
from bling_collector.cli.screen.terminal import emit_json, say, tell
from bling_collector.config import Settings
from bling_collector.db import broker, schema
from bling_collector.db.connection.database import address, check_server, close, shown, tools_port
from bling_collector.db.copies.backup import backup as copy_database
from bling_collector.db.copies.client_tools import attended, find_psql
from bling_collector.db.copies.restore import named
from bling_collector.db.copies.restore import restore as restore_database
from bling_collector.db.migrations import HEAD
from bling_collector.errors import DatabaseError, UsageError
from bling_collector.insight.account.empresa import load_empresa
from bling_collector.privacy.titular import erase_again
from bling_collector.words import number
from bling_collector.workplace.database import open_database


def upgrade() -> int:
    """Põe as tabelas na última versão."""
    return run_to_end(_upgrade(settings()))


def backup(target: Path, *, with_tokens: bool, json_: bool) -> int:
    """Copia o banco como está, sem migrar."""
    return run_to_end(_backup(settings(), target, with_tokens=with_tokens, json_=json_))


def restore(source: Path, *, overwrite: bool, with_tokens: bool, json_: bool) -> int:
    """Restaura, põe as tabelas em dia e apaga outra vez quem já tinha pedido que o fizessem."""
    return run_to_end(_restore(settings(), source, overwrite=overwrite, with_tokens=with_tokens, json_=json_))


def url(*, password: bool, json_: bool) -> int:
    """Onde está o banco."""
    return run_to_end(_url(settings(), password=password, json_=json_))


def psql(arguments: tuple[str, ...]) -> int:
    """Abre o psql no banco, e sai com o código dele."""
    return run_to_end(_psql(settings(), arguments))


def open_door(port: int | None) -> int:
    """Abre o PostgreSQL embutido às ferramentas desta máquina, numa porta; sem ela, fecha-o."""
    return run_to_end(_open_door(settings(), port))


async def _url(settings: Settings, *, password: bool, json_: bool) -> int:
    async with open_database(settings, upgrade=False) as (engine, embedded):
        where = shown(address(engine), password=password)
        tools = await tools_port(engine) if embedded else None
    if json_:
        emit_json({"url": where, "embutido": embedded, "porta": tools})
        return 0
    tell(where)
    if embedded:
        say(f"É o PostgreSQL embutido, e só existe enquanto um comando o usa. {door(tools)}")
    return 0


async def _psql(settings: Settings, arguments: tuple[str, ...]) -> int:
    async with open_database(settings, upgrade=False) as (engine, _):
        async with engine.connect() as connection:
            server = await check_server(connection)
        program = await find_psql(server)
        await close(engine)
        return await attended(program, *arguments, url=address(engine))


async def _open_door(settings: Settings, port: int | None) -> int:
    if settings.database_url is not None:
        raise UsageError(
            "DATABASE_URL aponta para um servidor seu, e só o PostgreSQL embutido se abre e fecha aqui. As ferramentas "
            "entram nele como entram no seu servidor: veja `bling-collector db url`. Nada foi mudado."
        )
    from bling_collector.db.embedded.postgres import choose_port

    now = await choose_port(port)
    if port is None:
        tell(f"✔ O PostgreSQL embutido não {'atende' if now else 'atenderá'} a mais ninguém.")
    else:
        tell(f"✔ O PostgreSQL embutido {'atende' if now else 'atenderá'} em 127.0.0.1:{port}, banco bling.")
        tell("  Só às ferramentas desta máquina, enquanto `serve` ou `worker` estiver no ar, e só a um leitor:")
        tell("  faça um com `bling-collector db leitor NOME`.")
    if not now:
        say("⚠ Ele está no ar como estava: vale quando todo comando que o usa (serve, worker) acabar e recomeçar.")
    return 0


async def _upgrade(settings: Settings) -> int:
    async with open_database(settings, upgrade=False) as (engine, _):
        before, now = await schema.upgrade(engine)
        if before == now:
            await schema.finish(engine)
        await schema.unite(engine)
        try:
            await broker.upgrade(engine)
        except DatabaseError as error:  # só faz falta a quem roda o worker
            say(f"⚠ {error}")
    if before == now:
        tell(f"O banco já está em dia (revisão {now}).")
    else:
        tell(f"Banco pronto: revisão {now}" + (f", antes {before}." if before else "."))
    return 0


def door(port: int | None) -> str:
    """Se outras ferramentas o abrem, e como."""
    if port is None:
        return "Para as ferramentas desta máquina, `bling-collector db abrir`."
    return f"As ferramentas desta máquina o acham em 127.0.0.1:{port}."


async def _backup(settings: Settings, target: Path, *, with_tokens: bool, json_: bool) -> int:
    async with open_database(settings, upgrade=False) as (engine, _):
        size = await copy_database(engine, target, with_tokens=with_tokens)
    if json_:
        emit_json({"arquivo": str(target), "bytes": size, "tokens": with_tokens})
        return 0
    tell(f"✔ Cópia pronta: {target} ({number(max(1, round(size / 1024)))} KiB).")
    if with_tokens:
        tell("  A autorização do Bling vai nela: guarde-a como se guarda uma senha.")
    else:
        tell("  A autorização do Bling não vai nela. Os dados dos clientes vão: guarde-a bem.")
    return 0


async def _restore(settings: Settings, source: Path, *, overwrite: bool, with_tokens: bool, json_: bool) -> int:
    async with open_database(settings, upgrade=False) as (engine, _):

        async def put_in_order() -> None:
            await schema.upgrade(engine)
            await schema.unite(engine)
            await erase_again(engine, datetime.now(UTC))

        restored = await restore_database(
            engine, source, overwrite=overwrite, with_tokens=with_tokens, then=put_in_order
        )
        where = named(engine)
        whose = await load_empresa(engine)
    if json_:
        emit_json(
            {
                "arquivo": str(source),
                "revisao_da_copia": restored.revision,
                "revisao": HEAD,
                "autorizado": restored.has_tokens,
                "empresa": whose,
            }
        )
        return 0
    tell(f"✔ Banco {where} restaurado de {source} (revisão {HEAD}).")
    if whose is not None:
        tell(f"  Os dados são de {whose.nome}.")
    if not restored.has_tokens:
        tell("  Falta a autorização do Bling: rode `bling-collector auth`.")
    return 0
