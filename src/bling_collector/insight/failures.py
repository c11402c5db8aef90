"""O que se deve: o que não pôde ser salvo e os períodos não completados, desde quando, por quê, quantas vezes."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Case, Row, Select, and_, case, cast, func, select

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.control import PARKED_AFTER
from bling_collector.db.models import contatos, janelas_devidas, nfe_cabecalho, pendencias
from bling_collector.errors import CollectorError
from bling_collector.insight.words import described, owed_window, plain


class UnknownFailureError(CollectorError):
    """Não há pendência com este nome."""

    http_status = 404
    exit_code = 2
    title = "Pendência desconhecida"


@dataclass(frozen=True)
class Failure:
    """O que não pôde ser salvo."""

    nome: str
    """`recurso/id`."""
    recurso: str
    id: str
    data_emissao: date | None
    numero: str | None
    contato: str | None
    valor: Decimal | None
    descricao: str
    """O registro, como as pessoas o conhecem."""
    motivo: str
    """`erro`, em palavras."""
    erro: str
    tentativas: int
    desde: datetime
    tentada_em: datetime
    estacionada: bool


@dataclass(frozen=True)
class OwedWindow:
    """Um período não completado."""

    recurso: str
    data_inicio: date
    data_fim: date
    desde: datetime
    erro: str | None
    descricao: str
    motivo: str | None


@dataclass(frozen=True)
class Failures:
    """O que se deve: as pendências, da mais antiga à mais nova, e os períodos."""

    pendencias: list[Failure]
    janelas: list[OwedWindow]


async def load_failures(engine: AsyncEngine) -> Failures:
    """Tudo o que se deve."""
    async with engine.connect() as connection:
        return await read_failures(connection)


async def read_failures(connection: AsyncConnection) -> Failures:
    """O mesmo, numa conexão que já se tem."""
    p, j = pendencias.c, janelas_devidas.c
    failed = (await connection.execute(_failed().where(~p.suspensa).order_by(p.desde, p.recurso, p.recurso_id))).all()
    mine = select(janelas_devidas).where(~j.suspensa).order_by(j.recurso, j.data_inicio)
    owed = (await connection.execute(mine)).all()
    return Failures([_failure(row) for row in failed], [_owed(row) for row in owed])


async def load_failure(engine: AsyncEngine, name: str) -> Failure:
    """Uma pendência pelo nome, `recurso/id`. UnknownFailureError se não há."""
    async with engine.connect() as connection:
        recurso, recurso_id = split_name(name)
        mine = _failed().where(pendencias.c.recurso == recurso, pendencias.c.recurso_id == recurso_id)
        row = (await connection.execute(mine)).one_or_none()
    if row is None:
        raise unknown_failure(name)
    return _failure(row)


def split_name(name: str) -> tuple[str, str]:
    """O recurso e o id que um nome `recurso/id` diz."""
    recurso, _, recurso_id = name.partition("/")
    return recurso, recurso_id


def unknown_failure(name: str) -> UnknownFailureError:
    """O erro de um nome que não é de nenhuma."""
    return UnknownFailureError(f"Não há pendência {name!r}. Os nomes têm a forma nfe/123; veja-os em `failures`.")


def _failed() -> Select[Any]:
    """As pendências, com o que o banco já sabe do registro de que falam."""
    p, n, c = pendencias.c, nfe_cabecalho.c, contatos.c

    def of(recurso: str) -> Case[int]:
        """O id como número: só assim o índice da tabela serve."""
        return case(
            (and_(p.recurso == recurso, p.recurso_id.regexp_match("^[0-9]{1,18}$")), cast(p.recurso_id, BigInteger))
        )

    is_note, is_contact = n.id == of("nfe"), c.id == of(contatos.name)
    return select(
        pendencias,
        func.coalesce(p.numero, n.numero).label("o_numero"),
        func.coalesce(p.contato_nome, n.contato_nome, c.nome).label("nome"),
        n.total_nota.label("valor"),
    ).select_from(pendencias.outerjoin(nfe_cabecalho, is_note).outerjoin(contatos, is_contact))


def _failure(row: Row[Any]) -> Failure:
    return Failure(
        nome=f"{row.recurso}/{row.recurso_id}",
        recurso=row.recurso,
        id=row.recurso_id,
        data_emissao=row.data_emissao,
        numero=row.o_numero,
        contato=row.nome,
        valor=row.valor,
        descricao=described(
            row.recurso,
            row.recurso_id,
            numero=row.o_numero,
            dia=row.data_emissao,
            nome=row.nome,
            valor=row.valor,
        ),
        motivo=plain(row.erro),
        erro=row.erro,
        tentativas=row.tentativas,
        desde=row.desde,
        tentada_em=row.tentada_em,
        estacionada=row.tentativas >= PARKED_AFTER,
    )


def _owed(row: Row[Any]) -> OwedWindow:
    return OwedWindow(
        recurso=row.recurso,
        data_inicio=row.data_inicio,
        data_fim=row.data_fim,
        desde=row.desde,
        erro=row.erro,
        descricao=owed_window(row.recurso, row.data_inicio, row.data_fim),
        motivo=plain(row.erro) if row.erro else None,
    )
