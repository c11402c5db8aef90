"""`exportar`: o que se exportou, dito em poucas linhas."""

from bling_collector.cli.process.running import run_to_end, settings
from bling_collector.cli.screen.terminal import emit_json, tell
from bling_collector.config import Settings
from bling_collector.errors import UsageError
from bling_collector.exporting import export as exporting
from bling_collector.words import number, plural
from bling_collector.workplace.database import open_database


def export(target: str | None, kind: str | None, *, incremental: bool, json_: bool) -> int:
    """Exporta; sem destino, ou sem formato, valem os da configuração."""
    return run_to_end(_export(settings(), target, kind, incremental=incremental, json_=json_))


async def _export(settings: Settings, target: str | None, kind: str | None, *, incremental: bool, json_: bool) -> int:
    where = target or settings.export_place
    if not where:
        raise UsageError("Diga para onde exportar: uma pasta, ou uma URL; ou ponha-a em EXPORT_TO.")
    async with open_database(settings) as (engine, _):
        done = await exporting.export(engine, where, kind or settings.export_format, incremental=incremental)
    if json_:
        emit_json(exporting.as_json(done, where))
        return 0
    tables = plural(len(done.manifest.tabelas), "tabela ou view", "tabelas e views")
    tell(f"✔ {tables}, {plural(done.rows, 'linha', 'linhas')}, em {where}.")
    written = plural(done.written, "arquivo escrito", "arquivos escritos")
    tell(f"  {written}, {number(done.kept)} que já eram estes, {number(done.removed)} que deixaram de valer.")
    return 0
