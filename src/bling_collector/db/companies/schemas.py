"""As empresas de um banco: a principal, no schema de DATABASE_URL, e as outras, cada uma no schema `empresa_<nome>`.

O que diz quais há são os próprios schemas, pelo comentário que têm: nenhuma lista à parte se desencontra deles. O
comentário diz ao lado de que principal estão: outro coletor do mesmo banco, noutro schema, não dá por elas, e um schema
`empresa_…` que alguém fez por si, com um DATABASE_URL só dele, não é de ninguém até que `empresas add` o tome.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from bling_collector.config.companies import PRINCIPAL, is_company
from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.connection.database import explained, in_schema, quoted
from bling_collector.errors import UnknownCompanyError

PREFIX: Final = "empresa_"
MARK: Final = "bling-collector: empresa ao lado de "
_FOUND: Final = text("""
    SELECT n.nspname::text, n.oid::bigint FROM pg_namespace n
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'alembic_version'
    WHERE left(n.nspname, length(:prefix)) = :prefix AND obj_description(n.oid, 'pg_namespace') = :mark
    ORDER BY n.nspname""")

_BASE: Final = text("""
    SELECT n.nspname FROM pg_settings s
    CROSS JOIN unnest(string_to_array(s.reset_val, ',')) WITH ORDINALITY AS listados (nome, posicao)
    JOIN pg_namespace n ON n.nspname = CASE btrim(nome, ' "') WHEN '$user' THEN current_user ELSE btrim(nome, ' "') END
    WHERE s.name = 'search_path' AND has_schema_privilege(n.oid, 'USAGE')
    ORDER BY posicao LIMIT 1""")
"""O primeiro que existe do caminho com que a sessão começou."""


def schema_of(name: str | None) -> str | None:
    """O schema da empresa; None, o de DATABASE_URL, para a principal."""
    return None if name is None or name == PRINCIPAL else schema_named(name)


def schema_named(name: str) -> str:
    """O schema de uma empresa que não é a principal."""
    return f"{PREFIX}{name}"


def of_company(engine: AsyncEngine, name: str | None) -> AsyncEngine:
    """O mesmo banco, no schema da empresa, exista ele ou não."""
    return in_schema(engine, schema_of(name))


def mark_of(base: str) -> str:
    """O comentário do schema de uma empresa cuja principal está no schema `base`."""
    return f"{MARK}{base}"


async def others(connection: AsyncConnection, base: str) -> dict[str, int]:
    """As empresas além da principal, que está no schema `base`, em ordem: o nome de cada uma, e o oid do schema, que é
    outro se ela se apaga e se cria outra vez."""
    found = await connection.execute(_FOUND, {"prefix": PREFIX, "mark": mark_of(base)})
    return {name: oid for schema, oid in found if is_company(name := schema.removeprefix(PREFIX)) and name != PRINCIPAL}


async def base_of(connection: AsyncConnection) -> str:
    """O schema de DATABASE_URL, que é o da principal, seja de que empresa for a conexão."""
    return str(await connection.scalar(_BASE))


async def places(engine: AsyncEngine) -> dict[str, int]:
    """O mesmo que `others`, seja de que empresa for o motor."""
    async with explained(engine.url), of_company(engine, None).connect() as connection:
        return await others(connection, await base_of(connection))


async def names(engine: AsyncEngine) -> list[str]:
    """Os nomes de todas, a principal primeiro; só ela, se é a única."""
    return [PRINCIPAL, *await places(engine)]


async def of_each(engine: AsyncEngine, names: Collection[str], expression: str) -> dict[str, Any]:
    """Empresa → o valor da expressão nela, num comando só, sejam quantas forem; `{}` na expressão é o schema dela.

    Se numa delas não se pode ler (saiu entretanto, ou falta-lhe uma tabela), não se diz o de nenhuma.
    """
    async with explained(engine.url), of_company(engine, None).connect() as connection:
        base = await base_of(connection)
        asked = [f"('{name}', ({expression.format(quoted(schema_of(name) or base))}))" for name in names]
        if not asked:
            return {}
        try:
            found = await connection.exec_driver_sql(f"VALUES {', '.join(asked)}".replace("%", "%%"))
        except ProgrammingError:
            return {}
        return {row["column1"]: row["column2"] for row in found.mappings()}


async def check_exists(engine: AsyncEngine, name: str | None) -> None:
    """UnknownCompanyError se a empresa não existe neste banco."""
    if schema_of(name) is None:
        return
    known = await names(engine)
    if name not in known:
        others = f"As que há: {', '.join(known)}." if len(known) > 1 else "Neste banco só há a principal."
        raise UnknownCompanyError(
            f"Não há a empresa {name}. {others} Para a criar: `bling-collector empresas add {name}`."
        )


async def called(engine: AsyncEngine) -> dict[str, str]:
    """O id que o Bling dá a cada empresa → o nome dela aqui. Só onde há mais de uma."""
    which = text("SELECT bling_id, min(empresa) FROM vw_todas_empresa WHERE bling_id IS NOT NULL GROUP BY 1")
    async with explained(engine.url), of_company(engine, None).connect() as connection:
        return {row[0]: row[1] for row in await connection.execute(which)}


async def sharing(engine: AsyncEngine) -> dict[str, list[str]]:
    """As empresas que têm a mesma conta do Bling que outra deste banco, e com quais."""
    if not await places(engine):
        return {}
    which = text("""
        SELECT uma.empresa, array_agg(outra.empresa ORDER BY outra.empresa) FROM vw_todas_empresa uma
        JOIN vw_todas_empresa outra ON outra.bling_id = uma.bling_id AND outra.empresa <> uma.empresa GROUP BY 1""")
    async with explained(engine.url), of_company(engine, None).connect() as connection:
        return {name: list(others) for name, others in await connection.execute(which)}
