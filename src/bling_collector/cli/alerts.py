"""Os alarmes: o que está soando, um teste dos destinos e a conferência de agora."""

from contextlib import AsyncExitStack, nullcontext

from bling_collector.cli.process.running import run_to_end, settings
from bling_collector.cli.screen.terminal import emit_json, mark, say, tell
from bling_collector.clock import SystemClock
from bling_collector.config import Settings
from bling_collector.insight.alarms import NORMAL, Alarm, load_alarms
from bling_collector.words import agreed, moment, several
from bling_collector.workplace.database import build_alarms, open_database, telling_who_watches

_NO_CHANNELS = (
    "Não há a quem mandar os alarmes: ponha em ALERT_URLS uma URL do Apprise, como mailto://usuario:senha@servidor ou "
    "slack://… (a lista está em appriseit.com/services)."
)


def show(*, check: bool, json_: bool) -> int:
    """Mostra os alarmes, conferidos agora se `check`; 1 se algum está soando."""
    return run_to_end(_show(settings(), check=check, json_=json_))


def test(*, json_: bool) -> int:
    """Manda uma mensagem de teste a cada destino; 1 se algum não a aceitou, 2 se não há destino."""
    return run_to_end(_test(settings(), json_=json_))


async def _show(settings: Settings, *, check: bool, json_: bool) -> int:
    async with AsyncExitStack() as stack:
        async with telling_who_watches(settings) if check else nullcontext():
            engine, _ = await stack.enter_async_context(open_database(settings))
        judge = build_alarms(settings, engine, SystemClock())
        if check and (unchecked := await judge.check()):
            raise unchecked
        alarms, untold = await load_alarms(engine), await judge.untold()
    if json_:
        emit_json(alarms)
    else:
        _write(alarms)
    if settings.alert_urls is None:
        say(_NO_CHANNELS)
    if untold:
        say(
            f"⚠ {several(untold)} ainda não {agreed(len(untold), 'ouviu', 'ouviram')} o que está soando. Veja se "
            "`bling-collector alerts test` chega lá."
        )
    return int(any(alarm.estado != NORMAL for alarm in alarms))


async def _test(settings: Settings, *, json_: bool) -> int:
    async with open_database(settings) as (engine, _):
        heard = await build_alarms(settings, engine, SystemClock()).test()
    if json_:
        emit_json([{"destino": name, "aceito": ok} for name, ok in heard])
    else:
        for name, ok in heard:
            tell(f"{mark(ok)} {name} {'aceitou' if ok else 'não aceitou'} a mensagem de teste.")
    if not heard:
        say(_NO_CHANNELS)
        return 2
    return int(not all(ok for _, ok in heard))


def _write(alarms: list[Alarm]) -> None:
    sounding = [alarm for alarm in alarms if alarm.estado != NORMAL]
    for alarm in sounding:
        sign = mark(ok=False) if alarm.estado == "erro" else "◐"
        tell(f"{sign} {alarm.nome}: {alarm.titulo}, desde {moment(alarm.desde)}. {alarm.mensagem}")
    if not sounding:
        tell(f"{mark(ok=True)} Nenhum alarme está soando.")
