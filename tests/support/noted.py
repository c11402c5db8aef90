"""Notas de toda espécie num banco, e a busca delas feita de outro jeito: percorrendo tudo, em Python."""

import unicodedata
from datetime import date, datetime
from random import Random
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bling_collector.db.models import nfe_cabecalho, nfe_itens
from bling_collector.db.resources import nota_search
from bling_collector.insight.notas.search import Search
from bling_collector.insight.notas.terms import Term, root_of

NAMES = (
    *("José da Silva", "JOSÉ Araújo", "Jose\u0301 Conceição", "Metalúrgica Pedra Lascada Ltda", "Bar & Café D'Ávila"),
    *("Pedra & Cia. Ltda", "100% Nós_Dois", "<script>alert(1)</script>", "Řehoř Новак", "Loja 🙂 Feliz", None, "   "),
    *("'; DROP TABLE nfe_busca; --", "C:\\temp\\x", "Ana", "An", "A B C", "José " * 3000, "x" * 5000),
)
DOCUMENTS = (
    *(
        "12345678000195",
        "12345678000276",
        "12ABC34501DE35",
        "12345678909",
        "00000000000",
        "AB-123.456",
        None,
        "87654321",
    ),
)
PRODUCTS = (
    *(("ENG-0012/A", "Engrenagem reta módulo 2"), ("BLG-5", "Correia dentada"), (None, "Sem código nenhum")),
    *(('COROA "X" 50%-AÇO', "SKU estranho"), ("7891234567895", "Rolamento 6204 ZZ"), ("12345678", "Parafuso 10x50")),
    *(
        ("É_%", "descrição 100% náilon_66"),
        ("LIVRE", "palavra " * 2000),
        ("MIL", " ".join(f"p{n}q" for n in range(9000))),
    ),
)
NUMBERS = ("000001", "1", "002447", "2447", "12345678", "000000", None, "S/N", "999999999")
DATES = (
    *("2025-01-31 23:59:59", "2025-02-01", "2025-02-01", "2025-02-01 00:00:01", "2025-02-28 12:00"),
    *("2024-12-31", "2021-05-05 05:05:05", None),
)


async def fill(engine: AsyncEngine, many: int = 400, seed: int = 7) -> None:
    """Enche o banco com `many` notas sorteadas: muitas com a mesma data, algumas sem data, sem número, sem cliente."""
    draw = Random(seed)
    notes: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    for id_ in range(1, many + 1):
        notes.append(
            {
                "id": id_ * 7 % 1009 + 10**9,
                "numero": draw.choice(NUMBERS),
                "serie": 1,
                "tipo": 1,
                "data_emissao": datetime.fromisoformat(day) if (day := draw.choice(DATES)) else None,
                "situacao": draw.choice((6, 6, 6, 2, 5, 9, None)),
                "contato_nome": draw.choice(NAMES),
                "contato_documento": draw.choice(DOCUMENTS),
                "chave_acesso": str(id_).rjust(44, "4") if draw.random() < 0.8 else None,
                "total_nota": draw.randrange(100000) / 100,
                "excluida_em": datetime(2025, 3, 1).astimezone() if draw.random() < 0.06 else None,
            }
        )
        for place, (code, description) in enumerate(draw.sample(PRODUCTS, draw.choice((0, 1, 1, 2, 3))), start=1):
            line = {"codigo_produto": code, "descricao_produto": description, "ordem": place}
            items.append({"nfe_id": notes[-1]["id"], **line})
    async with engine.begin() as connection:
        await connection.execute(insert(nfe_cabecalho), notes)
        if items:
            await connection.execute(insert(nfe_itens), items)
        await nota_search.refresh(connection, [note["id"] for note in notes])


async def assert_search_is_fresh(engine: AsyncEngine) -> None:
    """O que se busca é o que se faria agora, do nada, das notas que o banco tem."""
    async with engine.connect() as connection:
        everyone = list((await connection.execute(text("SELECT id FROM nfe_cabecalho"))).scalars())
        stored = (await connection.execute(text("SELECT * FROM nfe_busca ORDER BY nfe_id"))).all()
        await connection.execute(text("DELETE FROM nfe_busca"))
        await nota_search.refresh(connection, everyone)
        again = (await connection.execute(text("SELECT * FROM nfe_busca ORDER BY nfe_id"))).all()
        await connection.rollback()
    assert len(stored) == len(everyone)
    assert [row for row, made in zip(stored, again, strict=True) if row != made] == []


async def everything(engine: AsyncEngine) -> list[dict[str, Any]]:
    """As notas, cada uma com os seus itens em `itens`, na ordem em que a lista as mostra."""
    async with engine.connect() as connection:
        notes = {
            row["id"]: dict(row) | {"itens": []}
            for row in (await connection.execute(text("SELECT * FROM nfe_cabecalho"))).mappings()
        }
        for row in (await connection.execute(text("SELECT * FROM nfe_itens"))).mappings():
            notes[row["nfe_id"]]["itens"].append(dict(row))
    return sorted(
        notes.values(), key=lambda note: (note["data_emissao"] or nota_search.UNDATED, note["id"]), reverse=True
    )


def matches(note: dict[str, Any], search: Search) -> bool:
    """Se a nota é das que se procuram."""
    gone = note["excluida_em"] is not None
    day = note["data_emissao"].date() if note["data_emissao"] else date.min
    return all(
        (
            search.term is None or _is(note, search.term),
            search.cliente is None or _has(_customer(note), search.cliente),
            search.produto is None or _has(_products(note), search.produto),
            search.situacao is None
            or (0 if gone else -1 if note["situacao"] is None else note["situacao"]) == search.situacao,
            search.inicio is None or day >= search.inicio,
            search.fim is None or date.min < day <= search.fim,
        )
    )


def _is(note: dict[str, Any], term: Term) -> bool:
    numero = (note["numero"] or "x").lstrip("0") or "0"
    documento = "".join(c for c in note["contato_documento"] or "" if c.isascii() and c.isalnum()).upper()
    by_number = note["numero"] is not None and numero == (term.value.lstrip("0") or "0")
    whole = len(term.value) in (11, 14)
    by_document = documento == term.value if whole else documento.startswith(term.value)
    in_customer, in_products = _has(_customer(note), term.value), _has(_products(note), term.value)
    root = root_of(term.value)
    ways: dict[str, bool] = {
        "numero": by_number or (len(term.value) == 8 and by_document),
        "documento": by_document,
        "chave": note["chave_acesso"] == term.value,
        "cliente": in_customer,
        "produto": in_products,
        "texto": in_customer or in_products or (root is not None and documento.startswith(root)),
    }
    return ways[term.kind]


def _has(words: set[str], typed: str) -> bool:
    asked = _words(typed)
    return all(
        any(
            word.startswith(one) if len(one) > 2 or (len(one) == 2 and len(asked) == 1) else word == one
            for word in words
        )
        for one in asked
    )


def _customer(note: dict[str, Any]) -> set[str]:
    return _words((note["contato_nome"] or "")[:1000])


def _products(note: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for item in note["itens"]:
        code = item["codigo_produto"] or ""
        bare = "".join(c for c in code if c not in "-./_ ")
        found |= _words(code) | _words(bare) | _words((item["descricao_produto"] or "")[:1000])
    return found


def _words(value: str) -> set[str]:
    plain = "".join(c for c in unicodedata.normalize("NFD", value) if not unicodedata.combining(c)).lower()
    return {word[:40] for word in "".join(c if c.isalnum() or c == "🙂" else " " for c in plain).split()}
