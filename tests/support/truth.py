"""A prova de que o banco é igual ao Bling: cada nota, item, parcela, contato, produto e linha.

Calculada do JSON do simulador por um caminho que não passa pelo mapeamento do coletor.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bling_simulator.bling import Bling

Facts = dict[Any, Any]


async def assert_equals_truth(engine: AsyncEngine, bling: Bling, *, without: Iterable[int] = ()) -> None:
    """O banco tem as notas de saída do Bling, exatas, e nada mais que não esteja marcado como excluído;
    `without` são ids que ainda não devem estar lá."""
    missing = set(without)
    notes = {id_: note for id_, note in bling.notes.items() if note["tipo"] == 1 and id_ not in missing}
    async with engine.connect() as connection:
        _same("notas", await _stored_notes(connection), {id_: _note(note) for id_, note in notes.items()})
        _same("itens", await _stored_items(connection), _items(notes))
        _same("parcelas", await _stored_payments(connection), _payments(notes, bling))
        _same("linhas", await _stored_lines(connection), _lines(notes))
        _same("contatos", await _stored_contacts(connection), _contacts(notes, bling))
        _same("produtos", await _stored_products(connection), _products(notes, bling))
        _same("anos", await _stored_years(connection), _years(notes))


def _same(what: str, stored: Facts, true: Facts) -> None:
    """Uma falha diz quais faltam, quais sobram e a primeira diferença, em vez de dois dicionários de mil linhas."""
    lacking, surplus = true.keys() - stored.keys(), stored.keys() - true.keys()
    assert not lacking, f"{what}: faltam {len(lacking)} de {len(true)}: {sorted(lacking, key=str)[:5]}"
    assert not surplus, f"{what}: sobram {len(surplus)}: {sorted(surplus, key=str)[:5]}"
    wrong = [key for key in true if stored[key] != true[key]]
    assert not wrong, f"{what}: {len(wrong)} diferem; {wrong[0]}: banco {stored[wrong[0]]}, Bling {true[wrong[0]]}"


def _money(value: Any) -> Decimal:
    return Decimal(str(value))


def _moment(value: str) -> datetime | None:
    return None if value.startswith("0000") else datetime.fromisoformat(value)


def _day(value: str) -> date | None:
    return None if value.startswith("0000") else date.fromisoformat(value)


def _note(note: Facts) -> tuple[Any, ...]:
    contact = note["contato"]
    return (
        note["numero"],
        note["serie"],
        note["tipo"],
        note["situacao"],
        _moment(note["dataEmissao"]),
        _moment(note["dataOperacao"]),
        contact["id"] or None,
        contact["nome"] or None,
        contact["numeroDocumento"] or None,
        contact["endereco"]["municipio"] or None,
        contact["endereco"]["uf"] or None,
        _money(note["valorNota"]),
        sum((_money(line["valorTotal"]) for line in note["itens"]), Decimal(0)),
        _money(note["valorFrete"]),
        note["chaveAcesso"] or None,
        note["xml"] or None,
        note["linkDanfe"] or None,
        note["linkPDF"] or None,
        note["loja"]["id"] or None,
        note["numeroPedidoLoja"] or None,
        note["vendedor"]["id"] or None,
        note["naturezaOperacao"]["id"] or None,
    )


async def _stored_notes(connection: AsyncConnection) -> Facts:
    found = await connection.execute(
        text("""
        SELECT id, numero, serie, tipo, situacao, data_emissao, data_operacao, contato_id, contato_nome,
               contato_documento, contato_municipio, contato_uf, total_nota, total_produtos, valor_frete, chave_acesso,
               link_xml, link_danfe, link_pdf, loja_id, numero_pedido_loja, vendedor_id, natureza_operacao_id
        FROM nfe_cabecalho WHERE excluida_em IS NULL""")
    )
    return {row[0]: tuple(row[1:]) for row in found}


def _items(notes: Facts) -> Facts:
    """(nota, SKU) → quantidade e valor somados; uma linha sem SKU fica só, com o lugar dela no nome."""
    sums: defaultdict[Any, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for id_, note in notes.items():
        for place, line in enumerate(note["itens"], start=1):
            total = sums[id_, line["codigo"] or place]
            total[0] += _money(line["quantidade"])
            total[1] += _money(line["valorTotal"])
    return {key: tuple(value) for key, value in sums.items()}


async def _stored_items(connection: AsyncConnection) -> Facts:
    found = (
        await connection.execute(
            text(
                "SELECT nfe_id, coalesce(codigo_produto, '') AS sku, ordem, quantidade, valor_total FROM nfe_itens"
                " WHERE nfe_id NOT IN (SELECT id FROM nfe_cabecalho WHERE excluida_em IS NOT NULL)"
            )
        )
    ).all()
    stored = {(row.nfe_id, row.sku or row.ordem): (row.quantidade, row.valor_total) for row in found}
    assert len(stored) == len(found), "o mesmo item mais de uma vez"
    return stored


def _payments(notes: Facts, bling: Bling) -> Facts:
    codes = {id_: method["tipoPagamento"] for id_, method in bling.company.payment_methods.items()}
    return {
        (id_, place): (
            _money(parcel["valor"]),
            codes.get(parcel["formaPagamento"]["id"]),
            parcel["formaPagamento"]["id"] or None,
            _day(parcel["data"]),
        )
        for id_, note in notes.items()
        for place, parcel in enumerate(note["parcelas"], start=1)
    }


async def _stored_payments(connection: AsyncConnection) -> Facts:
    found = (
        await connection.execute(
            text("""SELECT nfe_id, numero_parcela, valor, tipo_pagamento, forma_pagamento_id, data_vencimento
                    FROM nfe_pagamentos
                    WHERE nfe_id NOT IN (SELECT id FROM nfe_cabecalho WHERE excluida_em IS NOT NULL)""")
        )
    ).all()
    stored = {(row[0], row[1]): tuple(row[2:]) for row in found}
    assert len(stored) == len(found), "a mesma parcela mais de uma vez"
    return stored


def _lines(notes: Facts) -> Facts:
    return {
        (id_, place): (
            line["codigo"] or None,
            line["descricao"],
            _money(line["quantidade"]),
            _money(line["valor"]),
            _money(line["valorTotal"]),
            line["cfop"],
            line["classificacaoFiscal"],
            _money(line["impostos"]["icms"]["aliquota"]),
            _money(line["impostos"]["icms"]["valor"]),
        )
        for id_, note in notes.items()
        for place, line in enumerate(note["itens"], start=1)
    }


async def _stored_lines(connection: AsyncConnection) -> Facts:
    found = await connection.execute(
        text("""
        SELECT nfe_id, linha, codigo_produto, descricao_produto, quantidade, valor_unitario, valor_total, cfop, ncm,
               icms_aliquota, icms_valor
        FROM vw_nfe_linhas WHERE nfe_id NOT IN (SELECT id FROM nfe_cabecalho WHERE excluida_em IS NOT NULL)""")
    )
    return {(row[0], row[1]): tuple(row[2:]) for row in found}


def _contacts(notes: Facts, bling: Bling) -> Facts:
    """Os contatos das notas, como o cadastro os tem; de um excluído só se sabe o nome, pela nota."""
    cited = {note["contato"]["id"]: note["contato"]["nome"] for note in notes.values() if note["contato"]["id"]}
    entries = bling.company.contacts.entries
    return {
        id_: (nome, "excluído")
        if entries[id_].deleted
        else (
            entries[id_].detail["nome"],
            entries[id_].detail["numeroDocumento"] or None,
            entries[id_].detail["email"] or None,
            entries[id_].detail["tipo"],
            entries[id_].detail["endereco"]["geral"]["municipio"] or None,
            entries[id_].detail["endereco"]["geral"]["uf"] or None,
        )
        for id_, nome in cited.items()
    }


async def _stored_contacts(connection: AsyncConnection) -> Facts:
    found = await connection.execute(
        text("""
        SELECT id, nome, documento, email, tipo_pessoa, municipio, uf, detalhe IS NOT NULL AS visto,
               nao_encontrado_em IS NOT NULL AS excluido
        FROM contatos""")
    )
    return {row.id: (row.nome, "excluído") if row.excluido else tuple(row[1:7]) for row in found if _is_known(row)}


def _is_known(row: Any) -> bool:
    assert row.visto or row.excluido, f"do contato {row.id} não se perguntou"
    return True


def _products(notes: Facts, bling: Bling) -> Facts:
    """Os produtos de cada SKU das notas, os excluídos também; preferido é o vivo e, entre iguais, o mais novo."""
    skus = {line["codigo"] for note in notes.values() for line in note["itens"] if line["codigo"]}
    by_sku: defaultdict[str, list[Any]] = defaultdict(list)
    for entry in bling.company.products.entries.values():
        if entry.detail["codigo"] in skus:
            by_sku[entry.detail["codigo"]].append(entry)
    true: Facts = {}
    for entries in by_sku.values():
        best = max(entries, key=lambda e: (not e.deleted, e.detail["situacao"] == "A", e.detail["id"]))
        for entry in entries:
            product = entry.detail
            true[product["id"]] = (
                product["codigo"],
                product["nome"],
                _money(product["preco"]),
                _money(product["fornecedor"]["precoCusto"]),
                product["categoria"]["id"] or None,
                bling.company.categories.get(product["categoria"]["id"], {}).get("descricao"),
                entry is best,
            )
    return true


async def _stored_products(connection: AsyncConnection) -> Facts:
    found = await connection.execute(
        text("""
        SELECT id, codigo, nome, preco_venda, preco_custo, categoria_id, categoria_descricao, preferido
        FROM produtos""")
    )
    return {row[0]: tuple(row[1:]) for row in found}


def _years(notes: Facts) -> Facts:
    sums: defaultdict[tuple[int, int], list[Any]] = defaultdict(lambda: [0, Decimal(0)])
    for note in notes.values():
        total = sums[int(note["dataEmissao"][:4]), note["situacao"]]
        total[0] += 1
        total[1] += _money(note["valorNota"])
    return {key: tuple(value) for key, value in sums.items()}


async def _stored_years(connection: AsyncConnection) -> Facts:
    found = await connection.execute(
        text("""
        SELECT CAST(extract(year FROM data_emissao) AS integer), situacao, count(*), sum(total_nota)
        FROM nfe_cabecalho WHERE excluida_em IS NULL GROUP BY 1, 2""")
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in found}
