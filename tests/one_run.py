"""Uma execução num processo só dela: `python -m tests.one_run URL_DA_API URL_DO_BANCO AGORA [DATA_INICIO]`.

Escreve `pronto`, espera uma linha na entrada, executa e escreve o resultado, uma linha de JSON.
"""

import asyncio
import json
import sys
from datetime import date, datetime

from pydantic import SecretStr
from tests.collecting import collector_settings
from tests.fakes import FakeClock

from bling_collector.bootstrap import open_app
from bling_collector.errors import CollectorError


async def main(api_url: str, database_url: str, now: str, inicio: str | None = None) -> dict[str, object]:
    settings = collector_settings(api_url, SecretStr(database_url))
    async with open_app(settings, clock=FakeClock(datetime.fromisoformat(now))) as app:
        print("pronto", flush=True)  # noqa: T201 — é a resposta deste comando
        await asyncio.to_thread(sys.stdin.readline)
        try:
            result = await (app.pipeline.run_full(date.fromisoformat(inicio)) if inicio else app.pipeline.run())
        except CollectorError as error:
            return {"error": type(error).__name__, "message": str(error)}
        return {"status": result.status, "message": result.message}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))), flush=True)  # noqa: T201 — é a resposta deste comando
