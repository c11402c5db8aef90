"""Do JSON de uma nota às linhas das tabelas, com os casos feios que notas de verdade têm."""

from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bling_collector.db.models import contatos, nfe_cabecalho, nfe_itens, nfe_pagamentos
from bling_collector.payload import Row, UnreadableError, dumps, loads
from bling_collector.streams.cadastros import contatos as contatos_stream
from bling_collector.streams.cadastros import formas_pagamento
from bling_collector.streams.notas import nfe
from bling_collector.streams.notas.nfe import NFE
from bling_collector.streams.produtos import categorias_produto, produtos

FIXTURES = Path(__file__).parents[2] / "fixtures"


def fixture(name: str) -> dict[str, Any]:
    document: dict[str, Any] = loads((FIXTURES / f"{name}.json").read_bytes())
    return document


@pytest.fixture(scope="module")
def nota() -> dict[str, Any]:
    return fixture("nfe")


def whole(**fields: Any) -> dict[str, Any]:
    """Uma nota pequena e inteira."""
    line = {"codigo": "A", "quantidade": 1, "valor": 8, "valorTotal": 8}
    return {"id": 1, "dataEmissao": "2026-02-03 09:52:12", "valorNota": 8, "itens": [line]} | fields


def only(rows: list[Row]) -> Row:
    assert len(rows) == 1
    return rows[0]


def test_the_cabecalho(nota: dict[str, Any]) -> None:
    header = only(nfe.rows(nota)[nfe_cabecalho])
    assert header == {
        "id": 16698952210,
        "numero": "002447",
        "data_emissao": datetime(2026, 2, 3, 9, 52, 12),  # noqa: DTZ001 — hora de Brasília, sem fuso
        "situacao": 6,
        "contato_id": 14300000001,
        "contato_nome": "Metalúrgica Pedra Lascada Ltda",
        "contato_documento": "12345678000195",
        "contato_municipio": "Bento Gonçalves",
        "contato_uf": "RS",
        "total_produtos": Decimal("993.04"),
        "total_nota": Decimal("988.35"),
        "total_descontos": None,
        "tipo": 1,
        "serie": 1,
        "chave_acesso": "43260212345678000195550010000024471234567890",
        "data_operacao": None,
        "natureza_operacao_id": 15102000005,
        "loja_id": None,
        "loja_numero": None,
        "numero_pedido_loja": None,
        "vendedor_id": 15596001,
        "finalidade": 1,
        "valor_frete": Decimal("12.50"),
        "link_xml": "https://bling.example/relatorios/nfe.xml.php?chaveAcesso=4326",
        "link_danfe": None,
        "link_pdf": None,
        "cfop": "vários",
        "cfops": [
            {"cfop": "", "valor": Decimal("987.85")},
            {"cfop": "6102", "valor": Decimal("0.30")},
            {"cfop": "6949", "valor": Decimal("0.20")},
        ],
        "detalhe": nota,
    }


def test_lines_of_one_sku_add_up_and_those_without_stay_apart(nota: dict[str, Any]) -> None:
    items = nfe.rows(nota)[nfe_itens]
    assert [(i["ordem"], i["codigo_produto"], i["quantidade"], i["valor_total"]) for i in items] == [
        (1, "BLG-5", Decimal(4), Decimal("0.50")),
        (2, None, Decimal("1.5"), Decimal("15.00")),
        (4, None, Decimal(2), Decimal("4.69")),
        (5, 'COROA "X" 50%-AÇO & D\'ÁGUA', Decimal(1), Decimal("972.85")),
        (6, "SERV-1", Decimal(1), Decimal(0)),
    ]
    assert all(i["nfe_id"] == nota["id"] and i["valor_desconto"] is None for i in items)


def test_the_price_of_a_sku_sold_at_two_prices_is_the_mean(nota: dict[str, Any]) -> None:
    first, second, *_ = nfe.rows(nota)[nfe_itens]
    assert (first["valor_unitario"], first["descricao_produto"]) == (Decimal("0.125"), "Engrenagem reta")
    assert (second["valor_unitario"], second["unidade_medida"]) == (Decimal(10), "KG")


def test_the_same_sku_at_the_same_price_keeps_the_price() -> None:
    line = {"codigo": "A", "quantidade": 3, "valor": Decimal("0.33"), "valorTotal": Decimal("0.99")}
    item = only(nfe.rows(whole(itens=[line, line]))[nfe_itens])
    assert (item["valor_unitario"], item["quantidade"], item["valor_total"]) == (Decimal("0.33"), 6, Decimal("1.98"))


def test_the_parcelas(nota: dict[str, Any]) -> None:
    assert nfe.rows(nota)[nfe_pagamentos] == [
        {
            "nfe_id": nota["id"],
            "valor": Decimal("494.18"),
            "forma_pagamento_id": 2094137,
            "data_vencimento": date(2026, 3, 5),
            "numero_parcela": 1,
        },
        {
            "nfe_id": nota["id"],
            "valor": Decimal("494.17"),
            "forma_pagamento_id": None,
            "data_vencimento": None,
            "numero_parcela": 2,
        },
    ]


def test_the_contato_as_the_nota_brings_it(nota: dict[str, Any]) -> None:
    assert nfe.rows(nota)[contatos] == [
        {
            "id": 14300000001,
            "nome": "Metalúrgica Pedra Lascada Ltda",
            "documento": "12345678000195",
            "email": None,
            "tipo_pessoa": "J",
            "municipio": "Bento Gonçalves",
            "uf": "RS",
            "telefone": "(54) 5555-0101",
        }
    ]


def test_a_cancelled_foreign_nota_without_itens_or_parcelas() -> None:
    rows = nfe.rows(fixture("nfe_estrangeira"))
    header = only(rows[nfe_cabecalho])
    assert (header["id"], header["contato_id"]) == (2**63 - 1, 2**53 + 1), "ids de 64 bits não passam por float"
    assert (header["contato_uf"], header["contato_documento"]) == ("EX", None)
    assert (header["data_emissao"], header["serie"], header["loja_numero"]) == (datetime(2024, 2, 29), 2, "777")  # noqa: DTZ001 — hora de Brasília
    assert (header["total_nota"], header["total_produtos"]) == (Decimal(0), Decimal(0))
    assert rows[nfe_itens] == rows[nfe_pagamentos] == []


WRONG: dict[str, Any] = {
    "numero": {"valor": "2447"},
    "dataEmissao": "2026-13-45 99:99:99",
    "dataOperacao": 20260203,
    "situacao": {"id": 6, "valor": 6},
    "tipo": "um",
    "serie": Decimal("1.5"),
    "finalidade": True,
    "valorNota": "mil",
    "valorFrete": True,
    "chaveAcesso": ["4326"],
    "contato": "Fulano",
    "contato.id": "x",
    "contato.nome": {"primeiro": "Fulano"},
    "contato.numeroDocumento": ["123.456.789-09"],
    "contato.email": True,
    "contato.endereco": ["Rua", "Bairro"],
    "contato.endereco.uf": {"sigla": "RS"},
    "naturezaOperacao": "5",
    "loja": 204561377,
    "loja.numero": {},
    "vendedor": [{"id": 1}],
    "numeroPedidoLoja": False,
    "xml": {"url": "https://bling.example"},
    "itens": "BLG-5",
    "itens[2]": None,
    "itens[1]": {},
    "itens[1].codigo": {"sku": "BLG-5"},
    "itens[1].descricao": ["Engrenagem"],
    "itens[2].quantidade": "1.500",
    "itens[3].valor": [1],
    "itens[4].valorTotal": False,
    "itens[1].pesoBruto": "leve",
    "itens[1].impostos": "isento",
    "itens[1].impostos.icms.aliquota": "12%",
    "itens[1].cfop": {"codigo": "6102"},
    "parcelas": {"data": "2026-01-01", "valor": 1},
    "parcelas[1].data": "amanhã",
    "parcelas[2].data": "2026-03-05T01:00:00Z",
    "parcelas[1].valor": "1.2.3",
    "parcelas[2].formaPagamento": 15,
}


def changed(value: Any, path: list[str], new: Any) -> Any:
    """O mesmo, com `new` ao fim do caminho."""
    if not path:
        return new
    key, _, place = path[0].partition("[")
    inner = value.get(key, {}) if isinstance(value, dict) else {}
    if place:
        position = int(place.rstrip("]")) - 1
        inner = [changed(line, path[1:], new) if i == position else line for i, line in enumerate(inner)]
        return value | {key: inner}
    return value | {key: changed(inner, path[1:], new)}


@pytest.mark.parametrize("field", WRONG)
def test_what_cannot_be_read_refuses_the_whole_nota_and_names_the_field(nota: dict[str, Any], field: str) -> None:
    with pytest.raises(UnreadableError) as refusal:
        nfe.rows(changed(nota, field.split("."), WRONG[field]))
    assert str(refusal.value).startswith(f"{field} ve")
    assert not any(word in str(refusal.value) for word in ("Fulano", "789-09", "Rua", "bling.example"))


@pytest.mark.parametrize(
    ("piece", "missing"),
    [
        ({"id": 1, "numero": "002447"}, "dataEmissao"),
        ({"valorNota": None}, "valorNota"),
        ({"valorNota": ""}, "valorNota"),
        ({"dataEmissao": "0000-00-00 00:00:00"}, "dataEmissao"),
        ({"itens": None}, "itens"),
        ({"itens": []}, "itens"),
        ({"itens": {}}, "itens"),
    ],
)
def test_every_nota_has_lines_a_value_and_a_date(nota: dict[str, Any], piece: dict[str, Any], missing: str) -> None:
    document = piece if "numero" in piece else nota | piece
    with pytest.raises(UnreadableError, match=f"^{missing} não veio"):
        nfe.rows(document)
    with pytest.raises(UnreadableError, match=f"^{missing} não veio"):
        nfe.rows({name: value for name, value in nota.items() if name != missing})


@pytest.mark.parametrize("nothing", [{"itens": None}, {"itens": []}, {"itens": ""}, {}])
def test_a_nota_that_is_worth_nothing_may_have_no_lines(nota: dict[str, Any], nothing: dict[str, Any]) -> None:
    bare = {name: value for name, value in nota.items() if name not in ("itens", "parcelas")}
    rows = nfe.rows(bare | {"valorNota": 0} | nothing)
    assert (only(rows[nfe_cabecalho])["total_nota"], rows[nfe_itens], rows[nfe_pagamentos]) == (0, [], [])


def test_a_list_of_php_that_came_as_an_object_is_the_list(nota: dict[str, Any]) -> None:
    as_objects = {
        key: {str(number): line for number, line in enumerate(nota[key], start=1)} for key in ("itens", "parcelas")
    }
    assert nfe.rows(nota | as_objects) == nfe.rows(nota), "e em `detalhe` também, de onde a view lê as linhas"


def test_numbers_in_the_brazilian_way_and_dates_with_a_zone(nota: dict[str, Any]) -> None:
    line = {
        "codigo": "A",
        "quantidade": "1,5",
        "valor": "1.234,56",
        "valorTotal": " 1851.84 ",
        "impostos": {"icms": {"valor": "222,22", "st": 0}},
    }
    spelt = {"dataEmissao": "2026-02-03T12:52:12Z", "dataOperacao": "03/02/2026 09:52", "valorNota": "1.234,56"}
    rows = nfe.rows(nota | spelt | {"itens": [line]})
    header, item = only(rows[nfe_cabecalho]), only(rows[nfe_itens])
    assert header["data_emissao"] == datetime(2026, 2, 3, 9, 52, 12)  # noqa: DTZ001 — hora de Brasília
    assert header["data_operacao"] == datetime(2026, 2, 3, 9, 52)  # noqa: DTZ001 — hora de Brasília
    assert header["total_nota"] == Decimal("1234.56")
    expected = (Decimal("1.5"), Decimal("1234.56"), Decimal("1851.84"))
    assert (item["quantidade"], item["valor_unitario"], item["valor_total"]) == expected
    assert header["detalhe"]["valorNota"] == "1.234,56"
    assert header["detalhe"]["itens"] == [
        {
            "codigo": "A",
            "quantidade": Decimal("1.5"),
            "valor": Decimal("1234.56"),
            "valorTotal": Decimal("1851.84"),
            "impostos": {"icms": {"valor": Decimal("222.22"), "st": 0}},
        }
    ]
    assert line["valor"] == "1.234,56", "o documento que chegou não é tocado"


def test_the_noise_of_a_float_is_neither_in_the_columns_nor_in_what_the_view_reads() -> None:
    line = {
        "codigo": "A",
        "quantidade": Decimal("1.7000000477"),
        "valor": Decimal("49.9000015259"),
        "valorTotal": Decimal("84.82999999999998"),
        "impostos": {"icms": {"aliquota": 18, "valor": Decimal("15.270000457763672")}},
    }
    parcela = {"data": "2026-03-05", "valor": Decimal("319949.3125")}
    rows = nfe.rows(whole(itens=[line], parcelas=[parcela], valorNota=Decimal("84.8300018311")))
    header, item = only(rows[nfe_cabecalho]), only(rows[nfe_itens])
    assert header["total_nota"] == header["total_produtos"] == item["valor_total"] == Decimal("84.83")
    assert (item["quantidade"], item["valor_unitario"]) == (Decimal("1.7"), Decimal("49.9"))
    assert only(rows[nfe_pagamentos])["valor"] == Decimal("319949.31")
    (shown,) = header["detalhe"]["itens"]
    assert (shown["quantidade"], shown["valor"], shown["valorTotal"]) == (
        *(Decimal("1.7"), Decimal("49.9")),
        Decimal("84.83"),
    )
    assert shown["impostos"]["icms"] == {"aliquota": 18, "valor": Decimal("15.27")}


def test_a_price_with_many_places_is_exact() -> None:
    line = {"codigo": "A", "quantidade": Decimal("3.333333"), "valor": Decimal("12.3456789012"), "valorTotal": 8}
    rows = nfe.rows(whole(itens=[line]))
    item = only(rows[nfe_itens])
    assert (item["quantidade"], item["valor_unitario"]) == (line["quantidade"], line["valor"])
    assert only(rows[nfe_cabecalho])["detalhe"]["itens"] == [line]


@pytest.mark.parametrize("contato", [{"id": 0, "nome": ""}, {}, [], None, {"nome": "Consumidor Final"}])
def test_without_an_id_there_is_no_contato_to_save(contato: Any) -> None:
    rows = nfe.rows(whole(contato=contato))
    assert rows[contatos] == []
    assert only(rows[nfe_cabecalho])["contato_id"] is None


@pytest.mark.parametrize(
    "line",
    [
        {"codigo": "A", "quantidade": Decimal("1e39"), "valor": Decimal("9e39")},
        {"codigo": "A", "quantidade": Decimal("1e-40"), "valor": Decimal(7), "valorTotal": Decimal("1e39")},
    ],
)
def test_a_huge_number_is_exact(line: dict[str, Any]) -> None:
    item = only(nfe.rows(whole(itens=[line, {"codigo": "A", "valor": 8, "valorTotal": 8, "quantidade": 1}]))[nfe_itens])
    assert int(item["valor_total"]) == 8 + int(line.get("valorTotal", 9 * 10**78))
    assert item["valor_unitario"] > 0


@pytest.mark.parametrize("number", ["1e999999", "1e-999999", "1e40", "1e300"])
def test_a_number_beyond_measure_is_refused(number: str) -> None:
    with pytest.raises(UnreadableError, match=r"^itens\[1\]\.quantidade veio como"):
        nfe.rows(whole(itens=[{"codigo": "A", "quantidade": Decimal(number), "valor": 1}]))


def test_the_sum_of_many_lines_is_exact() -> None:
    lines = [
        {"codigo": "A", "quantidade": Decimal("0.1"), "valorTotal": Decimal("99999999999999999999999999999.01")}
    ] * 30
    item = only(nfe.rows(whole(itens=lines))[nfe_itens])
    assert item["quantidade"] == 3
    assert item["valor_total"] == Decimal("2999999999999999999999999999970.30")


@pytest.mark.parametrize(("situacao", "final"), [(s, s in (2, 5, 6, 7, 9)) for s in range(1, 13)] + [(None, False)])
def test_which_situacoes_are_final(situacao: int | None, *, final: bool) -> None:
    assert NFE.is_final({"situacao": situacao}) is final


def test_the_day_of_the_row() -> None:
    assert NFE.day({"dataEmissao": "2026-02-03 23:59:59"}) == date(2026, 2, 3)
    assert NFE.day({"dataEmissao": "0000-00-00 00:00:00"}) is None
    assert NFE.day({}) is None


def test_the_listings_also_ask_for_the_cancelled() -> None:
    assert NFE.shows == ((("tipo", "1"),), (("tipo", "1"), ("situacao", "2")))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["0000-00-00", "2026-02-30", "12.345.678/0001-95", "1e999", "-0", " ", "2026-01-01 24:00:00"]),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
NAMES = """
id numero situacao tipo serie dataEmissao dataOperacao contato nome endereco geral municipio uf itens codigo quantidade
valor valorTotal valorNota valorFrete parcelas data formaPagamento loja vendedor naturezaOperacao chaveAcesso
numeroDocumento idProdutoPai preco categoriaPai tipoPagamento
"""
names = st.sampled_from(NAMES.split())
documents = st.recursive(
    values,
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(names | st.text(max_size=3), children, max_size=9)
    ),
    max_leaves=40,
)
objects = st.dictionaries(names, documents, max_size=14)


@settings(max_examples=10, deadline=None)
@given(document=objects)
def test_no_json_object_breaks_a_mapping(document: dict[str, Any]) -> None:
    for stream in (nfe, contatos_stream, produtos, categorias_produto, formas_pagamento):
        with suppress(UnreadableError):
            for rows in stream.rows(document).values():
                for row in rows:
                    assert loads(dumps(row)).keys() == row.keys()
