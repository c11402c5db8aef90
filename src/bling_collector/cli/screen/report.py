"""Os resultados como as pessoas os leem, em stdout."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from bling_collector.cli.screen.terminal import mark, say, table
from bling_collector.etl.progress import time_left
from bling_collector.insight.sales.situacoes import situacao
from bling_collector.insight.words import besides, plain
from bling_collector.words import (
    ago,
    day,
    duration,
    ended,
    lower_first,
    moment,
    month,
    number,
    percent,
    plural,
    several,
    share,
    upper_first,
)

if TYPE_CHECKING:
    from bling_collector.insight.account.quota import Quota
    from bling_collector.insight.failures import Failure, Failures
    from bling_collector.insight.freshness import Freshness
    from bling_collector.insight.proof.numbering import SerieNumbering
    from bling_collector.insight.proof.reconciliation import Reconciliation
    from bling_collector.insight.recursos import Followed, Proved
    from bling_collector.insight.status import Run, Status
    from bling_collector.payload import Json
    from bling_collector.plan.daily import CostedResource
    from bling_collector.runs.job import RunResult


def as_json(outcome: "RunResult") -> "dict[str, Json]":
    """O resultado de uma execução, como as respostas o mostram."""
    return {
        "status": outcome.status,
        "stats": outcome.stats,
        "run_id": outcome.run_id,
        "data_referencia": outcome.data_referencia.isoformat() if outcome.data_referencia else None,
        "requisicoes": outcome.requisicoes,
        "mensagem": outcome.message,
    }


_DONE = {"success": "Tudo coletado", "partial": "Coletado em parte", "error": "Não foi possível coletar"}
_ENDINGS = {"success": "completa", "partial": "em parte", "error": "falhou"}
_REDONE = {"success": "Tudo refeito", "partial": "Refeito em parte", "error": "Não foi possível refazer"}


def result(outcome: "RunResult", seconds: float, *, redone: bool = False, owed: "Failures | None" = None) -> None:
    """O que se coletou ou, com `redone`, o que se refez do que já se tinha."""
    stats = outcome.stats
    counts = several(
        [
            plural(stats["nfes"], "nota", "notas"),
            plural(stats["contatos"], "contato", "contatos"),
            plural(stats["produtos"], "produto", "produtos"),
            *besides(stats),
        ]
    )
    how = (_REDONE if redone else _DONE)[outcome.status]
    sign = "◐" if outcome.status == "partial" else mark(outcome.status == "success")
    click.echo(
        f"{sign} {how}: {counts} em {duration(seconds)} ({_requests(outcome.requisicoes)}). Execução {outcome.run_id}."
    )
    if outcome.data_referencia:
        click.echo(f"Coberto sem lacuna até {day(outcome.data_referencia)}.")
    if outcome.message:
        say(plain(outcome.message))
    failed = owed.pendencias if owed else []
    for each in failed[:_NAMED]:
        say(f"  {each.descricao}: {lower_first(ended(each.motivo))}")
    if len(failed) > _NAMED:
        say("  As outras estão em `bling-collector failures`.")


_NAMED = 5
"""Pendências que se nomeiam ao fim de uma execução."""


def status(situation: "Status", now: datetime, no_run_hours: int, parked: "Sequence[Failure]" = ()) -> None:
    last, oauth, owed = situation.last_run, situation.oauth, situation.owed
    if whose := situation.empresa:
        click.echo(f"Empresa: {whose.nome}" + (f" (CNPJ {whose.cnpj})." if whose.cnpj else "."))
    _last_run(situation.running, last, now)
    if situation.data_referencia:
        click.echo(f"Coberto sem lacuna até {day(situation.data_referencia)}.")
    _fresh(situation.freshness, now, no_run_hours)
    _quota(situation.quota)
    if owed.pendencias or owed.janelas:
        from bling_collector.alarms.texts import left_owed  # só quem deve algo o carrega

        click.echo(f"{upper_first(left_owed(owed.pendencias, owed.janelas))}.")
    else:
        click.echo("Nada devido.")
    if owed.nomes_estacionadas:
        known = {each.nome: f"{each.descricao} ({each.nome})" for each in parked}
        names = "; ".join(known.get(name, name) for name in owed.nomes_estacionadas)
        click.echo(f"Estacionado, até que se peça com `failures retry`: {names}.")
    if oauth.needs_authorization and oauth.readable:
        click.echo("Sem autorização do Bling. Rode `bling-collector auth`.")
    elif oauth.readable:
        left = oauth.refresh_days_left
        click.echo(
            f"Autorizado; o token vale até {moment(oauth.expires_at)} e se renova sozinho"
            + (f" (a renovação, por mais {plural(left, 'dia', 'dias')})." if left is not None else ".")
        )
        if not oauth.encrypted:
            click.echo("  Os tokens estão em claro no banco; TOKEN_ENCRYPTION_KEY os cifra.")
    if oauth.warning:
        say(f"⚠ {oauth.warning}")


def recursos(found: "Sequence[CostedResource]") -> None:
    """Uma linha por recurso."""
    table(
        ["Recurso", "Coleta-se", "Registros", "Coberto até", "Na conferência", "Por fazer", "Requisições por dia"],
        [
            [
                f"{each.titulo} ({each.recurso})",
                "não" if not each.coletado else "sem permissão" if each.sem_permissao else "sim",
                number(each.registros),
                day(each.data_referencia) if each.data_referencia else "",
                _proved(each.conferencia),
                number(each.pendencias + each.janelas) if each.pendencias or each.janelas else "",
                f"{'pelo menos ' if each.pelo_menos else '≈ '}{number(each.requisicoes_por_dia)}",
            ]
            for each in found
        ],
    )
    for each in found:
        if each.sem_permissao:
            say(
                f"⚠ {each.titulo}: o aplicativo não tem permissão. No cadastro dele, em developer.bling.com.br, marque "
                f"«{each.permissao}», salve e autorize de novo com `bling-collector auth`."
            )
    if more := [each.recurso for each in found if not each.coletado]:
        click.echo(f"\nPara coletar mais: `bling-collector recursos ligar` com {several(more)}.")


def _proved(proved: "Proved | None") -> str:
    if proved is None or not proved.meses:
        return ""
    sign = "◐" if proved.por_conferir else mark(proved.igual)
    return f"{number(proved.no_banco)} de {number(proved.no_bling)} {sign}"


def _last_run(running: bool, last: "Run | None", now: datetime) -> None:
    if running and last:
        step = last.andamento
        done = f" ({number(step.feitos)}/{number(step.total)})" if step.total else ""
        said = [f"Em curso: execução {last.run_id}, {step.fase or 'começando'}{done}"]
        seconds = (now - last.inicio).total_seconds() if last.inicio else None
        left = time_left(last.requisicoes, step.restam, seconds)
        if left is not None and step.restam is not None:
            part = Decimal(last.requisicoes) / (last.requisicoes + step.restam)
            said.append(f"{percent(part, 0)} do todo, faltam cerca de {duration(left)}")
        click.echo(f"{'; '.join(said)}.")
        if step.espera:
            click.echo(f"  {upper_first(step.espera)}.")
    elif last is None:
        click.echo("Ainda não houve execução. Rode `bling-collector run-full --data-inicio AAAA-MM-DD`.")
    else:
        how = _ENDINGS.get(last.status or "", last.status)
        saved = plural(last.stats["nfes"], "nota", "notas")
        if last.others:
            saved += f" e {plural(last.others, 'outro registro', 'outros registros')}"
        click.echo(f"Última execução: {last.run_id}, {how}, em {moment(last.fim)}, {saved}.")
        if last.mensagem:
            click.echo(f"  {plain(last.mensagem)}")


def _fresh(fresh: "Freshness", now: datetime, no_run_hours: int) -> None:
    if fresh.read_at is not None:
        click.echo(f"Lido do Bling {ago(fresh.read_at, now)}, em {moment(fresh.read_at)}.")
    if fresh.is_stale(now, no_run_hours):
        since = plural(no_run_hours, "hora", "horas")
        say(f"⚠ Os dados estão velhos: há mais de {since} não se lê o que há de novo no Bling.")


def _quota(quota: "Quota") -> None:
    kept = f"; {number(quota.reserve)} ficam para os outros aplicativos" if quota.reserve else ""
    click.echo(f"Cota do Bling hoje: {number(quota.used)} de {_requests(quota.limit)} da conta{kept}.")
    if quota.exhausted:
        say("O Bling disse que a cota do dia acabou; a coleta continua depois da meia-noite de Brasília.")
    if quota.paused_until:
        say(f"Depois de muitos erros, nada é pedido ao Bling até {moment(quota.paused_until)}.")


_SHOWN = 100
"""Ids de cada tipo que se mostram; em JSON vão todos."""
_FOUND = {"faltavam": "Faltavam aqui", "mudaram": "Mudaram lá", "sumiram": "Só existiam aqui"}


def _named(code: str) -> str:
    """A situação, que a conferência guarda como texto, em minúsculas: vem depois do ano."""
    return situacao(int(code) if code.isdecimal() else None).lower()


def unexplained(series: "list[SerieNumbering]") -> bool:
    """Se a numeração de alguma série tem lacuna sem explicação, ou número repetido."""
    return any(serie.sem_explicacao or serie.repetidas for serie in series)


def reconciliation(outcome: "RunResult", situation: "Reconciliation", others: "Sequence[Followed]" = ()) -> None:
    """Os dois lados por ano e situação, e o que se encontrou diferente."""
    sides: dict[tuple[int, str], list[int]] = {}
    for each in situation.meses:
        for side, counted in enumerate((each.no_bling, each.no_banco)):
            for code, count in counted.situacoes.items():
                sides.setdefault((each.mes.year, code), [0, 0])[side] += count
    rows = [
        [f"{year} {_named(code)}", number(there), number(here), "" if there == here else mark(ok=False)]
        for (year, code), (there, here) in sorted(sides.items())
    ]
    footer = ["Total", number(situation.no_bling), number(situation.no_banco), ""]
    table(["", "No Bling", "No banco", ""], rows, footer=footer)
    click.echo()
    for kind, title in _FOUND.items():
        if ids := outcome.found.ids.get(kind):
            more = " …" if len(ids) > _SHOWN else ""
            click.echo(f"{title}: {number(len(ids))} ({', '.join(map(str, ids[:_SHOWN]))}{more}).")
    # Meses por conferir não são uma diferença, e não se diz que está tudo certo.
    sign = "◐" if situation.por_conferir and not situation.different else mark(situation.igual)
    held = share(situation.no_banco, situation.no_bling, "nota", "notas")
    since = f", na conferência de {moment(situation.completo_em)}" if situation.completo_em else ""
    click.echo(f"{sign} {held}{since}.")
    if missing := situation.por_conferir:
        months = plural(len(missing), "mês", "meses")
        span = month(missing[0]) if len(missing) == 1 else f"de {month(missing[0])} a {month(missing[-1])}"
        click.echo(f"Ainda por conferir: {months}, {span}.")
    for other in others:
        click.echo(f"{other.titulo}: {_proved(other.conferencia) or 'ainda por conferir'}.")
    click.echo(f"Esta conferência fez {_requests(outcome.requisicoes)}. Execução {outcome.run_id}.")
    if outcome.message:
        say(outcome.message)


_MOTIVES = {"entrada": "entrada de emissão própria", "excluida": "excluída"}


def numbering(series: "list[SerieNumbering]") -> None:
    """As lacunas de cada série, com explicação ou com as notas dos dois lados; no fim, o veredito."""
    for serie in series:
        click.echo(
            f"Série {serie.serie}: de {number(serie.primeiro)} a {number(serie.ultimo)}, "
            f"{plural(serie.numeros, 'número', 'números')}."
        )
        for nota in serie.explicadas:
            motive = _MOTIVES.get(nota.motivo, nota.motivo)
            click.echo(f"  {nota.numero}: {motive} (nota {nota.id}, {day(nota.data_emissao)}).")
        for gap in serie.sem_explicacao:
            numbers = f"{gap.de}" if gap.quantos == 1 else f"{gap.de} a {gap.ate}"
            before, after = gap.antes, gap.depois
            click.echo(
                f"  {mark(ok=False)} {numbers}: sem explicação, entre {before.numero}, de "
                f"{day(before.data_emissao)}, e {after.numero}, de {day(after.data_emissao)} "
                f"(notas {before.id} e {after.id})."
            )
        for repeated in serie.repetidas:
            click.echo(f"  {mark(ok=False)} {repeated.numero}: repetida nas notas {', '.join(map(str, repeated.ids))}.")
    click.echo(_numbering_verdict(series))


def _numbering_verdict(series: "list[SerieNumbering]") -> str:
    if not series:
        return "Ainda não há notas."
    missing = sum(gap.quantos for serie in series for gap in serie.sem_explicacao)
    repeated = sum(len(serie.repetidas) for serie in series)
    if not missing and not repeated:
        explained = sum(len(serie.explicadas) for serie in series)
        why = f"; {plural(explained, 'número fora das vendas tem', 'números fora das vendas têm')} explicação"
        return f"{mark(ok=True)} A numeração não tem lacuna sem explicação{why if explained else ''}."
    parts = [plural(missing, "número sem explicação", "números sem explicação")] if missing else []
    parts += [plural(repeated, "número repetido", "números repetidos")] if repeated else []
    return f"{mark(ok=False)} Na numeração há {several(parts)}: confira-os no Bling."


def failures(owed: "Failures") -> None:
    """Uma linha por pendência e por período devido."""
    for each in owed.pendencias:
        parked = ", estacionada" if each.estacionada else ""
        click.echo(f"{each.descricao}: {lower_first(ended(each.motivo))}")
        click.echo(f"  {each.nome}: desde {moment(each.desde)}, {_tries(each)}{parked}. {each.erro}")
    for window in owed.janelas:
        why = ended(f": {lower_first(window.motivo)}" if window.motivo else "")
        click.echo(f"{window.descricao}, por ler desde {moment(window.desde)}{why or '.'}")
    if not owed.pendencias and not owed.janelas:
        click.echo("Nada devido.")


def failure(each: "Failure") -> None:
    """Tudo o que se sabe de uma pendência."""
    click.echo(f"{each.descricao}" + (" (estacionada)" if each.estacionada else ""))
    click.echo(f"  por quê:    {ended(each.motivo)}")
    click.echo(f"  nome:       {each.nome}")
    click.echo(f"  desde:      {moment(each.desde)}")
    click.echo(f"  última vez: {moment(each.tentada_em)}, {_tries(each)}")
    if each.data_emissao:
        click.echo(f"  emissão:    {day(each.data_emissao)}")
    click.echo(f"  erro:       {each.erro}")


def _tries(each: "Failure") -> str:
    return plural(each.tentativas, "tentativa", "tentativas")


def _requests(count: int) -> str:
    return plural(count, "requisição", "requisições")
