"""O nome de um vendedor, quando o Bling o mostra sem nome."""

from collections.abc import Collection

from sqlalchemy import text

from bling_collector.db.connection.core import AsyncConnection


async def name_vendedores(connection: AsyncConnection, contatos: Collection[int] | None = None) -> None:
    """Dá o nome do contato (destes, ou de todos) ao vendedor que o Bling mostra sem nome."""
    await connection.execute(
        text("""
            UPDATE vendedores v SET nome = c.nome
            FROM contatos c
            WHERE c.id = v.contato_id AND v.nome IS DISTINCT FROM c.nome
              AND v.detalhe IS NOT NULL AND btrim(coalesce(v.detalhe #>> '{contato,nome}', '')) = ''
              AND (CAST(:contatos AS bigint[]) IS NULL OR c.id = ANY(CAST(:contatos AS bigint[])))"""),
        {"contatos": None if contatos is None else list(contatos)},
    )
