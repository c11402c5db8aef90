"""O mais que se coleta a pedido: carregado, mudado e excluído, é igual ao que o Bling tem."""

from datetime import date
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock

from bling_collector.doctor import _one_row
from bling_collector.etl.listing import Shown
from bling_collector.streams.produtos.anuncios import ANUNCIOS
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

START = date(2025, 9, 1)
DAY = 86_400.0
LOGISTICS, SERVICES, ADS = "/logisticas", "/logisticas/servicos", "/anuncios"
FIELDS, NOTICES = "/campos-customizados/modulos/{modulo_id}", "/notificacoes"
SERVICE_ORDERS = "/ordens/servico"
OTHERS = (
    "logisticas_objetos",
    "logisticas",
    "logisticas_servicos",
    "produtos_componentes",
    "anuncios",
    "campos_customizados",
    "notificacoes",
    "ordens_servico",
)
pytestmark = [
    pytest.mark.bling(scale=0.02),
    pytest.mark.collector(recursos=("nfe", "pedidos_venda", "produtos", *OTHERS), extraction_lookback_days=10),
]


def the(bling: Bling, path: str) -> dict[int, Any]:
    """id → o que o Bling tem de cada registro vivo deste caminho."""
    return {id_: entry.detail for id_, entry in bling.dimensions[path].entries.items()}


async def held(account: Account, table: str, *columns: str) -> dict[Any, tuple[Any, ...]]:
    """id → as colunas de cada registro que o banco tem e não dá por excluído."""
    said = ", ".join(("id", *columns))
    found = await rows(account.engine, f"SELECT {said} FROM {table} WHERE excluida_em IS NULL AND detalhe IS NOT NULL")
    return {row[0]: tuple(row[1:]) for row in found}


async def run(account: Account, clock: FakeClock, days: int = 1, status: str = "success") -> None:
    clock.advance(days * DAY)
    result = await account.pipeline.run()
    assert result.status == status, result.message


async def collected(bling: Bling, account: Account) -> dict[int, Any]:
    """Os objetos dos volumes dos pedidos e das notas que se coletaram."""
    orders = {id_ for (id_,) in await rows(account.engine, "SELECT id FROM pedidos_venda")}
    notes = {id_ for (id_,) in await rows(account.engine, "SELECT id FROM nfe_cabecalho")}
    return {
        id_: each
        for id_, each in bling.objects.items()
        if each["pedidoVenda"]["id"] in orders or (not each["pedidoVenda"]["id"] and each["notaFiscal"]["id"] in notes)
    }


async def assert_equals(account: Account, bling: Bling) -> None:
    assert await held(account, "logisticas", "descricao", "situacao") == {
        id_: (each["descricao"], each["situacao"]) for id_, each in the(bling, LOGISTICS).items()
    }
    assert await held(account, "logisticas_servicos", "descricao", "ativo", "logistica_id") == {
        id_: (each["descricao"], each["ativo"], each["logistica"]["id"]) for id_, each in the(bling, SERVICES).items()
    }
    await assert_kits_are_equal(account, bling)
    await assert_orders_are_equal(account, bling)
    await assert_notices_are_equal(account, bling)
    await assert_fields_are_equal(account, bling)
    await assert_ads_are_equal(account, bling)
    objects = await collected(bling, account)
    assert len(objects) > 1
    assert await held(account, "logisticas_objetos", "situacao", "codigo_rastreamento") == {
        id_: (each["rastreamento"]["situacao"], each["rastreamento"]["codigo"] or None) for id_, each in objects.items()
    }


async def assert_fields_are_equal(account: Account, bling: Bling) -> None:
    assert await held(account, "campos_customizados", "modulo_id", "nome", "situacao") == {
        id_: (each["modulo"]["id"], each["nome"], each["situacao"]) for id_, each in the(bling, FIELDS).items()
    }
    options = await rows(account.engine, "SELECT campo_id, id, nome FROM campos_customizados_opcoes ORDER BY 1, ordem")
    assert options == [
        (id_, option["id"], option["nome"]) for id_, each in the(bling, FIELDS).items() for option in each["opcoes"]
    ]


async def assert_notices_are_equal(account: Account, bling: Bling) -> None:
    assert await held(account, "notificacoes", "titulo") == {
        id_: (each["titulo"],) for id_, each in the(bling, NOTICES).items() if each["dataCriacao"] >= "2025"
    }


async def assert_orders_are_equal(account: Account, bling: Bling) -> None:
    assert await held(account, "ordens_servico", "detalhe->>'descricao'") == {
        id_: (each["descricao"],) for id_, each in the(bling, SERVICE_ORDERS).items()
    }


async def assert_ads_are_equal(account: Account, bling: Bling) -> None:
    found = await held(account, "anuncios", "loja_id", "produto_id", "titulo", "situacao")
    assert found == {
        id_: (each["loja"], each["produto"]["id"], each["titulo"], each["status"])
        for id_, each in the(bling, ADS).items()
    }
    assert {situacao for *_, situacao in found.values()} == {1, 2, 3, 4}


async def assert_kits_are_equal(account: Account, bling: Bling) -> None:
    known = [id_ for (id_,) in await rows(account.engine, "SELECT id FROM produtos WHERE formato = 'E' ORDER BY id")]
    made_of = "SELECT produto_id, componente_id, quantidade FROM produtos_componentes ORDER BY produto_id, ordem"
    assert len(known) > 1
    assert await rows(account.engine, made_of) == [
        (id_, each["produto"]["id"], each["quantidade"])
        for id_ in known
        for each in bling.products[id_]["estrutura"]["componentes"]
    ]
    lacking = "SELECT componente_id FROM produtos_componentes WHERE componente_id NOT IN (SELECT id FROM produtos)"
    assert await rows(account.engine, lacking) == []


def with_a_volume(bling: Bling) -> int:
    """Uma nota nova que despacha um volume; devolve o id dele."""
    note_id = bling.issue_note()
    volume = note_id * 100 + 1
    bling.edit_note(note_id, transporte=bling.notes[note_id]["transporte"] | {"volumes": [{"id": volume}]})
    return volume


@pytest.mark.parametrize(
    "reading",
    [
        {},
        {"details_say_their_id": True, "order_objects_stay_unposted": True},
        {"default_hides_inactive": False, "channel_without_ads_answers_400": False},
    ],
)
@pytest.mark.slow
async def test_what_is_loaded_changed_and_deleted_equals_bling(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    volume = with_a_volume(bling)
    assert (await account.pipeline.run_full(START)).status == "success"
    await assert_equals(account, bling)
    assert volume in await held(account, "logisticas_objetos")
    assert await scalar(account.engine, "SELECT detalhe FROM empresa") == bling.profile
    bling.configure(fields_hide_inactive=bool(reading))
    clock.advance(DAY)
    delivered = bling.objects[volume]["rastreamento"] | {"situacao": 3, "descricao": "Entregue"}
    bling.edit_object(volume, rastreamento=delivered)
    (hidden, *_, other), (logistics, *_) = the(bling, SERVICES), the(bling, LOGISTICS)
    bling.edit_dimension(SERVICES, hidden, ativo=False)
    bling.edit_dimension(LOGISTICS, logistics, situacao="D")
    bling.delete_dimension(SERVICES, other)
    paused, retitled, removed, *_ = the(bling, ADS)
    bling.edit_dimension(ADS, paused, status=4)
    bling.edit_dimension(ADS, retitled, titulo="Outro título")
    bling.delete_dimension(ADS, removed)
    field, inactive, *_ = the(bling, FIELDS)
    bling.edit_dimension(FIELDS, field, opcoes=[{"id": 1, "nome": "Outra"}])
    bling.edit_dimension(FIELDS, inactive, situacao=0)
    *_, notice, withdrawn = the(bling, NOTICES)
    bling.edit_dimension(NOTICES, notice, titulo="CNPJ alfanumérico")
    bling.delete_dimension(NOTICES, withdrawn)
    order, cancelled, *_ = the(bling, SERVICE_ORDERS)
    bling.edit_dimension(SERVICE_ORDERS, order, numero="999", descricao="Outra")
    bling.delete_dimension(SERVICE_ORDERS, cancelled)
    kit, *_ = [id_ for (id_,) in await rows(account.engine, "SELECT id FROM produtos_estruturas")]
    structure = bling.products[kit]["estrutura"]
    bling.edit_product(kit, estrutura=structure | {"componentes": structure["componentes"][:1]})
    await run(account, clock, days=7)  # há listagens que se leem uma vez por semana
    await assert_equals(account, bling)
    bling.counters.reset()
    await run(account, clock)
    await assert_equals(account, bling)
    waiting = "SELECT count(*) FROM logisticas_objetos WHERE situacao <> 3 AND data_saida IS NOT NULL"
    if not reading:
        asked = bling.counters.requests["/logisticas/objetos/{id}"]
        assert asked == await scalar(account.engine, waiting), "o entregue já não se pergunta"


@pytest.mark.slow
async def test_a_canal_without_anuncios_is_no_flaw(account: Account, bling: Bling) -> None:
    asked = (("idLoja", "1"), ("tipoIntegracao", "LojaIntegrada"), ("situacao", "1"))
    await account.oauth.get_valid_access_token()
    assert await _one_row(account.client, ANUNCIOS, Shown("/anuncios", asked)) is None
    bling.configure(missing_scopes=frozenset({"/anuncios"}))
    assert await _one_row(account.client, ANUNCIOS, Shown("/anuncios", asked)) is not None


@pytest.mark.slow
async def test_the_composition_of_a_changed_product_is_read_again_the_same_day(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    assert (await account.pipeline.run_full(START)).status == "success"
    kit, *_ = [id_ for (id_,) in await rows(account.engine, "SELECT id FROM produtos_estruturas")]
    structure = bling.products[kit]["estrutura"]
    clock.advance(DAY)
    bling.edit_product(kit, estrutura=structure | {"componentes": structure["componentes"][:1]})
    bling.counters.reset()
    await run(account, clock, days=1)
    await assert_kits_are_equal(account, bling)
    assert [path for path in bling.counters.details if "estruturas" in path] == [f"/produtos/estruturas/{kit}"]
