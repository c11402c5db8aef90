"""As consultas da lista de pedidos, de vw_pedidos, que não tem os excluídos; e da página de um, que os tem."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.reports.orders import SUMMED
from bling_collector.db.resources.nota_words import FOLDED, FOLDING, alphabetical
from bling_collector.payload import Row

NONE: Final = 0
"""O id, num filtro, do que não tem canal, vendedor, contato ou situação: o Bling não dá id zero a nada."""
ORDERS: Final[Mapping[str, str]] = {
    "data": "p.data",
    "numero": "p.numero",
    "cliente": "p.cliente",
    "situacao": "p.situacao",
    "canal": "p.canal",
    "total": "p.total",
}
"""Por que se ordena."""
NAMES: Final = ("cliente", "situacao", "canal")
"""As que são nomes, e vão por ordem alfabética."""
_COLUMNS: Final = """
    p.pedido_id, p.numero, p.numero_loja, p.data, p.situacao, p.situacao_id, p.situacao_base_id, p.valido, p.cliente,
    d.documento, p.loja_id, p.canal, p.vendedor_id, p.vendedor, p.nota_fiscal_id, p.total"""


@dataclass(frozen=True)
class Criteria:
    """O que se procura; o que é None não restringe, e NONE nos ids é o que não o tem."""

    q: str | None = None
    """O número do pedido, o da loja, o CPF ou o CNPJ, ou palavras do nome do cliente."""
    situacao: int | None = None
    """A da conta, ou uma de fábrica com as que dela se tiraram."""
    canal: int | None = None
    vendedor: int | None = None
    contato: int | None = None
    produto: str | None = None
    inicio: date | None = None
    fim: date | None = None


@dataclass(frozen=True)
class Totals:
    """Quantos pedidos são, e quanto somam os que contam; os cancelados à parte."""

    pedidos: int
    valor: Any
    cancelados: int
    valor_cancelado: Any


# De todos, o que já está somado de cada dia, e os que não têm dia.
_EVERYTHING: Final = text(f"""
    SELECT coalesce(sum(registros), 0)::bigint, round(coalesce(sum(valor) FILTER (WHERE valido), 0), 2),
           coalesce(sum(registros) FILTER (WHERE NOT valido), 0)::bigint,
           round(coalesce(sum(valor) FILTER (WHERE NOT valido), 0), 2)
    FROM (SELECT registros, valor, valido FROM {SUMMED}
          UNION ALL SELECT 1, total, valido FROM vw_pedidos WHERE data IS NULL) AS todos""")


# De uma combinação salta-se no índice à seguinte: são poucas, e os pedidos podem ser um milhão.
_COMBINED: Final = "coalesce(situacao_id, 0), coalesce(loja_id, 0), coalesce(vendedor_id, 0)"
_CHOICES: Final = text(f"""
    WITH RECURSIVE combinacoes (situacao, canal, vendedor, id) AS (
        (SELECT {_COMBINED}, id FROM pedidos_venda WHERE excluida_em IS NULL ORDER BY 1, 2, 3 LIMIT 1)
        UNION ALL
        SELECT seguinte.* FROM combinacoes c CROSS JOIN LATERAL (
            SELECT {_COMBINED}, id FROM pedidos_venda
            WHERE excluida_em IS NULL AND ({_COMBINED}) > (c.situacao, c.canal, c.vendedor)
            ORDER BY 1, 2, 3 LIMIT 1) AS seguinte)
    SELECT situacao_id, situacao, situacao_base_id, situacao_base, loja_id, canal, vendedor_id, vendedor
    FROM vw_pedidos WHERE pedido_id = ANY(ARRAY(SELECT id FROM combinacoes))""")


async def count(connection: AsyncConnection, criteria: Criteria) -> Totals:
    """Quantos são os que se procuram, e quanto somam."""
    if criteria == Criteria():
        return Totals(*(await connection.execute(_EVERYTHING, {"inicio": date.min, "fim": date.max})).one())
    where, values = _where(criteria)
    found = await connection.execute(
        text(f"""
            SELECT count(*), round(coalesce(sum(p.total) FILTER (WHERE p.valido), 0), 2),
                   count(*) FILTER (WHERE NOT p.valido),
                   round(coalesce(sum(p.total) FILTER (WHERE NOT p.valido), 0), 2)
            FROM vw_pedidos p {where}"""),
        values,
    )
    return Totals(*found.one())


async def find(
    connection: AsyncConnection, criteria: Criteria, order: str, *, falling: bool, limit: int | None, offset: int = 0
) -> list[Row]:
    """Os pedidos, na ordem de uma de ORDERS; o que não a tem vem por último."""
    # Primeiro quais são, e só dos que se mostram os nomes.
    where, values = _where(criteria)
    way = "DESC" if falling else "ASC"
    column = ORDERS[order]
    key = alphabetical(column, way) if order in NAMES else f"{column} {way} NULLS LAST"
    by = f"ORDER BY {key}, p.pedido_id {way}"
    found = await connection.execute(
        text(f"""
            WITH achados AS (SELECT p.pedido_id FROM vw_pedidos p {where} {by} LIMIT :limit OFFSET :offset)
            SELECT {_COLUMNS}
            FROM vw_pedidos p LEFT JOIN contatos d ON d.id = p.contato_id
            WHERE p.pedido_id = ANY(ARRAY(SELECT pedido_id FROM achados)) {by}"""),
        values | FOLDING | {"limit": limit, "offset": offset},
    )
    return [dict(row) for row in found.mappings()]


async def choices(connection: AsyncConnection) -> list[Row]:
    """As situações, os canais e os vendedores que os pedidos têm, cada combinação uma vez."""
    return [dict(row) for row in (await connection.execute(_CHOICES)).mappings()]


async def read_order(connection: AsyncConnection, pedido_id: int) -> Row | None:
    """O pedido, também um que o Bling já não tem; o canal é aquele em que ele conta, como na lista."""
    found = await connection.execute(
        text("""
            SELECT p.id, p.numero, p.numero_loja, p.data, p.data_saida, p.data_prevista, p.situacao_id, p.contato_id,
                   coalesce(m.vale_por, p.loja_id) AS loja_id, p.vendedor_id, p.nota_fiscal_id, p.total_produtos,
                   p.total, p.desconto, p.desconto_unidade, p.outras_despesas, p.frete, p.taxa_comissao,
                   p.custo_frete, p.extraido_em, p.excluida_em, coalesce(v.situacao, s.nome) AS situacao,
                   coalesce(s.base_id, p.situacao_id) AS situacao_base_id, v.situacao_base,
                   coalesce(v.valido, false) AS valido,
                   coalesce(c.nome, p.detalhe #>> '{contato,nome}') AS cliente,
                   coalesce(c.documento, p.detalhe #>> '{contato,numeroDocumento}') AS documento,
                   l.descricao AS canal, l.tipo AS canal_tipo, coalesce(e.nome, ec.nome) AS vendedor,
                   n.numero AS nota_numero, n.situacao AS nota_situacao, n.total_nota AS nota_total,
                   n.id IS NOT NULL AS tem_nota, n.excluida_em AS nota_excluida_em,
                   coalesce(n.de_consumidor, false) AS nota_de_consumidor
            FROM pedidos_venda p
            LEFT JOIN vw_pedidos v ON v.pedido_id = p.id
            LEFT JOIN vw_situacoes s ON s.id = p.situacao_id
            LEFT JOIN contatos c ON c.id = p.contato_id
            LEFT JOIN canais_da_empresa m ON m.canal_id = p.loja_id
            LEFT JOIN canais_venda l ON l.id = coalesce(m.vale_por, p.loja_id)
            LEFT JOIN vendedores e ON e.id = p.vendedor_id
            LEFT JOIN contatos ec ON ec.id = e.contato_id
            LEFT JOIN LATERAL (
                SELECT id, numero, situacao, total_nota, excluida_em, false AS de_consumidor
                FROM nfe_cabecalho WHERE id = p.nota_fiscal_id
                UNION ALL
                SELECT id, numero, situacao, total_nota, excluida_em, true
                FROM nfce_cabecalho WHERE id = p.nota_fiscal_id
                ORDER BY de_consumidor LIMIT 1) n ON true
            WHERE p.id = :id"""),
        {"id": pedido_id},
    )
    row = found.mappings().one_or_none()
    return dict(row) if row is not None else None


async def orders_of_note(connection: AsyncConnection, nfe_id: int, most: int) -> list[Row]:
    """(id, número) dos pedidos de que a nota se fez."""
    found = await connection.execute(
        text("SELECT pedido_id, numero FROM vw_pedidos WHERE nota_fiscal_id = :id ORDER BY 1 LIMIT :most"),
        {"id": nfe_id, "most": most},
    )
    return [dict(row) for row in found.mappings()]


async def status_names(connection: AsyncConnection) -> dict[int, str]:
    """O id da situação → o nome dela na conta."""
    found = await connection.execute(text("SELECT id, nome FROM vw_situacoes WHERE nome IS NOT NULL"))
    return {row.id: row.nome for row in found}


_ITEMS = """
    SELECT i.ordem, i.produto_id, i.codigo_produto, i.descricao, i.quantidade, i.valor_unitario, i.desconto_percentual,
           round(i.quantidade * i.valor_unitario, 2) AS valor
    FROM pedidos_venda_itens i WHERE i.pedido_id = :id ORDER BY i.ordem"""
_PARCELS = """
    SELECT g.ordem, g.data_vencimento, g.valor, g.forma_pagamento_id, f.descricao AS forma, f.tipo_pagamento
    FROM pedidos_venda_parcelas g LEFT JOIN formas_pagamento f ON f.id = g.forma_pagamento_id
    WHERE g.pedido_id = :id ORDER BY g.ordem"""
_ACCOUNTS = """
    SELECT conta_id, situacao, vencimento, valor, em_aberto, recebido, ultimo_pagamento
    FROM vw_pedidos_contas WHERE pedido_id = :id ORDER BY vencimento, conta_id"""


async def read_children(connection: AsyncConnection, pedido_id: int) -> tuple[list[Row], list[Row], list[Row]]:
    """Os itens, as parcelas, e as contas a receber do pedido ou da sua nota."""
    items, parcels, accounts = [
        [dict(row) for row in (await connection.execute(text(query), {"id": pedido_id})).mappings()]
        for query in (_ITEMS, _PARCELS, _ACCOUNTS)
    ]
    return items, parcels, accounts


def _where(asked: Criteria) -> tuple[str, dict[str, Any]]:
    conditions: list[str] = []
    values: dict[str, Any] = {}

    def add(condition: str, **more: Any) -> None:
        conditions.append(f"({condition})")
        values.update(more)

    if asked.q is not None:
        words = asked.q.split()
        folded = [FOLDED.format(f"CAST(:palavra{n} AS text)") for n in range(len(words))]
        named = " AND ".join(f"strpos({FOLDED.format('nome')}, {word}) > 0" for word in folded)
        digits = "".join(filter(str.isalnum, asked.q))
        number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None
        add(
            f"p.contato_id IN (SELECT id FROM contatos WHERE {named} OR documento = :documento) "
            "OR p.numero_loja = :q OR p.numero = CAST(:numero AS bigint)",
            q=asked.q,
            numero=number,
            documento=digits.upper(),
            **FOLDING,
            **{f"palavra{n}": word for n, word in enumerate(words)},
        )
    if asked.situacao == NONE:
        add("p.situacao_base_id IS NULL")
    elif asked.situacao is not None:
        add("p.situacao_id = :situacao OR p.situacao_base_id = :situacao", situacao=asked.situacao)
    for name, column in (("canal", "loja_id"), ("vendedor", "vendedor_id"), ("contato", "contato_id")):
        value = getattr(asked, name)
        if value == NONE:
            add(f"p.{column} IS NULL")
        elif value is not None:
            add(f"p.{column} = :{name}", **{name: value})
    if asked.produto is not None:
        add(
            "p.pedido_id IN (SELECT pedido_id FROM pedidos_venda_itens WHERE codigo_produto = :produto)",
            produto=asked.produto,
        )
    if asked.inicio is not None:
        add("p.data >= :inicio", inicio=asked.inicio)
    if asked.fim is not None:
        add("p.data <= :fim", fim=asked.fim)
    return f"WHERE {' AND '.join(conditions)}" if conditions else "", values
