"""A mesma carga histórica com um coletor simples, uma requisição por vez. Roda em bench/.venv.

É o da descrição do sistema anterior: ano a ano, lista e detalhe de cada nota num SAVEPOINT, confirmação a cada 50;
depois cada contato novo por GET /contatos/{id} e cada SKU novo por GET /produtos?codigo=. O que nele perdia notas está
certo aqui, para que se compare o mesmo trabalho: as horas nas pontas dos períodos, as canceladas, as páginas curtas que
não são a última, os itens de um SKU em várias linhas, e o dinheiro em `numeric`.
"""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import simplejson
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    create_engine,
    delete,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import insert as upsert_into
from sqlalchemy.engine import Connection

CHECKPOINT = 50
ATTEMPTS = 5
PAGE = 100
DELAY = float(os.environ.get("BENCH_INTERVALO", "0"))
FIRST_YEAR = 2021

metadata = MetaData()
nfe_cabecalho = Table(
    "nfe_cabecalho",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("numero", String(50), index=True),
    Column("data_emissao", DateTime, index=True),
    Column("situacao", Integer),
    Column("contato_id", BigInteger, index=True),
    Column("contato_nome", String(500)),
    Column("contato_documento", String(20), index=True),
    Column("contato_municipio", String(200)),
    Column("contato_uf", String(2)),
    Column("total_nota", Numeric),
)
nfe_itens = Table(
    "nfe_itens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("nfe_id", BigInteger, ForeignKey("nfe_cabecalho.id"), index=True),
    Column("codigo_produto", String(100), index=True),
    Column("descricao_produto", String(500)),
    Column("quantidade", Numeric),
    Column("valor_unitario", Numeric),
    Column("valor_total", Numeric),
    Column("unidade_medida", String(20)),
)
nfe_pagamentos = Table(
    "nfe_pagamentos",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("nfe_id", BigInteger, ForeignKey("nfe_cabecalho.id"), index=True),
    Column("tipo_pagamento", BigInteger),
    Column("valor", Numeric),
)
contatos = Table(
    "contatos",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("nome", String(500)),
    Column("documento", String(20), index=True),
    Column("email", String(500)),
    Column("tipo_pessoa", String(1)),
    Column("municipio", String(200)),
    Column("uf", String(2)),
)
produtos = Table(
    "produtos",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("codigo", String(100), index=True),
    Column("nome", String(500)),
    Column("preco_venda", Numeric),
    Column("preco_custo", Numeric),
)


class Client:
    """Uma requisição por vez, com a mesma conexão; um 429 espera e tenta de novo."""

    def __init__(self) -> None:
        headers = {"Authorization": f"Bearer {os.environ['BENCH_TOKEN']}"}
        self._http = httpx.Client(base_url=os.environ["BENCH_API"], headers=headers, timeout=30)

    def get(self, path: str, **params: Any) -> Any:
        """O que vem em `data`; None se o Bling não o tem."""
        for attempt in range(ATTEMPTS):
            if DELAY:
                time.sleep(DELAY)
            answer = self._http.get(path, params=params)
            if answer.status_code != 429:
                break
            time.sleep(min(2 * 2**attempt, 30))
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return simplejson.loads(answer.text, use_decimal=True)["data"]

    def rows(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """As linhas de todas as páginas, até a vazia."""
        page = 1
        while rows := self.get(path, pagina=page, limite=PAGE, **params):
            yield from rows
            page += 1


def upsert(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    statement = upsert_into(table).values(row)
    changes = {name: statement.excluded[name] for name in row if name != "id"}
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))


def save_nota(connection: Connection, nota: dict[str, Any]) -> None:
    contato = nota["contato"]
    upsert(
        connection,
        nfe_cabecalho,
        {
            "id": nota["id"],
            "numero": nota["numero"],
            "data_emissao": nota["dataEmissao"],
            "situacao": nota["situacao"],
            "contato_id": contato["id"] or None,
            "contato_nome": contato["nome"],
            "contato_documento": contato["numeroDocumento"],
            "contato_municipio": contato["endereco"]["municipio"],
            "contato_uf": contato["endereco"]["uf"],
            "total_nota": nota["valorNota"],
        },
    )
    connection.execute(delete(nfe_itens).where(nfe_itens.c.nfe_id == nota["id"]))
    if lines := grouped(nota):
        connection.execute(insert(nfe_itens), lines)
    connection.execute(delete(nfe_pagamentos).where(nfe_pagamentos.c.nfe_id == nota["id"]))
    if parcels := [
        {"nfe_id": nota["id"], "tipo_pagamento": parcel["formaPagamento"]["id"], "valor": parcel["valor"]}
        for parcel in nota["parcelas"]
    ]:
        connection.execute(insert(nfe_pagamentos), parcels)


def grouped(nota: dict[str, Any]) -> list[dict[str, Any]]:
    """Um item por SKU, com as quantidades e os valores somados."""
    items: dict[str, dict[str, Any]] = {}
    for line in nota["itens"]:
        item = items.setdefault(
            line["codigo"],
            {
                "nfe_id": nota["id"],
                "codigo_produto": line["codigo"],
                "descricao_produto": line["descricao"],
                "quantidade": Decimal(0),
                "valor_unitario": line["valor"],
                "valor_total": Decimal(0),
                "unidade_medida": line["unidade"],
            },
        )
        item["quantidade"] += line["quantidade"]
        item["valor_total"] += line["valorTotal"]
    return list(items.values())


def collect_notas(client: Client, connection: Connection) -> tuple[set[int], set[str]]:
    """Grava todas; devolve os contatos e os SKUs que elas citam."""
    cited, skus, saved = set[int](), set[str](), set[int]()
    for year in range(FIRST_YEAR, datetime.now(UTC).year + 1):
        between = {"dataEmissaoInicial": f"{year}-01-01 00:00:00", "dataEmissaoFinal": f"{year}-12-31 23:59:59"}
        for shown in ({}, {"situacao": 2}):
            for row in client.rows("nfe", tipo=1, **between, **shown):
                if row["id"] in saved:
                    continue
                nota = client.get(f"nfe/{row['id']}")
                with connection.begin_nested():
                    save_nota(connection, nota)
                saved.add(row["id"])
                cited.add(nota["contato"]["id"])
                skus |= {line["codigo"] for line in nota["itens"]}
                if len(saved) % CHECKPOINT == 0:
                    connection.commit()
    connection.commit()
    return cited - {0}, skus - {""}


def collect_contatos(client: Client, connection: Connection, cited: set[int]) -> None:
    known = set(connection.scalars(select(contatos.c.id)))
    for id_ in sorted(cited - known):
        if (contato := client.get(f"contatos/{id_}")) is None:
            continue
        address = contato["endereco"]["geral"]
        row = {
            "id": id_,
            "nome": contato["nome"],
            "documento": contato["numeroDocumento"],
            "email": contato["email"],
            "tipo_pessoa": contato["tipo"],
            "municipio": address["municipio"],
            "uf": address["uf"],
        }
        with connection.begin_nested():
            upsert(connection, contatos, row)
    connection.commit()


def collect_produtos(client: Client, connection: Connection, skus: set[str]) -> None:
    known = set(connection.scalars(select(produtos.c.codigo)))
    for sku in sorted(skus - known):
        # A busca por `codigo` também dá os que só o contêm.
        found = next((row for row in client.get("produtos", codigo=sku) if row["codigo"] == sku), None)
        if found is None:
            continue
        row = {
            "id": found["id"],
            "codigo": sku,
            "nome": found["nome"],
            "preco_venda": found["preco"],
            "preco_custo": found["precoCusto"],
        }
        with connection.begin_nested():
            upsert(connection, produtos, row)
    connection.commit()


def main() -> None:
    client = Client()
    with create_engine(os.environ["BENCH_BANCO"]).connect() as connection:
        metadata.create_all(connection)
        connection.commit()
        cited, skus = collect_notas(client, connection)
        collect_contatos(client, connection, cited)
        collect_produtos(client, connection, skus)


if __name__ == "__main__":
    main()
