"""As consultas da página de um produto: a quem se vendeu, o que há dele, de quem se compra e onde se vende."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.resources.nota_words import FOLDING, alphabetical

Rows = Sequence[Row[Any]]

_PERIOD: Final = "i.data_emissao >= :inicio AND i.data_emissao < CAST(:fim AS date) + 1"
_SOLD: Final = f"i.codigo_produto = :codigo AND i.valida AND i.operacao = 'venda' AND {_PERIOD}"

_PRODUCT: Final = text("""
    SELECT p.id, p.codigo, p.nome, p.categoria_descricao AS categoria, p.preco_venda, p.situacao, p.formato,
           p.excluida_em, p.preferido, u.id AS preferido_id
    FROM produtos p LEFT JOIN produtos u ON u.codigo = p.codigo AND u.preferido AND NOT p.preferido
    WHERE p.id = :id""")
_COVER: Final = """
    SELECT lido_em, saldo_fisico, saldo_virtual, preco_custo, valor_custo, dias_cobertura, acaba_em, situacao,
           ultima_venda
    FROM vw_estoque_cobertura WHERE produto_id = :id"""
_COST: Final = text("SELECT preco_custo FROM vw_produtos_custos WHERE produto_id = :id AND ate IS NULL")
_QUANTITY: Final = text(f"SELECT coalesce(sum(i.quantidade), 0) FROM vw_itens_operacoes i WHERE {_SOLD}")
_MARGIN: Final = text("""
    SELECT count(DISTINCT pedido_id) AS pedidos, round(coalesce(sum(receita), 0), 2) AS receita,
           round(coalesce(sum(comissao + frete), 0), 2) AS taxas, round(sum(custo), 2) AS custo,
           round(sum(margem), 2) AS margem,
           round(sum(margem) / nullif(sum(receita) FILTER (WHERE custo IS NOT NULL), 0), 4) AS margem_percentual,
           round(coalesce(sum(receita) FILTER (WHERE custo IS NULL), 0), 2) AS receita_sem_custo
    FROM vw_margem_itens
    WHERE pedido_id = ANY(ARRAY(
              SELECT i.pedido_id FROM pedidos_venda_itens i WHERE i.produto_id = :id
              UNION SELECT i.pedido_id FROM pedidos_venda_itens i WHERE i.codigo_produto = :codigo))
      AND produto_id = :id AND NOT cancelado AND data BETWEEN :inicio AND :fim""")

TABLES: Final[Mapping[str, str]] = {
    "clientes": f"""
        WITH somas AS (
            SELECT n.contato_id, count(DISTINCT i.nfe_id) AS notas, sum(i.quantidade) AS quantidade,
                   round(coalesce(sum(i.valor), 0), 2) AS valor, max(i.data_emissao)::date AS ultima, max(n.id) AS nota
            FROM vw_itens_operacoes i JOIN nfe_cabecalho n ON n.id = i.nfe_id WHERE {_SOLD} GROUP BY 1)
        SELECT s.*, coalesce(c.nome, n.contato_nome) AS nome, coalesce(c.documento, n.contato_documento) AS documento
        FROM somas s LEFT JOIN contatos c ON c.id = s.contato_id
        LEFT JOIN nfe_cabecalho n ON n.id = s.nota AND n.contato_id = s.contato_id
        ORDER BY s.valor DESC, s.contato_id""",
    "notas": f"""
        SELECT n.id, n.numero, n.data_emissao::date AS dia, n.contato_id, coalesce(c.nome, n.contato_nome) AS nome,
               sum(i.quantidade) AS quantidade, round(sum(i.valor), 2) AS valor
        FROM vw_itens_operacoes i JOIN nfe_cabecalho n ON n.id = i.nfe_id LEFT JOIN contatos c ON c.id = n.contato_id
        WHERE {_SOLD} GROUP BY n.id, c.nome ORDER BY n.data_emissao DESC, n.id DESC""",
    "depositos": f"""
        SELECT e.deposito_id, d.descricao AS nome, e.saldo_fisico, e.saldo_virtual,
               coalesce(d.desconsiderar_saldo, false) AS desconsiderado
        FROM estoque_saldos e LEFT JOIN depositos d ON d.id = e.deposito_id
        WHERE e.produto_id = :id AND e.lido_em = (SELECT max(lido_em) FROM estoque_totais)
        ORDER BY {alphabetical("d.descricao")}, e.deposito_id""",
    "estoque": """
        SELECT DISTINCT ON (1) (t.lido_em AT TIME ZONE 'America/Sao_Paulo')::date AS dia, t.saldo_fisico,
               t.saldo_virtual, c.preco_custo, round(t.saldo_fisico * c.preco_custo, 2) AS valor
        FROM estoque_totais t
        LEFT JOIN vw_produtos_custos c ON c.produto_id = t.produto_id
            AND (c.desde IS NULL OR c.desde <= t.lido_em) AND (c.ate IS NULL OR c.ate > t.lido_em)
        WHERE t.produto_id = :id ORDER BY 1 DESC, t.lido_em DESC""",
    "fornecedores": """
        SELECT f.fornecedor_id, o.nome, o.documento, f.codigo, coalesce(f.padrao, false) AS padrao,
               (v.valido_desde AT TIME ZONE 'America/Sao_Paulo')::date AS desde, v.preco_custo, v.preco_compra,
               f.excluida_em IS NULL AND lead(v.valido_desde) OVER (PARTITION BY f.id ORDER BY v.valido_desde) IS NULL
                   AS atual
        FROM produtos_fornecedores f
        JOIN produtos_fornecedores_custos v ON v.produto_fornecedor_id = f.id
        LEFT JOIN contatos o ON o.id = f.fornecedor_id
        WHERE f.produto_id = :id ORDER BY padrao DESC, f.id, v.valido_desde DESC""",
    "canais": f"""
        SELECT l.loja_id, c.descricao AS nome, l.codigo, l.preco, nullif(l.preco_promocional, 0) AS preco_promocional
        FROM produtos_lojas l LEFT JOIN canais_venda c ON c.id = l.loja_id
        WHERE l.produto_id = :id AND l.excluida_em IS NULL ORDER BY {alphabetical("c.descricao")}, l.id""",
}
"""As tabelas da página; as duas primeiras são do SKU e do período, as outras são do produto e de agora."""
_OF_SKU: Final = ("clientes", "notas")


async def read_product(connection: AsyncConnection, produto_id: int) -> Row[Any] | None:
    """O produto; `preferido_id` é o que leva as vendas do SKU, se é outro."""
    return (await connection.execute(_PRODUCT, {"id": produto_id})).one_or_none()


async def read_cover(connection: AsyncConnection, produto_id: int, codigo: str | None) -> Row[Any] | None:
    """A linha dele em vw_estoque_cobertura; None se a última leitura não o tem."""
    if codigo is None:
        return (await connection.execute(text(_COVER), {"id": produto_id})).one_or_none()
    # O SKU não escolhe mais nada, mas com ele só se somam as vendas deste, e não as de todos: um vigésimo (medido).
    found = await connection.execute(text(f"{_COVER} AND codigo = :codigo"), {"id": produto_id, "codigo": codigo})
    return found.one_or_none()


async def read_cost(connection: AsyncConnection, produto_id: int) -> Any:
    """O custo de agora, ou None se não se conhece."""
    return await connection.scalar(_COST, {"id": produto_id})


async def read_quantity(connection: AsyncConnection, codigo: str, inicio: date, fim: date) -> Any:
    """Quantas unidades do SKU se venderam no período."""
    return await connection.scalar(_QUANTITY, {"codigo": codigo, "inicio": inicio, "fim": fim})


async def read_margin(
    connection: AsyncConnection, produto_id: int, codigo: str | None, inicio: date, fim: date
) -> Row[Any]:
    """O que os pedidos do período deixaram deste produto."""
    values = {"id": produto_id, "codigo": codigo, "inicio": inicio, "fim": fim}
    return (await connection.execute(_MARGIN, values)).one()


async def read_table(
    connection: AsyncConnection,
    name: str,
    produto_id: int,
    codigo: str | None,
    inicio: date,
    fim: date,
    most: int | None,
) -> Rows:
    """As primeiras `most` linhas de uma de TABLES, ou todas; cada uma diz em `de` quantas são."""
    values: dict[str, Any] = {"id": produto_id}
    if name in _OF_SKU:
        values = {"codigo": codigo, "inicio": inicio, "fim": fim}
    query = text(f"SELECT *, count(*) OVER () AS de FROM ({TABLES[name]}) AS linhas LIMIT :most")
    return (await connection.execute(query, values | FOLDING | {"most": most})).all()
