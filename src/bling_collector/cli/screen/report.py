"""Os resultados como as pessoas os leem, em stdout."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from bling_collector.auth.texts import allow
from bling_collector.cli.screen.terminal import mark, say, table, tell
from bling_collector.etl.progress import time_left
from bling_collector.insight.sales.situacoes import situacao
from bling_collector.insight.words import STATUSES, besides, plain
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
    from bling_collector.insight.companies import ShownCompany
    from bling_collector.insight.failures import Failure, Failures
    from bling_collector.insight.freshness import Freshness
    from bling_collector.insight.proof.numbering import SerieNumbering
    from bling_collector.insight.proof.reconciliation import Reconciliation
    from bling_collector.insight.recursos import Followed
    from bling_collector.insight.status import Run, Status
    from bling_collector.payload import Json
    from bling_collector.plan.asked import Plan, Plans
    from bling_collector.plan.daily import CostedResource
    from bling_collector.runs.request import RunResult


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
    tell(
        f"{sign} {how}: {counts} em {duration(seconds)} ({_requests(outcome.requisicoes)}). Execução {outcome.run_id}."
    )
    if outcome.data_referencia:
        tell(f"Coberto sem lacuna até {day(outcome.data_referencia)}.")
    if outcome.disallowed:
        say(
            f"Sem permissão, e por isso fora da coleta: {several(outcome.disallowed)}. `bling-collector recursos` diz "
            "o que marcar no formulário do Bling."
        )
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
        tell(f"Empresa: {whose.nome}" + (f" (CNPJ {whose.cnpj})." if whose.cnpj else "."))
    _last_run(situation.running, last, now)
    if situation.data_referencia:
        tell(f"Coberto sem lacuna até {day(situation.data_referencia)}.")
    _fresh(situation.freshness, now, no_run_hours)
    _quota(situation.quota)
    if owed.pendencias or owed.janelas:
        from bling_collector.alarms.texts import left_owed  # só quem deve algo o carrega

        tell(f"{upper_first(left_owed(owed.pendencias, owed.janelas))}.")
    elif last is not None and last.status == "error":
        tell("Nada devido do que se chegou a pedir; o que a última execução não pediu, a seguinte pede.")
    else:
        tell("Nada devido.")
    if owed.nomes_estacionadas:
        known = {each.nome: f"{each.descricao} ({each.nome})" for each in parked}
        names = "; ".join(known.get(name, name) for name in owed.nomes_estacionadas)
        tell(f"Estacionado, até que se peça com `failures retry`: {names}.")
    if oauth.needs_authorization and oauth.readable:
        tell("Sem autorização do Bling. Rode `bling-collector auth`.")
    elif oauth.readable:
        left = oauth.refresh_days_left
        tell(
            f"Autorizado; o token vale até {moment(oauth.expires_at)} e se renova sozinho"
            + (f" (a renovação, por mais {plural(left, 'dia', 'dias')})." if left is not None else ".")
        )
        if not oauth.encrypted:
            tell("  Os tokens estão em claro no banco; TOKEN_ENCRYPTION_KEY os cifra.")
    if oauth.warning:
        say(f"⚠ {oauth.warning}")


def companies(found: "Sequence[ShownCompany]", now: datetime) -> None:
    """Uma linha por empresa, a que mais pede atenção primeiro."""
    table(
        ["Empresa", "No Bling", "Dados", "Por fazer", "Situação"],
        [
            [
                each.nome,
                each.titulo or "",
                ago(each.lido_em, now) if each.lido_em else "",
                number(each.owed) if each.owed else "",
                f"{_sign(each)} {each.frase}",
            ]
            for each in found
        ],
        left=(0, 1, 4),
    )


def _sign(found: "ShownCompany") -> str:
    """Só o que está bem leva ✔; o que ainda não começou, ou pede atenção, não é uma falha."""
    return mark(found.is_well) if found.tom in {"good", "bad"} else "⚠" if found.tom == "warning" else "·"


def company(found: "ShownCompany", now: datetime, *, has_token: bool) -> None:
    """Uma empresa."""
    tell(
        f"{found.nome}: {found.titulo or 'ainda não se sabe que empresa é'}"
        + (f" (CNPJ {found.cnpj})." if found.cnpj else ".")
    )
    tell(f"{_sign(found)} {found.frase}")
    if found.lido_em:
        tell(f"Os dados foram lidos {ago(found.lido_em, now)}.")
    tell(f"Páginas e rotas: /e/{found.nome}/. Avisos do Bling: POST /webhooks/bling/{found.nome}.")
    tell("Tem um token que só abre esta empresa." if has_token else "Não tem token seu: só API_TOKEN a abre.")


def recursos(found: "Sequence[CostedResource]", look: int, looks: int) -> None:
    """Uma linha por recurso; e as requisições de uma olhada (`look`), e quantas são por dia (`looks`)."""
    table(
        ["Recurso", "Coleta-se", "Registros", "Até", "Na conferência", "Por fazer", "Por dia", "Por olhada"],
        [
            [
                each.recurso,
                "não" if not each.coletado else "sem permissão" if each.sem_permissao else "sim",
                number(each.registros),
                day(each.data_referencia) if each.data_referencia else "",
                _proved(each),
                number(each.pendencias + each.janelas) if each.pendencias or each.janelas else "",
                f"{'≥ ' if each.pelo_menos else ''}{number(each.requisicoes_por_dia)}",
                number(each.requisicoes_por_olhada) if each.requisicoes_por_olhada else "",
            ]
            for each in found
        ],
    )
    tell(
        "\n«Por dia» e «Por olhada» contam requisições ao Bling; ≥ é pelo menos tantas."
        f"\nUma olhada do worker pede cerca de {plural(look, 'requisição', 'requisições')}; com a agenda de costume, "
        f"de 15 em 15 minutos, {number(looks * look)} por dia."
    )
    for each in found:
        if each.sem_permissao:
            say(f"⚠ {each.titulo}: o aplicativo não tem permissão. {allow(each.permissao)}")
    if not all(each.coletado for each in found):
        tell("\nPara coletar mais: `bling-collector recursos ligar NOME`, com os nomes de que acima se diz não.")


def plan(found: "Plan", run_max_seconds: int) -> None:
    """Uma linha por recurso, e o que tudo custa."""
    rows = [
        [each.titulo, number(each.listagens), number(each.detalhes), _about(each.requisicoes, least=each.pelo_menos)]
        for each in found.recursos
    ]
    rows.append(["De que empresa é a conta", "", "1", "1"])
    total = _about(found.requisicoes, least=found.pelo_menos)
    table(["Recurso", "Listagens", "Detalhes", "Requisições"], rows, footer=["Ao todo", "", "", total])
    about = "pelo menos" if found.pelo_menos else "cerca de"
    share_of = percent(Decimal(str(found.parte_da_cota)), 2)
    tell(
        f"\nDe {day(found.periodo.inicio)} a {day(found.periodo.fim)}: {about} {duration(found.minutos * 60)} ao ritmo "
        f"da API, {about} {share_of} da cota do dia ({number(found.cota_do_dia)}, sem a reserva; hoje restam "
        f"{number(found.restam_hoje)})."
    )
    if found.dias > 1:
        tell(f"Não cabe no que resta hoje: ao todo, {about} {plural(found.dias, 'dia', 'dias')}.")
    if found.execucoes > 1:
        tell(f"Com RUN_MAX_SECONDS={run_max_seconds}, {about} {plural(found.execucoes, 'execução', 'execuções')}.")
    if unknown := [lower_first(each.titulo) for each in found.recursos if each.pelo_menos]:
        more = "" if found.sondas else " Com --sondar pergunta-se ao Bling, com poucas requisições."
        say(
            f"Não se sabe quanto há de {several(unknown)}: do que nunca se leu só se conta o que é certo que se pede."
            f"{more}"
        )
    probes = f"e de {_requests(found.sondas)} de sondagem" if found.sondas else "e nada se perguntou ao Bling"
    tell(f"Sai do que o banco já leu e conferiu, {probes}.")


def plans(found: "Plans") -> None:
    """Uma linha por empresa, e o que todas custam."""
    rows = []
    for each in found.empresas:
        if (its := each.plano) is None:
            rows.append([each.empresa, "", "", mark(ok=False)])
            say(f"{each.empresa}: {each.erro}")
            continue
        share_of = percent(Decimal(str(its.parte_da_cota)), 2)
        rows.append([each.empresa, _about(its.requisicoes, least=its.pelo_menos), duration(its.minutos * 60), share_of])
    total = _about(found.requisicoes, least=found.pelo_menos)
    table(
        ["Empresa", "Requisições", "Ao ritmo dela", "Da cota do dia"],
        rows,
        footer=["Todas, ao mesmo tempo", total, duration(found.minutos * 60), ""],
    )
    tell("Sai do que o banco já leu e conferiu, e nada se perguntou ao Bling.")


def _about(requests: int, *, least: bool) -> str:
    return f"{'pelo menos' if least else '≈'} {number(requests)}"


def _proved(each: "Followed") -> str:
    if each.inteira is not None:
        there, here = each.inteira.no_bling.total, each.inteira.no_banco.total
        return f"{number(here)} de {number(there)} {mark(each.inteira.igual)}"
    proved = each.conferencia
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
        tell(f"{'; '.join(said)}.")
        if step.espera:
            tell(f"  {upper_first(step.espera)}.")
    elif last is None:
        tell("Ainda não houve execução. Rode `bling-collector run-full --data-inicio AAAA-MM-DD`.")
    else:
        how = STATUSES.get(last.status or "", str(last.status)).lower()
        saved = plural(last.stats["nfes"], "nota", "notas")
        if last.others:
            saved += f" e {plural(last.others, 'outro registro', 'outros registros')}"
        tell(f"Última execução: {last.run_id}, {how}, em {moment(last.fim)}, {saved}.")
        if last.mensagem:
            tell(f"  {plain(last.mensagem)}")


def _fresh(fresh: "Freshness", now: datetime, no_run_hours: int) -> None:
    if fresh.read_at is not None:
        tell(f"Lido do Bling {ago(fresh.read_at, now)}, em {moment(fresh.read_at)}.")
    if fresh.is_stale(now, no_run_hours):
        since = plural(no_run_hours, "hora", "horas")
        say(f"⚠ Os dados estão velhos: há mais de {since} não se lê o que há de novo no Bling.")


def _quota(quota: "Quota") -> None:
    kept = f"; {number(quota.reserve)} ficam para os outros aplicativos" if quota.reserve else ""
    tell(f"Cota do Bling hoje: {number(quota.used)} de {_requests(quota.limit)} da conta{kept}.")
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


def reconciliation(
    outcome: "RunResult", situation: "Reconciliation", others: "Sequence[Followed]" = (), *, notes: bool = True
) -> None:
    """Os dois lados por ano e situação, e o que se encontrou diferente; `notes` diz se as notas se coletam."""
    if situation.meses:
        _sides(situation)
    for kind, title in _FOUND.items():
        if ids := outcome.found.ids.get(kind):
            more = " …" if len(ids) > _SHOWN else ""
            tell(f"{title}: {number(len(ids))} ({', '.join(map(str, ids[:_SHOWN]))}{more}).")
    if situation.meses:
        _verdict(situation, all_well=outcome.status == "success")
    elif notes:
        tell("◐ Notas: ainda por conferir.")
    for other in others:
        if other.sem_permissao:
            tell(f"{other.titulo}: sem permissão, e não se conferiu. {allow(other.permissao)}")
            continue
        when = f", na leitura inteira de {moment(other.inteira.conferida_em)}" if other.inteira else ""
        tell(f"{other.titulo}: {_proved(other) or 'ainda por conferir'}{when}.")
    tell(f"Esta conferência fez {_requests(outcome.requisicoes)}. Execução {outcome.run_id}.")
    if outcome.message:
        say(outcome.message)


def _sides(situation: "Reconciliation") -> None:
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
    tell()


def _verdict(situation: "Reconciliation", *, all_well: bool) -> None:
    """O que as conferências dos meses inteiros dizem; sem `all_well`, esta, que pode ser de uns dias, achou o que não é
    igual."""
    # Meses por conferir não são uma diferença, e não se diz que está tudo certo.
    unsure = (situation.por_conferir or not all_well) and not situation.different
    sign = "◐" if unsure else mark(situation.igual)
    held = share(situation.no_banco, situation.no_bling, "nota", "notas")
    since = f", na conferência de {moment(situation.completo_em)}" if situation.completo_em else ""
    tell(f"{sign} {held}{since}.")
    if missing := situation.por_conferir:
        months = plural(len(missing), "mês", "meses")
        span = month(missing[0]) if len(missing) == 1 else f"de {month(missing[0])} a {month(missing[-1])}"
        tell(f"Ainda por conferir: {months}, {span}.")
    if all_well and situation.different:
        months = ", ".join(month(each.mes) for each in situation.different)
        tell(f"Na última conferência do mês inteiro diferiam, e só outra o desdiz: {months}.")


_MOTIVES = {"entrada": "entrada de emissão própria", "excluida": "excluída"}


def numbering(series: "list[SerieNumbering]", *, fiscal: bool = True) -> None:
    """As lacunas de cada série, com explicação ou com os dos dois lados; no fim, o veredito. O que não é do fisco não
    tem falta: a lacuna só se diz."""
    one, many = ("nota", "notas") if fiscal else ("pedido", "pedidos")

    def sign() -> str:  # o sinal de falha que se mostra é também o código com que o comando sai
        return mark(ok=False) if fiscal else "·"

    for serie in series:
        tell(
            f"Série {serie.serie}: de {number(serie.primeiro)} a {number(serie.ultimo)}, "
            f"{plural(serie.numeros, 'número', 'números')}."
        )
        for nota in serie.explicadas:
            motive = _MOTIVES.get(nota.motivo, nota.motivo)
            tell(f"  {nota.numero}: {motive} ({one} {nota.id}, {day(nota.data_emissao)}).")
        for gap in serie.sem_explicacao:
            numbers = str(gap.de) if gap.quantos == 1 else f"{gap.de} a {gap.ate}"
            before, after = gap.antes, gap.depois
            tell(
                f"  {sign()} {numbers}: sem explicação, entre {before.numero}, de "
                f"{day(before.data_emissao)}, e {after.numero}, de {day(after.data_emissao)} "
                f"({many} {before.id} e {after.id})."
            )
        for repeated in serie.repetidas:
            tell(f"  {sign()} {repeated.numero}: o mesmo número em {', '.join(map(str, repeated.ids))}.")
    tell(_numbering_verdict(series, many, fiscal=fiscal))


def _numbering_verdict(series: "list[SerieNumbering]", many: str, *, fiscal: bool) -> str:
    if not series:
        return f"Ainda não há {many}."
    missing = sum(gap.quantos for serie in series for gap in serie.sem_explicacao)
    repeated = sum(len(serie.repetidas) for serie in series)
    if not missing and not repeated:
        explained = sum(len(serie.explicadas) for serie in series)
        why = f"; {plural(explained, 'número fora das vendas tem', 'números fora das vendas têm')} explicação"
        return f"{mark(ok=True)} A numeração não tem lacuna sem explicação{why if explained else ''}."
    parts = [plural(missing, "número sem explicação", "números sem explicação")] if missing else []
    parts += [plural(repeated, "número repetido", "números repetidos")] if repeated else []
    if not fiscal:
        return f"· Na numeração há {several(parts)}: quem muda o número de um pedido, ou o importa, faz isto."
    return f"{mark(ok=False)} Na numeração há {several(parts)}: confira-os no Bling."


def failures(owed: "Failures") -> None:
    """Uma linha por pendência e por período devido."""
    for each in owed.pendencias:
        parked = ", estacionada" if each.estacionada else ""
        tell(f"{each.descricao}: {lower_first(ended(each.motivo))}")
        tell(f"  {each.nome}: desde {moment(each.desde)}, {_tries(each)}{parked}. {each.erro}")
    for window in owed.janelas:
        why = ended(f": {lower_first(window.motivo)}" if window.motivo else "")
        tell(f"{window.descricao}, por ler desde {moment(window.desde)}{why or '.'}")
    if not owed.pendencias and not owed.janelas:
        tell("Nada devido.")


def failure(each: "Failure") -> None:
    """Tudo o que se sabe de uma pendência."""
    tell(f"{each.descricao}" + (" (estacionada)" if each.estacionada else ""))
    tell(f"  por quê:    {ended(each.motivo)}")
    tell(f"  nome:       {each.nome}")
    tell(f"  desde:      {moment(each.desde)}")
    tell(f"  última vez: {moment(each.tentada_em)}, {_tries(each)}")
    if each.data_emissao:
        tell(f"  emissão:    {day(each.data_emissao)}")
    tell(f"  erro:       {each.erro}")


def _tries(each: "Failure") -> str:
    return plural(each.tentativas, "tentativa", "tentativas")


def _requests(count: int) -> str:
    return plural(count, "requisição", "requisições")
