"""O titular dos dados (LGPD, art. 18): o que se tem dele, e apagar o que a lei não manda guardar."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bling_collector.db import erasure, repository
from bling_collector.db.core import AsyncConnection, AsyncEngine
from bling_collector.db.erasure import Person
from bling_collector.db.models import contatos, nfe_cabecalho
from bling_collector.errors import CollectorError
from bling_collector.etl.empresa import load_empresa
from bling_collector.etl.nota import load_nota, plain
from bling_collector.etl.save import rebuild
from bling_collector.streams.contatos import CONTATOS
from bling_collector.streams.nameless import PERSONAL_OF_CONTATO, PERSONAL_OF_NOTA, nameless_changes
from bling_collector.streams.nfe import NFE

log = logging.getLogger(__name__)

BATCH = 500


class UnknownContatoError(CollectorError):
    """O banco não tem este contato, nem nota que o cite."""

    http_status = 404
    exit_code = 2
    title = "Contato desconhecido"


@dataclass(frozen=True)
class Erasure:
    """O que foi apagado."""

    contatos: list[int]
    notas: list[int]
    restam: list[int]
    """Notas de outros contatos em que o documento ainda aparece: como transportador, por exemplo."""


async def load_person(engine: AsyncEngine, contato_id: int) -> Person:
    """Quem é: os contatos com o mesmo documento e as notas que os citam. UnknownContatoError se não há."""
    async with engine.connect() as connection:
        return await _person(connection, contato_id)


async def export_person(engine: AsyncEngine, contato_id: int, now: datetime) -> dict[str, Any]:
    """Tudo o que o banco tem da pessoa: os contatos, as notas inteiras e o histórico de uns e de outras.

    `restam` são os ids das notas de outros contatos em que o documento dela aparece.
    """
    async with engine.connect() as connection:
        person = await _person(connection, contato_id)
        rows = await connection.execute(select(contatos).where(contatos.c.id.in_(person.contatos)))
        cadastros = [plain(dict(row)) for row in rows.mappings()]
        stored = await erasure.documents(connection, NFE.table.name, person.notas)
        changes = await erasure.history(connection, contatos.name, person.contatos)
        restam = await erasure.still_citing(connection, person.documento, person.notas) if person.documento else []
    details = {row["id"]: row["detalhe"] for row in stored}
    notas = [await load_nota(engine, nota) | {"detalhe": details.get(nota)} for nota in person.notas]
    return {
        "exportado_em": now.isoformat(),
        "empresa": await load_empresa(engine),
        "apagado_em": person.apagado_em.isoformat() if person.apagado_em else None,
        "contatos": cadastros,
        "notas": notas,
        "historico": [plain({k: row[k] for k in ("registro_id", "quando", "run_id", "mudancas")}) for row in changes],
        "restam": restam,
    }


async def erase_person(engine: AsyncEngine, contato_id: int, now: datetime) -> Erasure:
    """Apaga quem a pessoa é, em todas as tabelas, numa transação; valores, datas, números e chaves ficam.

    Lembra que apagou: o que vier dela numa coleta, numa conferência ou num reprocessamento vem sem a pessoa. Pode ser
    repetido. UnknownContatoError se o banco nunca a teve.
    """
    async with engine.begin() as connection:
        await erasure.lock(connection)
        person = await _person(connection, contato_id)
        await _erase(connection, person, now)
        restam = await erasure.still_citing(connection, person.documento) if person.documento else []
    log.info("Dados do contato %d apagados: %d nota(s).", contato_id, len(person.notas))
    return Erasure(person.contatos, person.notas, restam)


async def erase_again(engine: AsyncEngine, now: datetime) -> int:
    """Apaga outra vez, num banco que voltou de uma cópia, quem ele se lembra de ter apagado; devolve quantos contatos.

    Numa transação, e pode ser repetido.
    """
    async with engine.begin() as connection:
        await erasure.lock(connection)
        rows = await erasure.remembered(connection)
        ids = [id_ for table, id_, _ in rows if table == contatos.name]
        loose = [id_ for table, id_, _ in rows if table == nfe_cabecalho.name]
        await _erase(connection, Person([], loose, None, None), now)
        for id_ in ids:
            if (person := await erasure.find_person(connection, id_)) is not None:
                await _erase(connection, person, now)
    return len(ids)


async def _person(connection: AsyncConnection, contato_id: int) -> Person:
    person = await erasure.find_person(connection, contato_id)
    if person is None:
        raise UnknownContatoError(f"Este banco não tem o contato {contato_id}, nem nota que o cite.")
    return person


async def _erase(connection: AsyncConnection, person: Person, now: datetime) -> None:
    await erasure.remember(connection, person, now)
    await erasure.clear_columns(connection, person, PERSONAL_OF_NOTA, PERSONAL_OF_CONTATO)
    for stream, ids in ((NFE, person.notas), (CONTATOS, person.contatos)):
        for start in range(0, len(ids), BATCH):
            portion = ids[start : start + BATCH]
            # Quem se lembra de ter apagado é refeito sem a pessoa.
            stored = await erasure.documents(connection, stream.table.name, portion)
            await rebuild(connection, stream, [(row["detalhe"], row["extraido_em"]) for row in stored])
            for row in await erasure.history(connection, stream.table.name, portion):
                kept = nameless_changes(stream.table.name, row["mudancas"])
                if kept != row["mudancas"]:
                    await erasure.rewrite_history(connection, row["id"], dict(kept))
    await repository.fill_tipo_pagamento(connection, person.notas)
