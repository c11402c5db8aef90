"""O que cada alarme diz: o que houve e o que fazer. Nenhum traz segredo, nem dado de cliente."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from bling_collector.clock import BRASILIA
from bling_collector.etl.run_words import KINDS

EXECUCAO: Final = "execucao"
AUTORIZACAO: Final = "autorizacao"
RECUSADA: Final = "autorizacao-recusada"
TOKEN: Final = "token-nao-salvo"  # noqa: S105 — o nome de um alarme
CONFERENCIA: Final = "conferencia"
SEM_EXECUCAO: Final = "sem-execucao"
EXCLUSOES: Final = "exclusoes"
BANCO: Final = "banco"

TITLES: Final = {
    EXECUCAO: "a coleta não ficou completa",
    AUTORIZACAO: "a autorização do Bling precisa de você",
    RECUSADA: "o Bling recusou a autorização",
    TOKEN: "um token trocado não foi gravado",
    CONFERENCIA: "o banco difere do Bling",
    EXCLUSOES: "muita coisa sumiu do Bling de uma vez",
    BANCO: "o banco não atende",
    SEM_EXECUCAO: "faz tempo que nenhuma coleta dá certo",
}


def _kind(tipo: str) -> str:
    return KINDS[tipo].lower()


def partial(run_id: int, tipo: str, owed: dict[str, int]) -> str:
    return (
        f"A execução {run_id} ({_kind(tipo)}) coletou só uma parte: ficaram devidos {owed['pendencias']} registro(s) e "
        f"{owed['janelas']} período(s). Nada se perdeu; a próxima execução tenta de novo. Se continuar assim, veja o "
        "motivo pelo painel ou com `bling-collector failures`."
    )


def failed(run_id: int, tipo: str, reason: str) -> str:
    return (
        f"A execução {run_id} ({_kind(tipo)}) não chegou ao fim: {reason}. O que já tinha chegado está salvo, e o que "
        "faltou ficou devido. Veja o motivo pelo painel ou com `bling-collector status`, corrija-o se for o caso e "
        "rode `bling-collector run`."
    )


AGAIN: Final = "Autorize de novo pelo painel ou com `bling-collector auth`."
LOST: Final = f"Não há uma autorização do Bling que se possa usar, e nada é coletado sem ela. {AGAIN}"
REFUSED: Final = f"O Bling já não aceita a autorização guardada, e nada é coletado sem ela. {AGAIN}"
UNSAVED: Final = (
    "O Bling trocou o par de tokens e o banco não aceitou o novo, que é o único que ainda vale. Ponha o banco no ar e "
    "não encerre o coletor antes disso: ele grava o par assim que o banco o aceitar. O log diz onde o par espera."
)


def unlikely(found: Sequence[str]) -> str:
    return " ".join(found)


def differs(months: list[dict[str, Any]]) -> str:
    faltam, sobram, diferem = (sum(len(month[kind]) for month in months) for kind in ("faltam", "sobram", "diferem"))
    names = ", ".join(month["mes"] for month in months[:6]) + (" e outros" if len(months) > 6 else "")
    return (
        f"Na conferência de {names}: {faltam} nota(s) faltam no banco, {sobram} só existem nele e {diferem} mudaram no "
        "Bling. Repare pelo painel ou com `bling-collector reconcile --repair`, que busca o que falta e marca o que "
        "sumiu."
    )


def no_good_run(hours: int, last: datetime | None) -> str:
    when = f"a última foi em {last.astimezone(BRASILIA):%d/%m/%Y às %H:%M}" if last else "ainda não houve nenhuma"
    return (
        f"Há mais de {hours} horas nenhuma execução dá certo ({when}, hora de Brasília). Veja se o agendamento está "
        "ligado e o que diz `bling-collector status`."
    )
