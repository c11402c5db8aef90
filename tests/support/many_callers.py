"""Muitas tarefas que querem o token, num processo só delas.

`python -m tests.support.many_callers API BANCO AGORA TAREFAS`.
Escreve `pronto`, espera uma linha na entrada e escreve uma lista JSON: o token que cada tarefa recebeu, ou o erro.
Metade delas acha que o Bling recusou o token que está guardado.
"""

import asyncio
import json
import sys
from datetime import datetime

from tests.support.collecting import collector_settings
from tests.support.fakes import FakeClock

from bling_collector.auth.tokens import Token
from bling_collector.config import Secret
from bling_collector.workplace.account import open_account


async def main(api_url: str, database_url: str, now: str, tasks: str) -> list[str]:
    settings = collector_settings(api_url, Secret(database_url))
    async with open_account(settings, clock=FakeClock(datetime.fromisoformat(now))) as account:
        print("pronto", flush=True)  # noqa: T201 — é a resposta deste comando
        rejected = Token((await asyncio.to_thread(sys.stdin.readline)).strip(), "", account.clock.now())
        asked = [
            account.oauth.renew_after_401(rejected) if number % 2 else account.oauth.get_valid_access_token()
            for number in range(int(tasks))
        ]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return [each.access_token if isinstance(each, Token) else repr(each) for each in answers]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))), flush=True)  # noqa: T201 — é a resposta deste comando
