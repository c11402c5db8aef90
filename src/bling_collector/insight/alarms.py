"""Os alarmes: quais há, em que estado estão, e o que dizem as diferenças que um deles conta."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select

from bling_collector.db.connection.core import AsyncConnection, AsyncEngine
from bling_collector.db.models import alarmes
from bling_collector.words import number, plural, several

NORMAL: Final = "normal"
AVISO: Final = "aviso"
ERRO: Final = "erro"

EXECUCAO: Final = "execucao"
AUTORIZACAO: Final = "autorizacao"
RECUSADA: Final = "autorizacao-recusada"
TOKEN: Final = "token-nao-salvo"  # noqa: S105 — o nome de um alarme
CONFERENCIA: Final = "conferencia"
SEM_EXECUCAO: Final = "sem-execucao"
EXCLUSOES: Final = "exclusoes"
BANCO: Final = "banco"
SEM_AVISOS: Final = "sem-avisos"

TITLES: Final = {
    EXECUCAO: "a coleta não ficou completa",
    AUTORIZACAO: "a autorização do Bling precisa de você",
    RECUSADA: "o Bling recusou a autorização",
    TOKEN: "um token trocado não foi gravado",
    CONFERENCIA: "o banco difere do Bling",
    EXCLUSOES: "muita coisa sumiu do Bling de uma vez",
    BANCO: "o banco não atende",
    SEM_AVISOS: "o Bling parece ter deixado de avisar",
    SEM_EXECUCAO: "faz tempo que não se lê o que há de novo no Bling",
}


@dataclass(frozen=True)
class Alarm:
    nome: str
    titulo: str
    estado: str
    desde: datetime
    mensagem: str


async def load_alarms(engine: AsyncEngine) -> list[Alarm]:
    """Todos os alarmes que algum dia soaram, por nome."""
    async with engine.connect() as connection:
        return await read_alarms(connection)


async def read_alarms(connection: AsyncConnection) -> list[Alarm]:
    """O mesmo, numa conexão que já se tem."""
    return [as_alarm(row) for row in await connection.execute(select(alarmes).order_by(alarmes.c.nome))]


def as_alarm(row: Row[Any]) -> Alarm:
    """Uma linha de `alarmes`."""
    return Alarm(row.nome, TITLES.get(row.nome, row.nome), row.estado, row.desde, row.mensagem)


def differences(counts: Mapping[str, int], one: str = "nota", many: str = "notas") -> str:
    """Só as diferenças que há (`faltam`, `sobram`, `diferem`): 1 nota falta no banco e 2 só existem no banco."""
    found = [
        (counts["faltam"], "falta no banco", "faltam no banco"),
        (counts["sobram"], "só existe no banco", "só existem no banco"),
        (counts["diferem"], "mudou no Bling", "mudaram no Bling"),
    ]
    parts = [plural(count, it, they) for count, it, they in found if count]
    if not parts:
        return "as contagens dos dois lados não são as mesmas"
    first = next(count for count, _, _ in found if count)
    head = plural(first, one, many) + parts[0].removeprefix(number(first))
    return several([head, *parts[1:]])
