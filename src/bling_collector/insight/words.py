"""As palavras da leitura: os tipos e desfechos de uma execução, e o que falhou dito das coisas de quem lê — a nota pelo
número, o cliente, o dia e o valor; e o porquê."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from bling_collector.words import day, lower_first, money, period, plural, upper_first

KINDS: Final = {
    "run": "Coleta do dia",
    "run-full": "Carga histórica",
    "retry": "Nova tentativa",
    "reconcile": "Conferência",
    "reprocess": "Reprocessamento",
}
STATUSES: Final = {"success": "Completa", "partial": "Em parte", "error": "Falhou", "running": "Em curso"}

_PLACE: Final = re.compile(r"\b(?:GET|POST) /\S*?(?: \(HTTP \d{3}\))?: ")
"""O começo dos erros da API: quem cuida do coletor o quer, e o dono dos dados não sabe o que é."""
_CLASS: Final = re.compile(r" \(\w+(?:Error|Timeout|Exception)(?:: [^()]{0,300}(?:\([^()]{0,300}\)[^()]{0,300})?)?\)")


def described(
    recurso: str,
    recurso_id: str,
    *,
    numero: str | None = None,
    dia: date | None = None,
    nome: str | None = None,
    valor: Decimal | None = None,
) -> str:
    """Nota 1234, de 26/11/2026, de Maria Souza, R$ 1.234,56; do que não se sabe, nada."""
    from bling_collector.streams.registry import named  # só quem tem o que descrever carrega os recursos

    resource = named(recurso)
    noun = resource.noun if resource is not None else recurso
    if resource is None or resource.emitted is None:
        return f"{noun} {nome}" if nome else f"{noun} {recurso_id}"
    parts = [f"{noun} {numero}" if numero else f"{noun} de número desconhecido"]
    parts += [f"de {day(dia)}"] if dia else []
    parts += [f"de {nome}"] if nome else []
    parts += [money(valor)] if valor is not None else []
    return ", ".join(parts)


def besides(stats: Mapping[str, int]) -> list[str]:
    """Das contagens de uma execução, as dos recursos que se pediram a mais: 12 pedidos de venda, 1 vendedor."""
    from bling_collector.streams.registry import named

    said = []
    for name, count in stats.items():
        if name not in ("nfes", "contatos", "produtos"):
            resource = named(name)
            noun, title = (resource.noun, resource.title) if resource is not None else (name, name)
            said.append(plural(count, lower_first(noun), lower_first(title)))
    return said


def owed_window(recurso: str, inicio: date, fim: date) -> str:
    """Notas de 01/11/2026 a 30/11/2026."""
    from bling_collector.streams.registry import named

    name, _, changes = recurso.partition(".")
    resource = named(name)
    noun = resource.title if resource is not None else name
    return f"{noun}{', o que mudou,' if changes else ''} de {period(inicio, fim)}"


def plain(error: str) -> str:
    """O erro sem o endereço pedido, o código HTTP e os nomes do programa: o que o Bling respondeu, em palavras."""
    said = _CLASS.sub("", _PLACE.sub("", error))
    return upper_first(said)
