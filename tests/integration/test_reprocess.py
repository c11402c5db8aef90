"""Do que já se tem: depois de qualquer vandalismo, cada linha derivada volta a ser a de uma carga nova."""

import asyncio
from datetime import date

import pytest
from tests.support.collecting import rows, scalar
from tests.support.fakes import FakeClock
from tests.support.proving import DAY, DERIVED, START, at, execute, outgoing, snapshot
from tests.support.truth import assert_equals_truth

from bling_collector.errors import UsageError
from bling_collector.etl import reprocess as reprocessing
from bling_collector.etl.progress import Progress
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling

VANDALISM = (
    """UPDATE nfe_cabecalho SET numero = '0', data_emissao = data_emissao + interval '1 day', situacao = 3,
       contato_id = 1, contato_nome = 'x', contato_documento = 'x', contato_municipio = 'x', contato_uf = 'x',
       total_produtos = 1, total_nota = 1, total_descontos = 1, tipo = 0, serie = 99, chave_acesso = 'x',
       data_operacao = NULL, natureza_operacao_id = 1, loja_id = 1, loja_numero = 'x', numero_pedido_loja = 'x',
       vendedor_id = 1, finalidade = 9, valor_frete = 1, link_xml = 'x', link_danfe = NULL, link_pdf = 'x'""",
    "DELETE FROM nfe_itens WHERE id % 3 = 0",
    "UPDATE nfe_itens SET quantidade = quantidade + 1, ordem = 99, descricao_produto = NULL WHERE id % 3 = 1",
    "INSERT INTO nfe_itens (nfe_id, codigo_produto, valor_total) SELECT max(id), 'INVENTADO', 1 FROM nfe_cabecalho",
    "DELETE FROM nfe_pagamentos WHERE id % 3 = 0",
    "UPDATE nfe_pagamentos SET tipo_pagamento = 99, valor = 0, numero_parcela = 9 WHERE id % 3 = 1",
    """UPDATE contatos SET nome = 'x', documento = 'x', email = 'x', tipo_pessoa = 'X', municipio = 'x', uf = 'XX',
       codigo = 'x', fantasia = 'x', situacao = 'X', telefone = 'x', celular = 'x'""",
    """UPDATE produtos SET codigo = 'X' || id, nome = 'x', preco_venda = 0, preco_custo = 0, tipo = 'X', situacao = 'X',
       formato = 'X', produto_pai_id = 1, preferido = false, categoria_descricao = 'x'""",
    "UPDATE formas_pagamento SET descricao = 'x', tipo_pagamento = 99, situacao = 9",
)
"""Toda coluna que vem do JSON guardado."""


@pytest.mark.loaded(START)
async def test_each_row_is_again_the_one_of_a_new_load(account: Account, bling: Bling) -> None:
    fresh = await snapshot(account.engine)
    await execute(account.engine, *VANDALISM)
    vandalised = await snapshot(account.engine)
    assert all(vandalised[table] != fresh[table] for table in DERIVED)
    bling.counters.reset()
    seen: list[tuple[str, int, int]] = []

    def watch(progress: Progress) -> None:
        seen.append((progress.fase, progress.feitos, progress.total))

    result = await account.pipeline.reprocess(sink=watch)
    assert (result.status, result.exit_code, result.message) == ("success", 0, None)
    assert (bling.counters.total, result.requisicoes) == (0, 0)
    again = await snapshot(account.engine)
    for table, lines in fresh.items():
        assert table == "execucao_log" or again[table] == lines, table
    total = len(outgoing(bling))
    assert ("Refazendo: notas", total, total) in seen
    assert result.stats["nfes"] == total
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_the_noise_a_former_version_kept_goes_away(account: Account, bling: Bling) -> None:
    place = "{itens,0,valorTotal}"
    await execute(
        account.engine,
        f"""UPDATE nfe_cabecalho SET total_nota = CAST(total_nota AS real)::double precision, detalhe =
            jsonb_set(jsonb_set(detalhe, '{{valorNota}}', to_jsonb(CAST(total_nota AS real)::double precision)),
                      '{place}', to_jsonb((detalhe #>> '{place}')::real::double precision))""",
        """UPDATE nfe_itens SET valor_total = CAST(valor_total AS real)::double precision,
           valor_unitario = CAST(valor_unitario AS real)::double precision""",
    )
    with pytest.raises(AssertionError):
        await assert_equals_truth(account.engine, bling)
    assert (await account.pipeline.reprocess()).status == "success"
    await assert_equals_truth(account.engine, bling)


@pytest.mark.slow
async def test_a_deleted_contato_comes_back_as_the_notas_bring_it(account: Account, bling: Bling) -> None:
    await account.pipeline.run()
    person = await scalar(account.engine, "SELECT contato_id FROM nfe_cabecalho WHERE contato_id IS NOT NULL LIMIT 1")
    await execute(account.engine, "DELETE FROM contatos WHERE id = :p", p=person)
    await account.pipeline.reprocess()
    name = "SELECT c.nome, n.contato_nome FROM contatos c JOIN nfe_cabecalho n ON n.contato_id = c.id WHERE c.id = :p"
    assert {mine == theirs for mine, theirs in await rows(account.engine, name, p=person)} == {True}
    await account.pipeline.run()
    assert await scalar(account.engine, "SELECT detalhe IS NOT NULL FROM contatos WHERE id = :p", p=person)


@pytest.mark.slow
async def test_what_does_not_come_from_the_json_stays_as_it_is(account: Account, bling: Bling) -> None:
    """A exclusão, o 404 de um contato, a impressão da listagem e a hora da extração não se refazem."""
    await account.pipeline.run()
    await execute(
        account.engine,
        "UPDATE nfe_cabecalho SET excluida_em = now(), resumo_lista = 'r', total_nota = 0",
        "UPDATE contatos SET nao_encontrado_em = now(), excluida_em = now(), nome = 'x'",
    )
    kept = "SELECT id, excluida_em, extraido_em, resumo_lista FROM nfe_cabecalho ORDER BY id"
    kept_contatos = "SELECT id, excluida_em, nao_encontrado_em, extraido_em FROM contatos ORDER BY id"
    before = await rows(account.engine, kept), await rows(account.engine, kept_contatos)
    await account.pipeline.reprocess()
    assert (await rows(account.engine, kept), await rows(account.engine, kept_contatos)) == before
    assert await rows(account.engine, "SELECT 1 FROM nfe_cabecalho WHERE total_nota = 0") == []
    assert await rows(account.engine, "SELECT 1 FROM contatos WHERE nome = 'x' AND detalhe IS NOT NULL") == []


@pytest.mark.slow
async def test_only_the_period(account: Account, bling: Bling) -> None:
    for moment in ("2024-01-31 23:59:59", "2024-02-01 00:00:00", "2024-02-29 23:59:59", "2024-03-01 00:00:00"):
        bling.issue_note(emitted_at=at(moment))
    await account.pipeline.run(date(2024, 1, 31), date(2024, 3, 1))
    await execute(account.engine, "UPDATE nfe_cabecalho SET contato_nome = 'x'")
    await account.pipeline.reprocess(date(2024, 2, 1), date(2024, 2, 29))
    left = await rows(
        account.engine,
        "SELECT data_emissao::text FROM nfe_cabecalho WHERE contato_nome = 'x' ORDER BY 1",
    )
    assert {"2024-01-31 23:59:59", "2024-03-01 00:00:00"} <= {moment for (moment,) in left}
    assert not {"2024-02-01 00:00:00", "2024-02-29 23:59:59"} & {moment for (moment,) in left}


async def _interrupted(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Um reprocessamento parado depois do primeiro lote, de dez notas."""
    monkeypatch.setattr(reprocessing, "PORTION", 10)
    stop = asyncio.Event()
    result = await account.pipeline.reprocess(
        stop=stop, sink=lambda p: stop.set() if p.fase == "Refazendo: notas" else None
    )
    assert (result.status, result.exit_code, result.stats["nfes"]) == ("partial", 1, 10)


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_stopped_it_goes_on_from_where_it_was(
    account: Account, bling: Bling, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = await snapshot(account.engine, DERIVED)
    await execute(account.engine, *VANDALISM)
    await _interrupted(account, monkeypatch)
    result = await account.pipeline.reprocess()
    assert (result.status, result.stats["nfes"]) == ("success", len(outgoing(bling)) - 10)
    assert await snapshot(account.engine, DERIVED) == fresh
    again = await account.pipeline.reprocess()
    assert again.stats["nfes"] == len(outgoing(bling)), "terminado, o seguinte recomeça"


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_killed_it_goes_on_from_where_it_was(account: Account, bling: Bling) -> None:
    """Como um kill -9 deixa: `running`, com o último lote confirmado."""
    ids = sorted(outgoing(bling))
    await execute(
        account.engine,
        "INSERT INTO etl_controle (tipo, inicio, status, cursor) VALUES ('reprocess', :now, 'running', :cursor)",
        now=account.clock.now(),
        cursor=ids[29],
    )
    assert (await account.pipeline.reprocess(START)).stats["nfes"] == len(ids), "outro período não continua este"
    await execute(
        account.engine,
        "INSERT INTO etl_controle (tipo, inicio, status, cursor) VALUES ('reprocess', :now, 'running', :cursor)",
        now=account.clock.now(),
        cursor=ids[29],
    )
    assert (await account.pipeline.reprocess()).stats["nfes"] == len(ids) - 30


@pytest.mark.slow
@pytest.mark.loaded(START)
async def test_stopped_long_ago_it_starts_again(
    account: Account, bling: Bling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entre um e outro o programa pode ter mudado, e a primeira parte estaria como o velho a fazia."""
    await _interrupted(account, monkeypatch)
    clock.advance(2 * DAY)
    assert (await account.pipeline.reprocess()).stats["nfes"] == len(outgoing(bling))


@pytest.mark.slow
async def test_what_is_owed_neither_prevents_nor_shortens_it(account: Account, bling: Bling) -> None:
    bling.fail(rf"^/nfe/{outgoing(bling)[-1]}$")
    assert (await account.pipeline.run_full(START)).status == "partial"
    for _ in range(2):
        result = await account.pipeline.reprocess()
        assert (result.status, result.stats["nfes"]) == ("success", len(outgoing(bling)) - 1)


async def test_an_impossible_period(account: Account) -> None:
    for inicio, fim in ((date(2027, 1, 1), None), (date(2025, 2, 2), date(2025, 2, 1))):
        with pytest.raises(UsageError):
            await account.pipeline.reprocess(inicio, fim)
    assert await rows(account.engine, "SELECT 1 FROM etl_controle") == []
