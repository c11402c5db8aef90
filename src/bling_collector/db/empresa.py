"""De quem são os dados que se guardam, e o que os próprios dados dizem de quem são. Nada aqui faz COMMIT."""

from datetime import datetime

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import (
    checkpoints,
    conferencias,
    conferencias_inteiras,
    empresa,
    etl_controle,
    execucao_log,
    janelas_devidas,
    metadata,
    pendencias,
    respostas_da_conta,
    webhook_eventos,
    webhook_faltas,
    webhook_recusas,
)
from bling_collector.documentos import issuer
from bling_collector.empresa import Empresa

_LATEST = 200
"""Notas em que se procura quem as emitiu."""


async def load(connection: AsyncConnection) -> Empresa | None:
    """A empresa guardada; None se ainda não se soube qual é."""
    c = empresa.c
    columns = (c.bling_id, c.nome, c.cnpj, c.email, c.data_contrato, c.detalhe)
    row = (await connection.execute(select(*columns).where(c.id == 1))).one_or_none()
    return Empresa(*row) if row is not None else None


async def save(connection: AsyncConnection, found: Empresa, now: datetime) -> None:
    """Guarda o que o Bling diz dela; o que desta vez não disse fica como estava."""
    said = {
        "bling_id": found.bling_id,
        "nome": found.nome,
        "cnpj": found.cnpj,
        "email": found.email,
        "data_contrato": found.data_contrato,
        "detalhe": found.detalhe,
    }
    new = insert(empresa).values(id=1, desde=now, **said)
    known = {name: value for name, value in said.items() if value is not None}
    await connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=known))


async def forget(connection: AsyncConnection) -> None:
    """O banco deixa de ser de alguém, e esquece o que leu: de outra empresa nada foi lido."""
    theirs = (
        empresa,
        checkpoints,
        conferencias,
        conferencias_inteiras,
        respostas_da_conta,
        janelas_devidas,
        pendencias,
        webhook_eventos,
        webhook_faltas,
        webhook_recusas,
    )
    for table in (*theirs, execucao_log, etl_controle):
        await connection.execute(delete(table))


async def holds_data(connection: AsyncConnection) -> bool:
    """Se o banco guarda alguma coisa da empresa."""
    tables = [table.name for table in metadata.sorted_tables if "extraido_em" in table.c]
    found = await connection.scalar(text(f"SELECT {' OR '.join(f'EXISTS (SELECT FROM {table})' for table in tables)}"))
    return bool(found)


async def issuers(connection: AsyncConnection) -> set[str]:
    """Os CNPJs de quem emitiu as notas de saída mais novas, pelas chaves de acesso."""
    found = await connection.execute(
        text(f"""
            SELECT chave_acesso FROM nfe_cabecalho
            WHERE chave_acesso IS NOT NULL AND coalesce(tipo, 1) = 1 ORDER BY id DESC LIMIT {_LATEST}""")
    )
    return {cnpj for chave in found.scalars() if (cnpj := issuer(chave)) is not None}
