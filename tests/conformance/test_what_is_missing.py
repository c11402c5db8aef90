"""O que o Bling deixa de escrever, ou escreve com ruído, não muda o que se guarda, seja de que recurso for."""

from decimal import Decimal
from typing import Any, Final

import pytest
from tests.conformance.test_every_resource import ALL, START, assert_equals_bling, documents, held
from tests.support.collecting import scalar
from tests.support.fakes import FakeClock

from bling_collector.etl.resource import Resource
from bling_collector.streams.registry import RESOURCES
from bling_collector.workplace.account import Account
from bling_simulator.api.dispatch import RESOURCES as SIMULATED
from bling_simulator.bling import Bling

_NOBODY: Final = {"id": 0}
_BLANK: Final[dict[str, dict[str, Any]]] = {
    "produtos": {"codigo": ""},
    "produtos_fornecedores": {"fornecedor": _NOBODY, "codigo": "", "descricao": ""},
    "produtos_lojas": {"loja": _NOBODY, "codigo": ""},
    "categorias_lojas": {"loja": _NOBODY, "codigo": "", "descricao": ""},
    "produtos_componentes": {"componentes": []},
    "produtos_lotes": {"codigoLote": "", "dataValidade": "0000-00-00"},
    "pedidos_venda": {"parcelas": [], "vendedor": _NOBODY, "numeroLoja": ""},
    "pedidos_compra": {"fornecedor": _NOBODY, "parcelas": []},
    "propostas": {"parcelas": [], "contato": _NOBODY},
    "contratos": {"contato": _NOBODY, "cobranca": {"dataBase": "0000-00-00", "contato": _NOBODY}, "descricao": ""},
    "contas_receber": {"contato": _NOBODY, "borderos": [], "vencimento": "0000-00-00"},
    "contas_pagar": {"contato": _NOBODY, "borderos": [], "vencimento": "0000-00-00"},
    "boletos": {"notaFiscal": {"numero": ""}, "contas": []},
    "logisticas_objetos": {"rastreamento": {"codigo": "", "ultimaAlteracao": "0000-00-00 00:00:00"}},
    "logisticas_remessas": {"numeroPlp": "", "dataCriacao": "0000-00-00", "objetos": []},
    "logisticas_servicos": {"logistica": _NOBODY, "codigo": ""},
    "anuncios": {"titulo": "", "produto": _NOBODY},
    "notificacoes": {"titulo": ""},
    "borderos": {"pagamentos": []},
    "ordens_producao": {"responsavel": "", "itens": []},
    "nfse": {"numeroRPS": "", "link": ""},
}
"""O que um registro de cada recurso pode não ter."""


def blank(bling: Bling) -> dict[str, Any]:
    """Põe no Bling um registro de cada um sem o que pode faltar; devolve os ids."""
    chosen: dict[str, Any] = {}
    for resource in RESOURCES:
        if resource.name in _BLANK:
            found = documents(bling, resource)
            *_, chosen[resource.name] = (id_ for id_, each in found.items() if (resource.day(each) or START) >= START)
            SIMULATED[resource.path].edit(bling, chosen[resource.name], _BLANK[resource.name])
    seller = min(id_ for id_, each in bling.sellers.items() if each["contato"]["situacao"] == "A")
    bling.edit_seller(seller, contato=bling.sellers[seller]["contato"] | {"nome": ""})
    note = bling.issue_note(situacao=1)
    bling.edit_note(note, valorNota=0, itens=[], parcelas=[])
    return chosen | {"nfe": note, "vendedores": seller}


pytestmark = [
    pytest.mark.bling(scale=0.02, what_is_empty_is_absent=True, money_has_float_noise=True),
    pytest.mark.collector(recursos=ALL, extraction_lookback_days=10),
    pytest.mark.loaded(START, before=blank),
]


@pytest.mark.slow
async def test_what_is_absent_or_noisy_is_read_as_what_it_is(
    account: Account, bling: Bling, changed: dict[str, Any]
) -> None:
    bling.configure(what_is_empty_is_absent=False, money_has_float_noise=False)
    wrong, lost = [], set()
    for resource in RESOURCES:
        try:
            await assert_equals_bling(account, bling, resource)
            if resource.snapshot is None:
                await assert_children_equal_bling(account, bling, resource)
            if resource.name in changed and not any(
                row["id"] == changed[resource.name] for row in await held(account, resource.table)
            ):
                lost.add(resource.name)
        except AssertionError as error:
            wrong.append(f"{resource.name}: {str(error)[:600]}")
    assert not wrong, "\n".join(wrong)
    assert not lost, f"destes não se guardou o registro a que falta o que pode faltar: {lost}"


@pytest.mark.slow
async def test_a_vendedor_without_a_name_has_the_one_of_the_contato(
    account: Account, bling: Bling, clock: FakeClock, changed: dict[str, Any]
) -> None:
    seller = bling.sellers[changed["vendedores"]]
    contato = seller["contato"]["id"]
    named = "SELECT nome FROM vendedores WHERE id = :id"
    known = "SELECT nome FROM contatos WHERE id = :id"
    nome = await scalar(account.engine, known, id=contato)
    assert nome
    assert await scalar(account.engine, named, id=seller["id"]) == nome
    clock.advance(86_400)
    bling.edit_contact(contato, nome="Outro Nome")
    bling.edit_seller(seller["id"], contato=seller["contato"] | {"nome": ""})  # o nome do contato é também o dele
    assert (await account.pipeline.run()).status == "success"
    assert await scalar(account.engine, named, id=seller["id"]) == "Outro Nome"
    bling.edit_seller(seller["id"], descontoLimite=7)
    await account.pipeline.sync("vendedor", seller["id"])
    assert await scalar(account.engine, named, id=seller["id"]) == "Outro Nome"
    assert (await account.pipeline.reprocess()).status == "success"
    assert await scalar(account.engine, named, id=seller["id"]) == "Outro Nome"


async def assert_children_equal_bling(account: Account, bling: Bling, resource: Resource) -> None:
    """As linhas das tabelas filhas, no que o documento diz delas."""
    truth = documents(bling, resource)
    ids = {row["id"] for row in await held(account, resource.table)} & truth.keys()
    for child in resource.children:
        stored = await held(account, child.table)
        for id_ in ids:
            expected = resource.rows(truth[id_])[child.table]
            names = expected[0].keys() if expected else ()
            same = [{name: row[name] for name in names} for row in stored if row[child.parent] == id_]
            assert sorted(map(_said, same)) == sorted(map(_said, expected)), (child.table.name, id_)


def _said(row: dict[str, Any]) -> str:
    return repr({name: value.normalize() if isinstance(value, Decimal) else value for name, value in row.items()})
