"""GET /metrics, no formato do Prometheus: os números dos loaders da situação, lidos na hora.

Não há contador na memória: o que vários processos fazem está no banco, e qualquer um deles responde o mesmo.
"""

from collections.abc import Iterable
from datetime import datetime, time

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from bling_collector.clock import BRASILIA
from bling_collector.insight.alarms import Alarm, load_alarms
from bling_collector.insight.metrics import Totals, load_totals
from bling_collector.insight.proof.reconciliation import Reconciliation, count_differences, load_reconciliation
from bling_collector.insight.recursos import ShownResource, load_recursos
from bling_collector.insight.status import Status, load_status
from bling_collector.web.api.answers import problems
from bling_collector.web.service import OneService

router = APIRouter()
_STATUSES = ("success", "partial", "error", "running")


@router.get(
    "/metrics",
    tags=["Situação"],
    summary="Os números da situação, para o Prometheus",
    responses=problems(503) | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
async def metrics(service: OneService) -> Response:
    async with service.opened() as account:
        now = account.clock.now()
        facts = _Facts(
            now,
            await load_totals(account.engine),
            await load_status(account.engine, account.cipher, now),
            await load_reconciliation(account.engine, now),
            await load_alarms(account.engine),
            await load_recursos(account.engine, account.settings.recursos, now),
        )
    registry = CollectorRegistry(auto_describe=False)
    registry.register(facts)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Facts(Collector):
    def __init__(
        self,
        now: datetime,
        totals: Totals,
        status: Status,
        reconciliation: Reconciliation,
        alarms: list[Alarm],
        recursos: list[ShownResource],
    ) -> None:
        self._now = now
        self._totals = totals
        self._status = status
        self._reconciliation = reconciliation
        self._alarms = alarms
        self._recursos = recursos

    def collect(self) -> Iterable[Metric]:
        yield from self._runs()
        yield from self._debts()
        yield from self._account()
        yield from self._proof()
        yield from self._resources()

    def _runs(self) -> Iterable[Metric]:
        totals = self._totals
        runs = CounterMetricFamily("bling_runs", "Execuções, por como acabaram", labels=["status"])
        for status in {*_STATUSES, *totals.runs}:
            runs.add_metric([status], totals.runs.get(status, 0))
        yield runs
        saved = CounterMetricFamily("bling_saved", "Registros gravados por todas as execuções", labels=["recurso"])
        for recurso, count in (("nfes", totals.nfes), ("contatos", totals.contatos), ("produtos", totals.produtos)):
            saved.add_metric([recurso], count)
        yield saved
        yield CounterMetricFamily("bling_requests", "Requisições à API do Bling", totals.requisicoes)
        yield CounterMetricFamily("bling_throttled", "Respostas 429", totals.limitadas)
        yield _gauge("bling_notes", "Notas no banco, sem as excluídas", totals.notas)
        yield _gauge("bling_run_in_progress", "Há uma execução em curso", self._status.running)
        age, covered = self._status.freshness.age(self._now), self._status.data_referencia
        lag = None if age is None else age.total_seconds()
        yield _gauge("bling_lag_seconds", "Segundos desde que se leu tudo o que o Bling tinha", lag)
        until = None if covered is None else datetime.combine(covered, time(), BRASILIA).timestamp()
        yield _gauge("bling_covered_until_seconds", "O começo do último dia coberto sem lacuna (época Unix)", until)

    def _debts(self) -> Iterable[Metric]:
        owed = self._status.owed
        yield _gauge("bling_owed_windows", "Períodos devidos", owed.janelas)
        yield _gauge("bling_owed_records", "Registros pendentes", owed.pendencias)
        yield _gauge("bling_parked_records", "Registros pendentes e estacionados", owed.estacionadas)

    def _account(self) -> Iterable[Metric]:
        oauth, quota = self._status.oauth, self._status.quota
        yield _gauge("bling_authorized", "Há uma autorização que se possa usar", not oauth.needs_authorization)
        yield _gauge("bling_refresh_token_days", "Dias até a autorização acabar", oauth.refresh_days_left)
        yield _gauge("bling_quota_used", "Requisições do coletor hoje", quota.used)
        yield _gauge("bling_quota_limit", "A cota diária da conta", quota.limit)
        yield _gauge("bling_quota_reserve", "O que dela fica para os outros aplicativos", quota.reserve)
        yield _gauge("bling_paused", "O disjuntor está aberto", quota.paused_until is not None)

    def _proof(self) -> Iterable[Metric]:
        yield _gauge("bling_reconciliation_equal", "O banco é igual ao Bling", self._reconciliation.igual)
        differences = GaugeMetricFamily("bling_reconciliation_differences", "Notas que diferem", labels=["tipo"])
        for kind, count in count_differences(self._reconciliation.meses).items():
            differences.add_metric([kind], count)
        yield differences
        active = GaugeMetricFamily("bling_alarm_active", "O alarme está soando", labels=["nome"])
        for alarm in self._alarms:
            active.add_metric([alarm.nome], alarm.estado != "normal")
        yield active

    def _resources(self) -> Iterable[Metric]:
        held = GaugeMetricFamily("bling_records", "Registros no banco, sem os excluídos", labels=["recurso"])
        owed = GaugeMetricFamily("bling_owed", "Registros pendentes e períodos devidos", labels=["recurso"])
        proved = GaugeMetricFamily("bling_proved", "O banco é igual ao Bling, na conferência", labels=["recurso"])
        for each in self._recursos:
            if each.coletado:
                held.add_metric([each.recurso], each.registros)
                owed.add_metric([each.recurso], each.pendencias + each.janelas)
            if each.coletado and each.conferencia is not None:
                proved.add_metric([each.recurso], each.conferencia.igual)
        yield from (held, owed, proved)


def _gauge(name: str, documentation: str, value: float | None) -> Metric:
    """Sem valor, a métrica não traz amostra: o Prometheus sabe que não se sabe."""
    metric = GaugeMetricFamily(name, documentation)
    if value is not None:
        metric.add_metric([], float(value))
    return metric
