"""O que cada alarme diz: o que houve e o que fazer. Nenhum traz segredo, nem dado de cliente."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bling_collector.auth.texts import AGAIN
from bling_collector.insight.account.webhooks import SWITCH_ON
from bling_collector.insight.alarms import differences
from bling_collector.insight.proof.reconciliation import MonthCheck, Proof, count_differences
from bling_collector.insight.words import KINDS
from bling_collector.words import agreed, moment, named_months, plural, several


def _kind(tipo: str) -> str:
    return KINDS[tipo].lower()


def left_owed(notes: int, windows: int) -> str:
    """O que ficou devido: tantas pendências e tantos períodos."""
    parts = [plural(notes, "registro", "registros")] if notes or not windows else []
    parts += [plural(windows, "período", "períodos")] if windows else []
    return f"{agreed(notes + windows, 'ficou devido', 'ficaram devidos')} {several(parts)}"


def partial(run_id: int, tipo: str, notes: int, windows: int) -> str:
    """Uma execução acabou e deixou o que buscar."""
    what = f": {left_owed(notes, windows)}" if notes or windows else ""
    return (
        f"A execução {run_id} ({_kind(tipo)}) coletou só uma parte{what}. "
        "Nada se perdeu; a próxima execução tenta de novo. Se continuar assim, veja o "
        "motivo pelo painel ou com `bling-collector failures`."
    )


def failed(run_id: int, tipo: str, reason: str) -> str:
    """Uma execução não chegou ao fim."""
    return (
        f"A execução {run_id} ({_kind(tipo)}) não chegou ao fim: {reason}. O que já tinha chegado está salvo, e o que "
        "faltou ficou devido. Veja o motivo pelo painel ou com `bling-collector status`, corrija-o se for o caso e "
        "rode `bling-collector run`."
    )


def not_begun(reason: str) -> str:
    """Nenhuma execução pôde começar."""
    return f"Nada foi coletado. {reason}"


def unchecked(reason: str) -> str:
    """O banco não deixa conferir os alarmes."""
    return f"A coleta não deve correr, e os outros alarmes não podem ser conferidos. {reason}"


TEST: Final = "Se você lê isto, as mensagens do coletor chegam aqui. Não é preciso fazer nada."
TEST_TITLE: Final = "teste das mensagens"


def over(said: str) -> str:
    """O alarme que passou, de que se tinha dito isto."""
    return f"Passou o que se disse antes: {said}"


BACK: Final = "o banco não deixava conferir os alarmes."
LOST: Final = f"Não há uma autorização do Bling que se possa usar, e nada é coletado sem ela. {AGAIN}"
REFUSED: Final = f"O Bling já não aceita a autorização guardada, e nada é coletado sem ela. {AGAIN}"
UNSAVED: Final = (
    "O Bling trocou o par de tokens e o banco não aceitou o novo, que é o único que ainda vale. Ponha o banco no ar e "
    "não encerre o coletor antes disso: ele grava o par assim que o banco o aceitar. O log diz onde o par espera."
)


def unlikely(found: Sequence[str]) -> str:
    return " ".join(found)


def differs(notas: Sequence[MonthCheck], others: Sequence[Proof] = ()) -> str:
    """`notas` são os meses em que as notas diferem; `others`, os outros recursos que se conferem."""
    said = [_in_months(notas, differences(count_differences(notas)))] if notas else []
    for each in others:
        if months := each.found.different:
            found = differences(count_differences(months), "registro", "registros")
            said.append(_in_months(months, f"em {each.titulo}, {found}"))
    return (
        f"{' '.join(said)} Repare pelo painel ou com `bling-collector reconcile --repair`, que busca o que falta e "
        "marca o que sumiu."
    )


def _in_months(months: Sequence[MonthCheck], found: str) -> str:
    return f"Na conferência de {named_months([month.mes for month in months])}: {found}."


def silent(titles: Sequence[str]) -> str:
    return f"O Bling já não avisa do que muda em {several(titles)}. {SWITCH_ON}"


def not_read(hours: int, last: datetime | None) -> str:
    when = f"a última vez foi em {moment(last)}, hora de Brasília" if last else "ainda não se leu nenhuma vez"
    return (
        f"Há mais de {plural(hours, 'hora', 'horas')} não se lê o que há de novo no Bling ({when}). Veja se o "
        "agendamento está ligado e o que diz `bling-collector status`."
    )
