"""Depósitos, canais de venda, naturezas de operação, grupos de produtos e tipos de contato."""

from bling_simulator.api.dimensoes.kept import contains, kept
from bling_simulator.api.query import Query
from bling_simulator.bling import Bling
from bling_simulator.payload import Json


def _deposito(bling: Bling, query: Query, deposit: Json) -> bool:
    """Sem `situacao`, só os ativos (referência)."""
    del bling
    situacao = query.choice("situacao", range(2), default=1)
    return bool(deposit["situacao"] == situacao) and contains(query, "descricao", deposit["descricao"])


def _canal(bling: Bling, query: Query, channel: Json) -> bool:
    """`agrupador` não separa nada: que tipos são de cada um não está escrito."""
    query.choice("agrupador", range(1, 5))
    situacao = query.choice("situacao", range(1, 3), default=1 if bling.settings.default_hides_inactive else None)
    tipos = query.many("tipos[]")
    return situacao in {None, channel["situacao"]} and (not tipos or channel["tipo"] in tipos)


def _natureza(bling: Bling, query: Query, nature: Json) -> bool:
    situacao = query.choice("situacao", range(2), default=1 if bling.settings.default_hides_inactive else None)
    return situacao in {None, nature["situacao"]} and contains(query, "descricao", nature["descricao"])


def _grupo(bling: Bling, query: Query, group: Json) -> bool:
    del bling
    return contains(query, "nome", group["nome"]) and contains(query, "nomePai", group["grupoProdutoPai"]["nome"])


def _tipo(bling: Bling, query: Query, kind: Json) -> bool:
    del bling, query, kind  # a listagem não tem filtro nenhum
    return True


DEPOSITOS = kept("/depositos", _deposito)
CANAIS_VENDA = kept("/canais-venda", _canal, only_in_detail=("filiais",))
NATUREZAS_OPERACOES = kept("/naturezas-operacoes", _natureza, alone=False)
GRUPOS_PRODUTOS = kept("/grupos-produtos", _grupo)
TIPOS_CONTATO = kept("/contatos/tipos", _tipo, alone=False, paged=False)
