"""Saber se é a API do Bling que atende, antes de haver com que entrar."""

import httpx2

from bling_collector.api.answers import place, read_answer, unanswered
from bling_collector.api.bling_clock import BlingClock, HeardTransport
from bling_collector.api.network import network, routes
from bling_collector.errors import BlingAuthError, BlingBodyError


async def knock(base_url: str, clock: BlingClock, path: str) -> None:
    """Pede uma linha sem autorização nenhuma. Que a API a exija é prova de que é ela quem atende; o mais é um erro."""
    wire = network(HeardTransport(routes(), clock.hear))
    async with httpx2.AsyncClient(transport=wire, base_url=base_url, timeout=10, trust_env=False) as http:
        request = http.build_request("GET", path, params={"pagina": 1, "limite": 1})
        try:
            read_answer(request, await http.send(request))
            raise BlingBodyError(
                f"{place(request)}: a resposta não é da API do Bling, que exige autorização.", status=200
            )
        except httpx2.RequestError as error:
            raise unanswered(request, error) from None
        except BlingAuthError:
            return
