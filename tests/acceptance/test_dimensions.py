"""Os cadastros pequenos: o que se cita e não há, o que só a listagem diz, o que não tem páginas."""

import asyncio
from datetime import date
from decimal import Decimal

import pytest
from tests.support.collecting import rows, scalar, until
from tests.support.fakes import FakeClock
from tests.support.proving import execute

from bling_collector.api.transport import ATTEMPTS
from bling_collector.etl.strategies.again import UnknownObjectError
from bling_collector.insight.proof.reconciliation import Side, WholeCheck
from bling_collector.insight.recursos import differs, load_others
from bling_collector.payload import digest
from bling_collector.streams.cadastros.depositos import DEPOSITOS
from bling_collector.streams.produtos.produtos_lojas import PRODUTOS_LOJAS
from bling_collector.workplace.account import Account
from bling_simulator.api.dispatch import RESOURCES as SIMULATED
from bling_simulator.bling import Bling

START = date(2025, 12, 1)
DAY = 86_400.0
SALE = 15_102_000_005
NATURES, CHANNELS, ACCOUNTS = "/naturezas-operacoes", "/canais-venda", "/contas-contabeis"
STATUSES = "/situacoes/modulos/{modulo_id}"
pytestmark = [
    pytest.mark.bling(scale=0.02),
    pytest.mark.collector(
        recursos=(
            *("nfe", "produtos", "pedidos_venda", "vendedores", "depositos", "canais_venda", "naturezas_operacao"),
            *("tipos_contato", "grupos_produto", "contas_financeiras", "categorias_financeiras"),
            *("situacoes_modulos", "situacoes", "produtos_fornecedores", "produtos_lojas"),
        ),
        extraction_lookback_days=10,
    ),
]


async def run(account: Account, clock: FakeClock, status: str = "success", *, days: int = 1) -> str:
    clock.advance(days * DAY)
    result = await account.pipeline.run()
    assert result.status == status, result.message
    return str(result.message)


async def owed(account: Account, recurso: str) -> list[str]:
    return [
        id_
        for (id_,) in await rows(
            account.engine, f"SELECT recurso_id FROM pendencias WHERE recurso = '{recurso}' ORDER BY 1"
        )
    ]


@pytest.mark.slow
async def test_what_is_cited_and_cannot_be_asked_alone_is_known_not_to_exist(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    gone = bling.dimensions[NATURES].entries[SALE].detail
    bling.delete_dimension(NATURES, SALE)
    await account.pipeline.run_full(START)
    said = f"SELECT descricao, detalhe IS NULL, nao_encontrado_em IS NOT NULL FROM naturezas_operacao WHERE id = {SALE}"
    assert await rows(account.engine, said) == [(None, True, True)]
    asked = bling.counters.requests
    assert asked[f"{NATURES}/{{id}}"] == 0
    await run(account, clock)
    assert await rows(account.engine, said) == [(None, True, True)]
    bling.add_dimension(NATURES, **gone)
    await run(account, clock)
    assert await rows(account.engine, said) == [("Venda de mercadorias", False, False)]
    assert asked[f"{NATURES}/{{id}}"] == 0


@pytest.mark.slow
async def test_what_is_cited_and_not_listed_is_asked_once_a_week(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    newest = next(order for order in reversed([*bling.orders.values()]) if order["loja"]["id"])
    shop = newest["loja"]["id"]
    bling.delete_dimension(CHANNELS, shop)
    await account.pipeline.run_full(date.fromisoformat(newest["data"]))
    unknown = "SELECT id FROM canais_venda WHERE detalhe IS NULL AND nao_encontrado_em IS NOT NULL"
    assert await rows(account.engine, unknown) == [(shop,)]
    bling.counters.reset()
    clock.advance(7 * DAY)
    await run(account, clock)
    living = sum(entry.detail["situacao"] == 1 for entry in bling.dimensions[CHANNELS].entries.values())
    assert bling.counters.requests[f"{CHANNELS}/{{id}}"] == living + 1, "as filiais só no detalhe; e o que não havia"


async def test_one_alone_comes_from_the_list(account: Account, bling: Bling, clock: FakeClock) -> None:
    assert await account.pipeline.sync("naturezas_operacao", SALE) == "criado"
    assert await account.pipeline.sync("natureza_operacao", SALE) == "igual"
    bling.edit_dimension(NATURES, SALE, descricao="Venda")
    assert await account.pipeline.sync("natureza_operacao", SALE) == "atualizado"
    assert await scalar(account.engine, f"SELECT resumo_lista FROM naturezas_operacao WHERE id = {SALE}") == digest(
        bling.dimensions[NATURES].entries[SALE].detail
    )
    with pytest.raises(UnknownObjectError):
        await account.pipeline.sync("natureza_operacao", 7)
    assert bling.counters.requests[f"{NATURES}/{{id}}"] == 0


@pytest.mark.slow
async def test_what_is_owed_is_retried_where_it_is_listed(account: Account, bling: Bling, clock: FakeClock) -> None:
    bling.garbled[NATURES, SALE] = {"descricao": {"veio": "outra coisa"}}
    bling.garbled[NATURES, SALE + 1] = {"descricao": {"veio": "outra coisa"}}
    assert (await account.pipeline.run_full(START)).status == "partial"
    assert await owed(account, "naturezas_operacao") == [str(SALE), str(SALE + 1)]
    bling.garbled.clear()
    bling.delete_dimension(NATURES, SALE + 1)
    clock.advance(DAY)
    await account.pipeline.retry()
    assert await owed(account, "naturezas_operacao") == []
    assert await rows(
        account.engine, "SELECT descricao, nao_encontrado_em FROM naturezas_operacao ORDER BY id LIMIT 1"
    ) == [("Compra de mercadorias", None)]
    assert await scalar(account.engine, f"SELECT descricao FROM naturezas_operacao WHERE id = {SALE}") == (
        "Venda de mercadorias"
    )


@pytest.mark.slow
async def test_what_only_the_list_tells_is_not_lost_by_asking_for_one(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    told = "SELECT situacao, count(*) FROM contas_financeiras GROUP BY 1 ORDER BY 1"
    assert await rows(account.engine, told) == [(1, 4), (2, 1), (3, 1), (4, 1)]
    chosen = min(id_ for id_, each in bling.dimensions[ACCOUNTS].entries.items() if each.detail["situacao"] == 2)
    assert await account.pipeline.sync("conta_financeira", chosen) == "igual"
    bling.edit_dimension(ACCOUNTS, chosen, descricao="Outra")
    assert await account.pipeline.sync("conta_financeira", chosen) == "atualizado"
    assert await rows(account.engine, told) == [(1, 4), (2, 1), (3, 1), (4, 1)]
    bling.edit_dimension(ACCOUNTS, chosen, situacao=4)
    await run(account, clock, days=7)  # as que não são ativas leem-se uma vez por semana
    assert await rows(account.engine, told) == [(1, 4), (3, 1), (4, 2)]
    assert bling.counters.requests[f"{ACCOUNTS}/{{id}}"] == 0


@pytest.mark.collector(recursos=("contas_financeiras", "categorias_financeiras"))
@pytest.mark.slow
async def test_what_a_filter_tells_does_not_depend_on_which_answer_comes_first(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    told = "SELECT situacao, count(*) FROM contas_financeiras GROUP BY 1 ORDER BY 1"
    expected = [(1, 4), (2, 1), (3, 1), (4, 1)]
    held = bling.fail(f"^{ACCOUNTS}$", "hold", query="situacoes=1")
    running = asyncio.ensure_future(account.pipeline.run_full(START))

    async def the_others_came() -> bool:
        return bling.counters.requests[ACCOUNTS] >= 9  # as outras quatro até a página vazia, e a que se segura

    await until(the_others_came)
    bling.faults.remove(held)
    await running
    assert await rows(account.engine, told) == expected
    bling.fail(f"^{ACCOUNTS}$", "server_error", query="situacoes=1")
    entries = bling.dimensions[ACCOUNTS].entries
    chosen = min(id_ for id_, each in entries.items() if each.detail["situacao"] == 1)
    bling.edit_dimension(ACCOUNTS, chosen, descricao="Outra")
    await run(account, clock, "partial", days=7)  # nos outros dias só se lê a das ativas
    assert await rows(account.engine, told) == expected, "a listagem que a diria não veio: fica a que se tinha"
    assert await scalar(account.engine, f"SELECT descricao FROM contas_financeiras WHERE id = {chosen}") == "Outra"
    bling.faults.clear()
    bling.edit_dimension(ACCOUNTS, chosen, situacao=3)
    await run(account, clock)
    assert await rows(account.engine, told) == [(1, 3), (2, 1), (3, 2), (4, 1)]
    bling.add_dimension(ACCOUNTS, **{**entries[chosen].detail, "id": None, "descricao": "Nova", "situacao": 1})
    await run(account, clock)
    assert await rows(account.engine, told) == [(1, 4), (2, 1), (3, 2), (4, 1)], "de uma nova, todas o dizem"
    bling.configure(status_filters_are_ignored=True)
    await run(account, clock)
    assert await rows(account.engine, told) == [(None, 8)], "de um filtro que o Bling não lê nada se sabe"
    assert await rows(account.engine, "SELECT DISTINCT situacao FROM categorias_financeiras") == [(None,)]


@pytest.mark.collector(recursos=("depositos", "contas_financeiras", "contas_pagar"))
@pytest.mark.slow
async def test_what_is_read_whole_is_proved_whole(account: Account, bling: Bling, clock: FakeClock) -> None:
    path = "/depositos"
    broken = min(bling.dimensions[path].entries)
    bling.garbled[path, broken] = {"descricao": {"veio": "outra coisa"}}
    clock.advance_to_its_day(DEPOSITOS.permission)
    await account.pipeline.run_full(START)

    async def proved() -> dict[str, WholeCheck | None]:
        others = await load_others(account.engine, account.settings.recursos, clock.now())
        return {each.recurso: each.inteira for each in others}

    first = await proved()
    stores, moneys, bills = (first[name] for name in ("depositos", "contas_financeiras", "contas_pagar"))
    assert stores is not None
    assert moneys is not None
    assert bills is not None
    total = len(bling.dimensions[path].entries)
    assert (stores.no_bling.total, stores.no_banco.total) == (total, total - 1)
    assert (stores.faltam, stores.sobram, stores.igual) == ([str(broken)], [], False)
    assert moneys.igual
    assert moneys.no_bling == moneys.no_banco == Side(7, {"1": 4, "2": 1, "3": 1, "4": 1})
    assert bills.igual
    assert bills.no_bling.total == await scalar(account.engine, "SELECT count(*) FROM contas_pagar")
    bling.garbled.clear()
    await run(account, clock)
    again = (await proved())["depositos"]
    assert again
    assert again.conferida_em == stores.conferida_em, "nos outros dias não se lê até a página vazia"
    await run(account, clock, days=7)
    weekly = (await proved())["depositos"]
    assert weekly
    assert (weekly.igual, weekly.no_banco.total) == (True, total)


@pytest.mark.collector(recursos=("depositos", "contas_financeiras", "contas_pagar"))
async def test_a_reconciliation_reads_whole_what_has_no_date(account: Account, bling: Bling, clock: FakeClock) -> None:
    await account.pipeline.run_full(START)
    assert (await account.pipeline.reconcile()).status == "success"
    conta, store = min(bling.payables), min(bling.dimensions["/depositos"].entries)
    hidden = max(bling.dimensions["/contas-contabeis"].entries)
    await execute(
        account.engine, f"DELETE FROM contas_pagar WHERE id = {conta}", f"DELETE FROM depositos WHERE id = {store}"
    )
    bling.unlisted.add(("/contas-contabeis", hidden))
    changed, renamed = max(bling.payables), max(bling.dimensions["/depositos"].entries)
    for path, id_, change in (
        ("/contas/pagar", changed, {"valor": Decimal(4321)}),
        ("/depositos", renamed, {"descricao": "Outro"}),
    ):
        SIMULATED[path].edit(bling, id_, change)
    found = await account.pipeline.reconcile()
    assert found.status == "partial"
    assert found.found.ids == {
        "faltavam": [f"contas_pagar/{conta}", f"depositos/{store}"],
        "mudaram": [f"contas_pagar/{changed}", f"depositos/{renamed}"],
        "sumiram": [f"contas_financeiras/{hidden}"],
    }
    told = "SELECT recurso, diferem FROM conferencias_inteiras WHERE diferem <> '{}' ORDER BY 1"
    assert await rows(account.engine, told) == [("contas_pagar", [str(changed)]), ("depositos", [str(renamed)])]
    others = await load_others(account.engine, account.settings.recursos, account.clock.now())
    assert all(map(differs, others))
    assert await scalar(account.engine, f"SELECT count(*) FROM depositos WHERE id = {store}") == 0, "nada se busca"
    bling.unlisted.clear()
    await run(account, clock)
    others = await load_others(account.engine, account.settings.recursos, account.clock.now())
    assert not any(map(differs, others)), "a execução seguinte repara-o, e di-lo"
    assert await scalar(account.engine, f"SELECT valor FROM contas_pagar WHERE id = {changed}") == 4321
    assert (await account.pipeline.reconcile()).status == "success"
    month = await account.pipeline.reconcile(START, START)
    assert month.requisicoes < 10, "num período não entra o que não tem data"


@pytest.mark.slow
async def test_a_parent_no_list_shows_is_asked_for(account: Account, bling: Bling, clock: FakeClock) -> None:
    path, categories = "/categorias/receitas-despesas", bling.dimensions["/categorias/receitas-despesas"].entries
    parent = next(entry.detail["idCategoriaPai"] for entry in categories.values() if entry.detail["idCategoriaPai"])
    bling.unlisted.add((path, parent))
    await account.pipeline.run_full(START)
    said = f"SELECT situacao, excluida_em IS NULL FROM categorias_financeiras WHERE id = {parent}"
    assert await rows(account.engine, said) == [(1, True)]
    await run(account, clock)
    assert await rows(account.engine, said) == [(1, False)], "responde, mas nenhuma listagem a mostra"
    assert bling.counters.requests[f"{path}/{{id}}"] == 1


@pytest.mark.slow
async def test_the_statuses_come_from_every_module_and_know_theirs(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    told = "SELECT modulo_id, count(*) FROM situacoes WHERE excluida_em IS NULL GROUP BY 1 ORDER BY 1"
    assert await rows(account.engine, told) == [(98310, 9), (98311, 6)]
    bling.delete_dimension("/situacoes/modulos", 98311)
    await run(account, clock, days=7)
    assert await rows(account.engine, told) == [(98310, 9)]
    assert bling.counters.requests["/situacoes/{id}"] == 0


@pytest.mark.slow
async def test_a_module_whose_list_is_not_found_does_not_stop_the_others(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    bling.edit_dimension(STATUSES, 6, nome="Aberto")
    bling.edit_dimension(STATUSES, 18_158, nome="Aberta")
    bling.fail("^/situacoes/modulos/98310$", "body", status=404, body='{"error": {"type": "RESOURCE_NOT_FOUND"}}')
    assert "situações" in await run(account, clock, "partial", days=7)
    assert await rows(account.engine, "SELECT id, nome FROM situacoes WHERE id IN (6, 18158) ORDER BY id") == [
        (6, "Em aberto"),
        (18_158, "Aberta"),
    ]
    assert await scalar(account.engine, "SELECT count(*) FROM situacoes WHERE excluida_em IS NULL") == 15


@pytest.mark.slow
async def test_a_status_no_module_lists_is_asked_for_by_itself(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    *_, second, last = sorted(bling.orders)
    bling.unlisted.add((STATUSES, 6))
    bling.edit_order(second, situacao={"id": 6})
    bling.edit_order(last, situacao={"id": 777})
    assert (await account.pipeline.run_full(START)).status == "success"
    asked = "SELECT id, nome, modulo_id, nao_encontrado_em IS NULL FROM situacoes WHERE id IN (6, 777) ORDER BY id"
    assert await rows(account.engine, asked) == [(6, "Em aberto", None, True), (777, None, None, False)]
    bling.counters.reset()
    bling.unlisted.clear()
    await run(account, clock, days=7)
    assert await rows(account.engine, asked) == [(6, "Em aberto", 98310, True), (777, None, None, False)]
    assert bling.counters.requests["/situacoes/{id}"] == 1, "a que não há, uma vez por semana"


@pytest.mark.collector(recursos=("situacoes",))
async def test_who_asks_for_the_statuses_asks_for_the_modules(account: Account, bling: Bling) -> None:
    await account.pipeline.run_full(START)
    assert await scalar(account.engine, "SELECT count(*) FROM situacoes") == 15


@pytest.mark.slow
async def test_each_cost_is_kept_with_the_day_it_began(account: Account, bling: Bling, clock: FakeClock) -> None:
    path, costs = "/produtos/fornecedores", "produtos_fornecedores_custos"
    chosen, other, *_ = bling.dimensions[path].entries
    await account.pipeline.run_full(START)
    total = len(bling.dimensions[path].entries)
    assert await scalar(account.engine, f"SELECT count(*) FROM {costs}") == total
    before = bling.dimensions[path].entries[chosen].detail["precoCusto"]
    bling.edit_dimension(path, chosen, precoCusto=before + 1)
    bling.edit_dimension(path, other, descricao="Outra")
    await run(account, clock)
    bling.edit_dimension(path, chosen, precoCusto=before)
    await run(account, clock)
    await run(account, clock)
    assert (await account.pipeline.reprocess()).status == "success"
    kept = f"SELECT preco_custo FROM {costs} WHERE produto_fornecedor_id = {chosen} ORDER BY valido_desde"
    assert await rows(account.engine, kept) == [(before,), (before + 1,), (before,)]
    assert await scalar(account.engine, f"SELECT count(*) FROM {costs}") == total + 2
    assert await scalar(account.engine, f"SELECT count(DISTINCT valido_desde::date) FROM {costs}") == 3
    since = (
        f"SELECT count(*) FROM produtos_fornecedores p WHERE valido_desde = (SELECT max(c.valido_desde) FROM {costs} c"
    )
    assert await scalar(account.engine, f"{since} WHERE c.produto_fornecedor_id = p.id)") == total


@pytest.mark.slow
async def test_what_sells_elsewhere_is_listed_whole_once_a_week(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    path = "/produtos/lojas"
    chosen, removed, *_ = bling.dimensions[path].entries
    clock.advance_to_its_day(PRODUTOS_LOJAS.permission)
    await account.pipeline.run_full(START)
    gone = "SELECT id FROM produtos_lojas WHERE excluida_em IS NOT NULL"
    clock.advance(DAY)
    bling.edit_dimension(path, chosen, preco=77)
    bling.delete_dimension(path, removed)
    await run(account, clock)
    assert await scalar(account.engine, f"SELECT preco FROM produtos_lojas WHERE id = {chosen}") == 77
    assert await rows(account.engine, gone) == []
    clock.advance(6 * DAY)
    await run(account, clock)
    assert await rows(account.engine, gone) == [(removed,)]


@pytest.mark.parametrize("failures", [ATTEMPTS, 1000])
@pytest.mark.slow
async def test_a_list_without_pages_is_not_narrowed(
    account: Account, bling: Bling, clock: FakeClock, failures: int
) -> None:
    rule = bling.fail("^/contatos/tipos$", "server_error", times=failures)
    await account.pipeline.run_full(START)
    assert bling.counters.requests["/contatos/tipos"] < 5 * ATTEMPTS
    assert await scalar(account.engine, "SELECT count(*) FROM depositos") == 5, "os outros não dependem dela"
    bling.faults.remove(rule)
    await run(account, clock)
    assert await scalar(account.engine, "SELECT count(*) FROM tipos_contato") == 4


@pytest.mark.collector(api_page_size=3)
@pytest.mark.slow
async def test_lists_of_many_pages(account: Account, bling: Bling) -> None:
    await account.pipeline.run_full(START)
    for table, path in (("naturezas_operacao", NATURES), ("depositos", "/depositos")):
        held = await rows(account.engine, f"SELECT id FROM {table} ORDER BY id")
        assert [id_ for (id_,) in held] == sorted(bling.dimensions[path].entries)


@pytest.mark.slow
@pytest.mark.parametrize("hides", [True, False])
async def test_what_the_default_hides_is_collected(account: Account, bling: Bling, *, hides: bool) -> None:
    bling.configure(default_hides_inactive=hides)
    await account.pipeline.run_full(START)
    for table, inactive in (("depositos", 2), ("naturezas_operacao", 2)):
        assert await scalar(account.engine, f"SELECT count(*) FROM {table} WHERE situacao = 0") == inactive
    assert await scalar(account.engine, "SELECT count(*) FROM canais_venda WHERE situacao = 2") == 1
    assert (
        await scalar(account.engine, "SELECT count(*) FROM canais_venda_filiais WHERE unidade_negocio = 'Matriz'") == 4
    )
