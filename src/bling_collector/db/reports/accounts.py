"""As consultas da lista das contas de um lado (receber ou pagar), e de uma conta."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, RowMapping, text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.resources import nota_words
from bling_collector.db.resources.nota_words import FOLDED, FOLDING, alphabetical

Rows = Sequence[Row[Any]]
ORDERS: Final = {
    "vencimento": "a.vencimento",
    "emissao": "a.data_emissao",
    "cliente": "t.nome",
    "valor": "a.valor",
    "aberto": "a.em_aberto",
}
"""Por que colunas se ordena."""
_NAME: Final = f"{FOLDED.format('t.nome')} LIKE ALL(:palavras)"
OPEN: Final = "situacao IN (1, 3) AND em_aberto <> 0"
"""O que se espera, nas views das contas: com a situação dita, o índice dessas serve."""
# De cada lado a sua view, que se ordena pelo índice da tabela.
_FROM: Final = {
    lado: f"FROM vw_contas_a_{lado} a LEFT JOIN contatos t ON t.id = a.contato_id" for lado in ("receber", "pagar")
}
_HEADER: Final = """
    SELECT c.id, c.situacao, c.vencimento, c.vencimento_lista, c.data_emissao, c.valor, c.saldo, c.contato_id,
           c.numero_documento, c.competencia, c.extraido_em, c.excluida_em, c.detalhe->>'historico' AS historico,
           t.nome AS contato_nome, t.documento AS contato_documento, g.descricao AS categoria, c.categoria_id,
           p.descricao AS portador, c.portador_id, f.descricao AS forma_pagamento, {origem}
    FROM contas_{lado} c
    LEFT JOIN contatos t ON t.id = c.contato_id
    LEFT JOIN categorias_financeiras g ON g.id = c.categoria_id
    LEFT JOIN contas_financeiras p ON p.id = c.portador_id
    LEFT JOIN formas_pagamento f ON f.id = c.forma_pagamento_id
    WHERE c.id = :id"""
_ORIGEM: Final = """c.origem_id, c.origem_tipo, c.detalhe->'origem'->>'numero' AS origem_numero,
           EXISTS (SELECT FROM nfe_cabecalho n WHERE n.id = c.origem_id) AS origem_nota,
           EXISTS (SELECT FROM pedidos_venda v WHERE v.id = c.origem_id) AS origem_pedido"""


@dataclass(frozen=True)
class Criteria:
    """O que se lista; o que é None, ou vazio, não restringe."""

    lado: str
    """`receber` ou `pagar`."""
    situacoes: Sequence[int] = ()
    em_aberto: bool = False
    """Só as que ainda se esperam."""
    inicio: date | None = None
    """De vencimento, como `fim`."""
    fim: date | None = None
    contato_id: int | None = None
    palavras: Sequence[str] = ()
    """Do nome do contato."""


async def count(connection: AsyncConnection, asked: Criteria) -> Row[Any]:
    """Quantas são (`contas`), o que valem e quanto delas está em aberto."""
    where, values = _conditions(asked)
    query = (
        "SELECT count(*) AS contas, coalesce(sum(a.valor), 0) AS valor, coalesce(sum(a.em_aberto), 0) AS em_aberto "
        f"{_FROM[asked.lado]} WHERE {where}"
    )
    return (await connection.execute(text(query), values)).one()


async def find(connection: AsyncConnection, asked: Criteria, order: str, limit: int | None, skip: int) -> Rows:
    """As contas, por `order` (uma de ORDERS; com `-` à frente, da maior à menor), e o último pagamento de cada uma."""
    where, values = _conditions(asked)
    name, way = order.removeprefix("-"), "DESC" if order.startswith("-") else "ASC"
    key = alphabetical(ORDERS[name], way) if name == "cliente" else f"{ORDERS[name]} {way} NULLS LAST"
    # Primeiro quais são, e só das que se mostram os nomes.
    query = f"""
        SELECT a.*, t.nome AS contato_nome, t.documento AS contato_documento,
               (SELECT max(b.data) FROM contas_borderos v JOIN borderos b ON b.id = v.bordero_id
                WHERE v.conta_tipo = a.conta_tipo AND v.conta_id = a.conta_id AND b.excluida_em IS NULL) AS pago_em
        FROM (SELECT a.* {_FROM[asked.lado]} WHERE {where} ORDER BY {key}, a.conta_id DESC LIMIT :limit OFFSET :skip) a
        LEFT JOIN contatos t ON t.id = a.contato_id
        ORDER BY {key}, a.conta_id DESC"""
    return (await connection.execute(text(query), values | FOLDING | {"limit": limit, "skip": skip})).all()


def folded(typed: str) -> list[str]:
    """As palavras do nome, em minúsculas e sem acento."""
    return nota_words.folded(typed).split()


def _conditions(asked: Criteria) -> tuple[str, dict[str, Any]]:
    found, values = list[str](), dict[str, Any]()
    for condition, name, value in (
        ("a.situacao = ANY(:situacoes)", "situacoes", list(asked.situacoes) or None),
        ("a.vencimento >= :inicio", "inicio", asked.inicio),
        ("a.vencimento <= :fim", "fim", asked.fim),
        ("a.contato_id = :contato", "contato", asked.contato_id),
    ):
        if value is not None:
            found.append(condition)
            values[name] = value
    if asked.em_aberto:
        found.append("a.situacao IN (1, 3) AND a.em_aberto <> 0")  # com a situação dita, o índice delas serve
    if asked.palavras:
        found.append(_NAME)
        values |= FOLDING | {"palavras": [_anywhere(word) for word in asked.palavras]}
    return " AND ".join(found) or "true", values


def _anywhere(word: str) -> str:
    for special in "\\%_":
        word = word.replace(special, f"\\{special}")
    return f"%{word}%"


async def read_contact(connection: AsyncConnection, contato_id: int) -> str | None:
    """O nome de um contato, se o banco o sabe."""
    query = text("SELECT nome FROM contatos WHERE id = :id")
    return (await connection.execute(query, {"id": contato_id})).scalar_one_or_none()


async def read_account(connection: AsyncConnection, lado: str, conta_id: int) -> RowMapping | None:
    """A conta, com os nomes do que ela cita; também a excluída."""
    origem = _ORIGEM if lado == "receber" else "CAST(NULL AS bigint) AS origem_id"
    found = await connection.execute(text(_HEADER.format(lado=lado, origem=origem)), {"id": conta_id})
    return found.mappings().one_or_none()


async def read_settlements(connection: AsyncConnection, lado: str, conta_id: int) -> list[Mapping[str, Any]]:
    """Os borderôs da conta, do mais antigo ao mais novo, e o que deles se sabe que é dela."""
    cited = await connection.execute(
        text("""
            SELECT v.bordero_id, b.data, b.historico, p.descricao AS portador,
                   (SELECT count(*) FROM contas_borderos o WHERE o.bordero_id = v.bordero_id) AS contas
            FROM contas_borderos v LEFT JOIN borderos b ON b.id = v.bordero_id AND b.excluida_em IS NULL
            LEFT JOIN contas_financeiras p ON p.id = b.portador_id
            WHERE v.conta_tipo = :lado AND v.conta_id = :id ORDER BY b.data NULLS LAST, v.bordero_id"""),
        {"lado": lado, "id": conta_id},
    )
    # Um de cada vez: por um só id a view só lê o que é desse borderô.
    mine = text("""
        SELECT sum(valor_pago) AS valor_pago, sum(juros) AS juros, sum(desconto) AS desconto,
               sum(acrescimo) AS acrescimo, sum(tarifa) AS tarifa, sum(liquidado) AS liquidado
        FROM vw_borderos_contas WHERE bordero_id = :bordero AND conta_tipo = :lado AND conta_id = :id""")
    found: list[Mapping[str, Any]] = []
    for row in cited.mappings().all():
        values = {"bordero": row["bordero_id"], "lado": lado, "id": conta_id}
        found.append({**row, **(await connection.execute(mine, values)).mappings().one()})
    return found


async def read_siblings(connection: AsyncConnection, origem_tipo: str | None, origem_id: int, conta_id: int) -> Rows:
    """As outras contas que vieram do mesmo documento."""
    query = text("""
        SELECT conta_id, numero_documento, situacao, vencimento, valor, em_aberto FROM vw_contas_a_receber
        WHERE origem_id = :origem AND origem_tipo IS NOT DISTINCT FROM :tipo
          AND conta_id <> :id
        ORDER BY vencimento, conta_id LIMIT 100""")
    values = {"origem": origem_id, "tipo": origem_tipo, "id": conta_id}
    return (await connection.execute(query, values)).all()
