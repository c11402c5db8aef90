"""Os resultados como as pessoas os leem, em stdout."""

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from bling_collector.cli.terminal import say, table
from bling_collector.cli.words import duration, moment, number
from bling_collector.etl.situacoes import situacao

if TYPE_CHECKING:
    from bling_collector.etl.pipeline import RunResult


def as_json(outcome: "RunResult") -> dict[str, Any]:
    """O resultado de uma execução, como as respostas o mostram."""
    return {
        "status": outcome.status,
        "stats": outcome.stats,
        "run_id": outcome.run_id,
        "data_referencia": outcome.data_referencia.isoformat() if outcome.data_referencia else None,
        "requisicoes": outcome.requisicoes,
        "mensagem": outcome.message,
    }


_MARK = {"success": "✔ Tudo coletado", "partial": "◐ Coletado em parte", "error": "✘ Não foi possível coletar"}
_ENDINGS = {"success": "completa", "partial": "em parte", "error": "falhou"}
_REDONE = {"success": "✔ Tudo refeito", "partial": "◐ Refeito em parte", "error": "✘ Não foi possível refazer"}


def result(outcome: "RunResult", seconds: float, *, redone: bool = False) -> None:
    """O que se coletou ou, com `redone`, o que se refez do que já se tinha."""
    counts = (
        f"{number(outcome.stats['nfes'])} notas, {number(outcome.stats['contatos'])} contatos e "
        f"{number(outcome.stats['produtos'])} produtos"
    )
    mark = (_REDONE if redone else _MARK)[outcome.status]
    click.echo(
        f"{mark}: {counts} em {duration(seconds)} ({number(outcome.requisicoes)} requisições). "
        f"Execução {outcome.run_id}."
    )
    if outcome.data_referencia:
        click.echo(f"Coberto sem lacuna até {outcome.data_referencia:%d/%m/%Y}.")
    if outcome.message:
        say(outcome.message)


def status(situation: dict[str, Any]) -> None:
    last, oauth, owed = situation["last_run"], situation["oauth"], situation["owed"]
    if whose := situation["empresa"]:
        click.echo(f"Empresa: {whose['nome']}" + (f" (CNPJ {whose['cnpj']})." if whose["cnpj"] else "."))
    if situation["running"] and last:
        step = last["andamento"]
        done = f"{number(step['feitos'])}/{number(step['total'])}"
        click.echo(f"Em curso: execução {last['run_id']}, {step['fase'] or 'começando'} ({done}).")
    elif last is None:
        click.echo("Ainda não houve execução. Rode `bling-collector run-full --data-inicio AAAA-MM-DD`.")
    else:
        how = _ENDINGS.get(last["status"], last["status"])
        notas = number(last["stats"]["nfes"])
        click.echo(f"Última execução: {last['run_id']}, {how}, em {moment(last['fim'])}, {notas} notas.")
        if last["mensagem"]:
            click.echo(f"  {last['mensagem']}")
    if situation["data_referencia"]:
        click.echo(f"Coberto sem lacuna até {date.fromisoformat(situation['data_referencia']):%d/%m/%Y}.")
    _quota(situation["quota"])
    click.echo(f"Devido: {number(owed['pendencias'])} registro(s) e {number(owed['janelas'])} período(s).")
    if owed["nomes_estacionadas"]:
        names = ", ".join(owed["nomes_estacionadas"])
        click.echo(f"Estacionado, até que se peça com `failures retry`: {names}.")
    if oauth["needs_authorization"] and oauth["readable"]:
        click.echo("Sem autorização do Bling. Rode `bling-collector auth`.")
    elif oauth["readable"]:
        left = oauth["refresh_days_left"]
        click.echo(
            f"Autorizado; o token vale até {moment(oauth['expires_at'])} e se renova sozinho"
            + (f" (a renovação, por mais {left} dias)." if left is not None else ".")
        )
        if not oauth["encrypted"]:
            click.echo("  Os tokens estão em claro no banco; TOKEN_ENCRYPTION_KEY os cifra.")
    if oauth["warning"]:
        say(f"⚠ {oauth['warning']}")


def _quota(quota: dict[str, Any]) -> None:
    kept = f", das quais {number(quota['reserve'])} ficam para os outros aplicativos" if quota["reserve"] else ""
    click.echo(f"Cota do Bling hoje: {number(quota['used'])} de {number(quota['limit'])} requisições da conta{kept}.")
    if quota["exhausted"]:
        say("O Bling disse que a cota do dia acabou; a coleta continua depois da meia-noite de Brasília.")
    if quota["paused_until"]:
        say(f"Depois de muitos erros, nada é pedido ao Bling até {moment(quota['paused_until'])}.")


_SHOWN = 100
"""Ids de cada tipo que se mostram; em JSON vão todos."""
_FOUND = {"faltavam": "Faltavam aqui", "mudaram": "Mudaram lá", "sumiram": "Só existiam aqui"}


def _named(code: str) -> str:
    """A situação, que a conferência guarda como texto, em minúsculas: vem depois do ano."""
    return situacao(int(code) if code.isdecimal() else None).lower()


def reconciliation(outcome: "RunResult", situation: dict[str, Any]) -> None:
    """Os dois lados por ano e situação, e o que se encontrou diferente."""
    sides: dict[tuple[str, str], list[int]] = {}
    for month in situation["meses"]:
        for side, name in enumerate(("no_bling", "no_banco")):
            for code, count in month[name]["situacoes"].items():
                sides.setdefault((month["mes"][:4], code), [0, 0])[side] += count
    rows = [
        [f"{year} {_named(code)}", number(there), number(here), "" if there == here else "✘"]
        for (year, code), (there, here) in sorted(sides.items())
    ]
    footer = ["Total", number(situation["no_bling"]), number(situation["no_banco"]), ""]
    table(["", "No Bling", "No banco", ""], rows, footer=footer)
    click.echo()
    for kind, title in _FOUND.items():
        if ids := outcome.found.ids.get(kind):
            more = " …" if len(ids) > _SHOWN else ""
            click.echo(f"{title}: {number(len(ids))} ({', '.join(map(str, ids[:_SHOWN]))}{more}).")
    mark = "✔" if situation["igual"] else "✘"
    since = f", conferidas em {moment(situation['completo_em'])}" if situation["completo_em"] else ""
    click.echo(f"{mark} {number(situation['no_banco'])} de {number(situation['no_bling'])} notas{since}.")
    if missing := situation["por_conferir"]:
        click.echo(f"Ainda por conferir: {number(len(missing))} mês(es), de {missing[0]} a {missing[-1]}.")
    click.echo(f"Esta conferência fez {number(outcome.requisicoes)} requisições. Execução {outcome.run_id}.")
    if outcome.message:
        say(outcome.message)


_MOTIVES = {"entrada": "entrada de emissão própria", "excluida": "excluída"}


def numbering(series: list[dict[str, Any]]) -> None:
    """As lacunas de cada série, com explicação ou com as notas dos dois lados."""
    for serie in series:
        click.echo(
            f"Série {serie['serie']}: de {number(serie['primeiro'])} a {number(serie['ultimo'])}, "
            f"{number(serie['numeros'])} números."
        )
        for gap in serie["explicadas"]:
            motive = _MOTIVES.get(gap["motivo"], gap["motivo"])
            click.echo(f"  {gap['numero']}: {motive} (nota {gap['id']}, {gap['data_emissao']}).")
        for gap in serie["sem_explicacao"]:
            numbers = f"{gap['de']}" if gap["quantos"] == 1 else f"{gap['de']} a {gap['ate']}"
            before, after = gap["antes"], gap["depois"]
            click.echo(
                f"  ✘ {numbers}: sem explicação, entre {before['numero']} (nota {before['id']}, "
                f"{before['data_emissao']}) e {after['numero']} (nota {after['id']}, {after['data_emissao']})."
            )
        for repeated in serie["repetidas"]:
            click.echo(f"  ✘ {repeated['numero']}: repetida nas notas {', '.join(map(str, repeated['ids']))}.")
    if not series:
        click.echo("Ainda não há notas.")


def failures(owed: dict[str, Any]) -> None:
    """Uma linha por pendência e por período devido."""
    for each in owed["pendencias"]:
        parked = ", estacionada" if each["estacionada"] else ""
        click.echo(
            f"{each['nome']}: desde {moment(each['desde'])}, {each['tentativas']} tentativa(s){parked}. {each['erro']}"
        )
    for window in owed["janelas"]:
        click.echo(
            f"{window['recurso']} de {window['data_inicio']} a {window['data_fim']}: devido desde "
            f"{moment(window['desde'])}. {window['erro'] or ''}".rstrip()
        )
    if not owed["pendencias"] and not owed["janelas"]:
        click.echo("Nada devido.")


def failure(each: dict[str, Any]) -> None:
    """Tudo o que se sabe de uma pendência."""
    click.echo(f"{each['nome']}" + (" (estacionada)" if each["estacionada"] else ""))
    click.echo(f"  desde:      {moment(each['desde'])}")
    click.echo(f"  última vez: {moment(each['tentada_em'])}, {each['tentativas']} tentativa(s)")
    if each["data_emissao"]:
        click.echo(f"  emissão:    {each['data_emissao']}")
    click.echo(f"  erro:       {each['erro']}")
