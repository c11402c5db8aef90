"""`doctor`."""

from bling_collector.cli.process.running import run_to_end, settings
from bling_collector.cli.screen.terminal import emit_json, mark, tell
from bling_collector.config import Settings
from bling_collector.doctor import Finding, examine


def show(*, json_: bool) -> int:
    """Mostra os achados, um a um; devolve o código de saída do primeiro que não está bem."""
    findings = run_to_end(_examine(settings(), json_=json_))
    if json_:
        emit_json([{"nome": f.nome, "ok": f.ok, "detalhe": f.detalhe} for f in findings])
    return next((f.exit_code for f in findings if not f.ok), 0)


async def _examine(settings: Settings, *, json_: bool) -> list[Finding]:
    findings = []
    async for finding in examine(settings):
        findings.append(finding)
        if not json_:
            tell(f"{mark(finding.ok)} {finding.nome}: {finding.detalhe}")
    return findings
