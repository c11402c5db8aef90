"""O juízo da situação: numa frase, se está tudo aqui, e o que fazer se não está. Puro: só olha o que lhe dão."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bling_collector.insight import alarms as names
from bling_collector.insight.account.token_status import TokenStatus, ends_in
from bling_collector.insight.alarms import Alarm
from bling_collector.insight.failures import Failure, Failures, OwedWindow
from bling_collector.insight.freshness import Freshness
from bling_collector.insight.proof.reconciliation import Proof, Proven, count_differences
from bling_collector.insight.status import Debts, Run, Standing
from bling_collector.insight.words import plain
from bling_collector.words import ago, ended, lower_first, moment, plural, several, share, upper_first

GOOD: Final = "good"
WARNING: Final = "warning"
BAD: Final = "bad"
RUNNING: Final = "running"
NEUTRAL: Final = "neutral"

AUTHORISE: Final = "autorizar"
LOAD: Final = "carregar"
RUN: Final = "executar"
RETRY: Final = "tentar"
REPAIR: Final = "conferir"
FOLLOW: Final = "acompanhar"

SAYS: Final[Mapping[str, frozenset[str]]] = {
    "devidas": frozenset({names.EXECUCAO}),
    "em-parte": frozenset({names.EXECUCAO}),
    "falhou": frozenset({names.EXECUCAO}),
    "velhos": frozenset({names.SEM_EXECUCAO}),
    "difere": frozenset({names.CONFERENCIA}),
    "token": frozenset({names.TOKEN}),
    "autorizacao-perdida": frozenset({names.AUTORIZACAO, names.RECUSADA}),
    "autorizacao-fechada": frozenset({names.AUTORIZACAO, names.RECUSADA}),
    "autorizacao-recusada": frozenset({names.AUTORIZACAO, names.RECUSADA}),
    "autorizacao-no-fim": frozenset({names.AUTORIZACAO}),
    "autorizacao-acabando": frozenset({names.AUTORIZACAO}),
}
"""Por caso do juízo, os alarmes que dizem a mesma coisa: uma falha é um aviso na página, e não três."""

_FIRST: Final = "Autorizado. Falta a primeira carga."


@dataclass(frozen=True)
class Verdict:
    """A situação: o caso, a gravidade, a frase, o que se sabe e o que fazer."""

    case: str
    tone: str
    sentence: str
    detail: str = ""
    action: str | None = None
    """O que resolve, ou None se não há nada a fazer."""


def judge(
    status: Standing,
    reconciliation: Proven,
    alarms: list[Alarm],
    *,
    now: datetime,
    no_run_hours: int,
    missing: str | None = None,
    failures: Failures | None = None,
    others: Sequence[Proof] = (),
) -> Verdict:
    """O primeiro dos casos que vale, do mais grave ao melhor. `missing` é a credencial que falta, por extenso.

    `failures` é o que se deve, como `load_failures` o dá: dele se tira o nome da única nota que falta. `reconciliation`
    é a das notas, e `others`, a dos outros recursos que se conferem: nada está certo enquanto um deles difere.
    """
    run, oauth = status.last_run, status.oauth
    fresh = not status.started  # nada ainda foi pedido ao Bling: refazer o que não se tem não é começar
    if missing is not None and not oauth.has_token:
        return Verdict("sem-credenciais", NEUTRAL, "Falta dizer ao coletor qual é o seu aplicativo do Bling.", missing)
    if not oauth.has_token and fresh:
        return Verdict(
            "sem-autorizacao", NEUTRAL, "Falta autorizar o coletor a ler a sua conta do Bling.", "", AUTHORISE
        )
    return (
        _lost(status, alarms)
        or _running(status)
        or (Verdict("sem-execucao", NEUTRAL, _FIRST, "", LOAD) if fresh or run is None else None)
        or _failed(run)
        or _old(status.freshness, now, no_run_hours)
        or _owed(status.owed, failures, spent=status.quota.exhausted)
        or _stopped(run)
        or _differs(reconciliation, others)
        or _ending(oauth)
        or _proven(reconciliation, others, now)
    )


def _lost(status: Standing, alarms: list[Alarm]) -> Verdict | None:
    oauth = status.oauth
    again = "Ninguém perde nada: assim que você autorizar, a próxima execução busca tudo o que faltou."
    if not oauth.readable:
        sentence = "A autorização guardada não se abre com a chave configurada, e nada é coletado sem ela."
        detail = "Ponha de volta em TOKEN_ENCRYPTION_KEY a chave com que foi cifrada. Sem ela, autorize de novo."
        return Verdict("autorizacao-fechada", BAD, sentence, detail, AUTHORISE)
    if oauth.needs_authorization:
        sentence = "A autorização do Bling se perdeu, e nada é coletado sem ela."
        return Verdict("autorizacao-perdida", BAD, sentence, again, AUTHORISE)
    sounding = {alarm.nome: alarm for alarm in alarms if alarm.estado != "normal"}
    refused = sounding.get(names.RECUSADA)
    if refused and (oauth.token_updated_at is None or oauth.token_updated_at <= refused.desde):
        return Verdict(
            "autorizacao-recusada", BAD, "O Bling recusou a autorização, e nada é coletado.", again, AUTHORISE
        )
    if oauth.refresh_days_left == 0:
        return Verdict("autorizacao-no-fim", BAD, ends_in(0), again, AUTHORISE)
    unsaved = sounding.get(names.TOKEN)
    return Verdict("token", BAD, "Um token trocado não foi gravado.", unsaved.mensagem) if unsaved else None


def _running(status: Standing) -> Verdict | None:
    if not status.running:
        return None
    return Verdict("em-curso", RUNNING, "Coletando agora.", "Os números mudam enquanto a execução corre.", FOLLOW)


def _failed(run: Run | None) -> Verdict | None:
    if run is None or run.status not in ("error", "running"):  # `running` sem tranca: o processo morreu
        return None
    reason = run.mensagem or "O processo dela terminou sem concluí-la."
    detail = f"{ended(plain(reason))} O que já tinha chegado está salvo; rodar de novo continua de onde parou."
    return Verdict("falhou", BAD, "A última execução não chegou ao fim.", detail, RUN)


def _old(freshness: Freshness, now: datetime, hours: int) -> Verdict | None:
    since = freshness.read_at or freshness.first_at
    if since is None or not freshness.is_stale(now, hours):
        return None
    sentence = f"Os dados estão velhos: desde {moment(since)} não se lê o que há de novo no Bling."
    return Verdict(
        "velhos",
        BAD,
        sentence,
        f"O normal é ler a cada {plural(hours, 'hora', 'horas')}, no máximo. Veja o agendamento.",
        RUN,
    )


def _owed(owed: Debts, failures: Failures | None, *, spent: bool) -> Verdict | None:
    notes, windows = owed.pendencias, owed.janelas
    if not notes and not windows:
        return None
    parts = [plural(notes, "registro que não pôde ser salvo", "registros que não puderam ser salvos")] if notes else []
    parts += [plural(windows, "período por ler", "períodos por ler")] if windows else []
    detail = "Toda execução tenta de novo o que ficou devido."
    if owed.estacionadas:
        one, many = "registro já falhou dez vezes e só volta", "registros já falharam dez vezes e só voltam"
        detail = f"{plural(owed.estacionadas, one, many)} a ser tentado{'s' * (owed.estacionadas > 1)} a pedido."
    sentence = f"Falta uma parte: {several(parts)}."
    named: list[Failure | OwedWindow] = [*failures.pendencias, *failures.janelas] if failures else []
    if len(named) == 1 and named[0].motivo:  # uma coisa só diz-se pelo nome, e por quê
        sentence = f"Falta uma parte: {lower_first(named[0].descricao)}."
        detail = f"{ended(named[0].motivo)} {detail}"
    if spent:  # executar agora não traria nada
        detail = "A cota de hoje do Bling acabou; a primeira execução depois da meia-noite continua daqui."
        return Verdict("devidas", WARNING, sentence, detail)
    return Verdict("devidas", WARNING, sentence, detail, RUN if windows else RETRY)


def _stopped(run: Run | None) -> Verdict | None:
    if run is None or run.status != "partial":
        return None
    return Verdict("em-parte", WARNING, "A última execução fez só uma parte.", ended(plain(run.mensagem or "")), RUN)


def _differs(reconciliation: Proven, others: Sequence[Proof]) -> Verdict | None:
    notas = reconciliation.different
    also = [(each.titulo, months) for each in others if (months := each.found.different)]
    if not notas and not also:
        return None
    where = [f"{plural(len(notas), 'mês', 'meses')}{' de notas' if also else ''}"] if notas else []
    where += [f"{plural(len(months), 'mês', 'meses')} de {titulo}" for titulo, months in also]
    found = [names.differences(count_differences(notas))] if notas else []
    for titulo, months in also:
        counts = names.differences(count_differences(months), "registro", "registros")
        found.append(f"em {titulo}, {counts}")
    detail = f"{upper_first('; '.join(found))}. Reparar busca o que falta e marca o que sumiu."
    return Verdict("difere", WARNING, f"O banco difere do Bling em {several(where)}.", detail, REPAIR)


def _ending(oauth: TokenStatus) -> Verdict | None:
    if oauth.warning is None or oauth.refresh_days_left is None:
        return None
    detail = "Uma execução a renova por mais 30 dias. Se não der certo, autorize de novo."
    return Verdict("autorizacao-acabando", WARNING, ends_in(oauth.refresh_days_left), detail, RUN)


def _unchecked(months: int, titulo: str | None = None) -> Verdict:
    """`months` são os por conferir; nenhum, se nada foi conferido. `titulo`, de que recurso, se não são as notas."""
    of = f" de {titulo}" if titulo else ""
    what = plural(months, f"mês{of} ainda não foi conferido", f"meses{of} ainda não foram conferidos")
    nothing = f"falta conferir {titulo}" if titulo else "ainda não foram conferidos com o Bling"
    sentence = f"Os dados estão em dia, mas {what if months else nothing}."
    return Verdict(
        "por-conferir", WARNING, sentence, "Conferir lê as listagens do Bling e repara o que difere.", REPAIR
    )


def _proven(reconciliation: Proven, others: Sequence[Proof], now: datetime) -> Verdict:
    if reconciliation.completo_em is None:
        return _unchecked(len(reconciliation.por_conferir))
    if unchecked := next((each for each in others if each.found.completo_em is None), None):
        return _unchecked(len(unchecked.found.por_conferir), unchecked.titulo)
    found = [reconciliation, *(each.found for each in others)]
    oldest = min(each.completo_em for each in found if each.completo_em is not None)
    newest = max(each.mais_nova for each in found if each.mais_nova is not None)
    held = share(reconciliation.no_banco, reconciliation.no_bling, "nota", "notas")
    detail = [f"Também {several([each.titulo for each in others])}."] if others else []
    if newest - oldest > timedelta(hours=1):
        detail.append(
            f"É a conferência mais antiga; a mais nova foi {ago(newest, now)}. Toda semana se relê a história toda."
        )
    return Verdict("certo", GOOD, f"Tudo certo: {held}, conferido {ago(oldest, now)}.", " ".join(detail))
