"""O registro: os nomes, o que se coleta sem que se peça, e o que toda declaração tem de ter."""

import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Numeric, Table
from tests.fixtures import fixture

from bling_collector.db.models import contatos
from bling_collector.errors import ConfigurationError
from bling_collector.etl.resource import Each, Resource
from bling_collector.payload import Row, UnreadableError
from bling_collector.streams.registry import ALL, RESOURCES, chosen, in_place, named, whole_of
from bling_simulator.api.dispatch import RESOURCES as SIMULATED

Place = tuple[str | int, ...]
_FIXTURES = {
    "categoria_produto": "categoria",
    "estoque": "estoque_saldo",
    "nota_entrada": "nfe",
    "nota_entrada_detalhe": "nfe",
}
"""Os que não têm o nome do recurso."""
_NOT_CITED = {
    "nfe_entrada_detalhes.contato_id": "é o do cabeçalho, que o traz",
    "contas_receber.origem_id": "de um pedido ou de uma nota, que se leem por janelas",
    "boletos_origens.contato_id": "é o da conta, que o traz",
    "boletos.conta_id": "as contas leem-se por janelas",
    "caixas_lancamentos.origem_id": "de muitas espécies; o borderô di-lo a conta que ele quitou",
    "pedidos_venda.nota_fiscal_id": "as notas leem-se por janelas",
    "pedidos_compra.nota_fiscal_id": "as notas leem-se por janelas",
    "pedidos_compra_itens.nota_fiscal_id": "as notas leem-se por janelas",
    "ordens_producao.situacao_id": "lista-se pelas situações, que se leem todas antes",
    "produtos_lotes.produto_id": "é um dos por que se pediu",
    "produtos_lotes_saldos.produto_id": "é o do lote",
    "produtos_lotes_saldos.deposito_id": "é o do lote",
    "produtos_lotes_lancamentos.lote_id": "é o de cuja listagem o lançamento vem",
    "produtos_lotes_lancamentos.origem_id": "não se diz de que espécie é",
    "produtos.categoria_id": "tem o seu próprio passo",
    "produtos.produto_pai_id": "o pai de uma variação vem se alguém o vendeu ou o tem em estoque",
    "categorias_produto.categoria_pai_id": "a listagem é a de todas",
    "categorias_lojas.categoria_produto_id": "a listagem das categorias é a de todas",
    "grupos_produto.grupo_pai_id": "a listagem é a de todos",
    "situacoes.modulo_id": "é o de cuja listagem a situação vem",
    "campos_customizados.modulo_id": "é o de cuja listagem o campo vem",
    "campos_customizados.tipo_campo_id": "os tipos são do Bling, e não da conta",
    "logisticas.integracao_id": "as integrações do Bling não se leem",
    "logisticas_objetos.pedido_venda_id": "os pedidos leem-se por janelas",
    "logisticas_objetos.nota_fiscal_id": "as notas leem-se por janelas",
    "logisticas_remessas.logistica_id": "é a de cuja listagem a remessa vem",
    "logisticas_remessas_objetos.objeto_id": "os objetos pedem-se com os pedidos e as notas, que são de um período",
    "transporte_volumes.objeto_id": "os das notas pedem-se com os dos pedidos, que os citam",
}
_DECLARED = """
from sqlalchemy import BigInteger, Column, MetaData, Table
from bling_collector.etl.resource import Each, Resource

table = Table("devolucoes", MetaData(), Column("id", BigInteger, primary_key=True), Column("contato_id", BigInteger))
DEVOLUCOES = Resource(
    "devolucoes", "Devoluções", "Devolução", "devolucao", "Devoluções", "/devolucoes", table, lambda document: {},
    cites=(("contatos", table.c.contato_id),),
)
"""
EACH = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
IN_JSON = [resource for resource in RESOURCES if resource.name != "documentos"]
"""Menos os que se leem de um XML, em que todo número é um texto."""


def test_without_names_the_usual_is_collected() -> None:
    usual = ["nfe", "contatos", "produtos", "categorias_produto", "formas_pagamento"]
    assert sorted(resource.name for resource in chosen(None)) == sorted(usual)
    assert chosen(()) == chosen(None)


def test_the_names_choose_and_the_order_is_that_of_the_registry() -> None:
    assert [resource.name for resource in chosen(["contatos", "nfe"])] == ["nfe", "contatos"]
    assert chosen([ALL]) == tuple(resource for resource in RESOURCES if not resource.by_name)


def test_what_is_only_asked_by_name_does_not_come_with_all() -> None:
    by_name = {resource.name for resource in RESOURCES if resource.by_name}
    assert "nfe_entrada_detalhes" in by_name
    assert chosen([ALL, *by_name]) == RESOURCES
    assert [each.name for each in chosen(["nfe_entrada"])] == ["nfe_entrada", "nfe_entrada_detalhes"]
    assert [each.name for each in chosen(["nfe_entrada_detalhes"])] == ["nfe_entrada", "nfe_entrada_detalhes"]
    assert "nfe_entrada_detalhes" in {each.name for each in chosen([ALL, "nfe_entrada"])}
    assert [each.name for each in chosen(["documentos"])] == ["nfe", "documentos"]
    assert [each.name for each in chosen(["nfe"])] == ["nfe"]


@EACH
def test_what_a_resource_needs_or_brings_is_a_resource(resource: Resource) -> None:
    for name in filter(None, (*resource.needs, resource.brings)):
        assert named(name) is not None


@pytest.mark.parametrize("details", [True, False])
def test_the_details_turned_off_leave_the_incoming_notas(details: bool) -> None:
    switches = {"nfe_entrada": True} | ({} if details else {"nfe_entrada_detalhes": False})
    found = {each.name for each in chosen(None, switches)} - {each.name for each in chosen(None)}
    assert found == {"nfe_entrada"} | ({"nfe_entrada_detalhes"} if details else set())


@pytest.mark.parametrize(
    ("names", "collected"),
    [
        (["situacoes"], {"situacoes", "situacoes_modulos"}),
        (["situacoes", "pedidos_venda"], {"situacoes", "situacoes_modulos", "pedidos_venda"}),
        (["ordens_producao"], {"ordens_producao", "situacoes", "situacoes_modulos"}),
        (["borderos"], {"borderos", "contas_receber", "contas_pagar"}),
        (["borderos", "contas_pagar"], {"borderos", "contas_pagar"}),
        (["produtos"], {"produtos", "nfe"}),
        (["categorias_produto"], {"categorias_produto", "produtos", "nfe"}),
        (["estoques"], {"estoques", "produtos"}),
        (["contatos"], {"contatos", "nfe"}),
        (["contatos", "pedidos_venda"], {"contatos", "pedidos_venda"}),
        (["formas_pagamento"], {"formas_pagamento", "nfe"}),
    ],
)
def test_what_finds_nothing_by_itself_brings_what_it_needs(names: list[str], collected: set[str]) -> None:
    assert {resource.name for resource in chosen(names)} == collected
    assert {resource.name for resource in chosen(None, dict.fromkeys(names, True))} >= collected


def test_the_whole_register_is_asked_by_name() -> None:
    assert whole_of(["nfe", "contatos_todos"]) == {"contatos"}
    assert whole_of([ALL]) == whole_of(None) == whole_of(None, {"produtos_todos": False}) == set()
    assert whole_of(None, {"produtos_todos": True, "vendedores": True}) == {"produtos"}
    assert {"contatos", "nfe"} == {resource.name for resource in chosen(["contatos_todos"])}
    assert "produtos" in {resource.name for resource in chosen(None, {"produtos": False, "produtos_todos": True})}


@EACH
def test_what_is_asked_for_alone_is_collected(resource: Resource) -> None:
    """O que não se lista por si tem quem diga os ids dele, por pouco que se peça."""
    lists_itself = resource.emitted or resource.snapshot or (resource.whole and not resource.whole.when_lacking)
    givers = [each for each in chosen([resource.name]) if each.gives(resource)]
    assert lists_itself or givers
    assert {parents.of for parents in resource.parents if parents.of} <= {each.name for each in chosen([resource.name])}


def test_an_unknown_name_is_said_along_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"'boato'.*nfe.*todos"):
        chosen(["nfe", "boato"])


def test_each_name_is_of_one_only() -> None:
    said = [name for resource in RESOURCES for name in {resource.name, resource.singular}]
    assert len(said) == len(set(said))
    listings = [(each.path, each.shows) for each in RESOURCES if each.listed]
    assert len({*listings}) == len(listings)
    assert [resource.principal for resource in RESOURCES].count(True) == 1


@EACH
def test_a_resource_is_found_by_both_names(resource: Resource) -> None:
    assert named(resource.name) is named(resource.singular) is resource


@EACH
def test_what_is_cited_is_a_resource(resource: Resource) -> None:
    for name, column in resource.cites:
        assert named(name) is not None, name
        tables = {resource.table.name, *(child.table.name for child in resource.children)}
        assert column.table.name in tables


@EACH
def test_the_id_of_another_resource_is_cited(resource: Resource) -> None:
    cited = {column for _, column in resource.cites}
    seen = {resource.table.c.get("contato_id")} if contatos in resource.first_seen else set()
    parents = {child.table.c[child.parent] for child in resource.children}
    tables = [resource.table, *(child.table for child in resource.children)]
    for column in (column for table in tables for column in table.c if column.name.endswith("_id")):
        assert column in cited | seen | parents or str(column) in _NOT_CITED, (
            f"{column}: o id de outro recurso vai em `cites`; se se lê de outro modo, em _NOT_CITED, com o porquê"
        )


def test_what_is_said_not_to_be_cited_is_not() -> None:
    left = {
        str(column)
        for resource in RESOURCES
        for table in (resource.table, *(child.table for child in resource.children))
        for column in table.c
        if column not in {cited for _, cited in resource.cites}
    }
    assert _NOT_CITED.keys() - left == set(), "já se cita, ou já não existe: saia de _NOT_CITED"


def test_every_declared_resource_is_collected(tmp_path: Path) -> None:
    """Também um de que o registro não sabe o nome: basta que esteja declarado."""
    room = tmp_path / "novidades"
    room.mkdir()
    (room / "__init__.py").write_text("")
    (room / "devolucoes.py").write_text(_DECLARED)
    program = f"""if True:
        from bling_collector import streams
        streams.__path__.append({str(tmp_path)!r})
        from bling_collector.streams.registry import RESOURCES, named
        names = [each.name for each in RESOURCES]
        assert named("devolucao").path == "/devolucoes"
        assert names.index("devolucoes") == names.index("contatos") - 1, names
        names.remove("devolucoes")
        print(*names)
    """
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [each.name for each in RESOURCES]


@pytest.mark.parametrize(
    ("cites", "parent", "place"),
    [((), None, 3), (("c",), None, 2), (("a", "c"), None, 0), ((), "a", 3), (("b",), "a", 1), (("a",), "c", 3)],
)
def test_one_of_which_the_registry_does_not_know_the_place(
    cites: tuple[str, ...], parent: str | None, place: int
) -> None:
    each = None if parent is None else Each("SELECT 1 AS id", of=parent)
    column = Column("x_id", BigInteger)
    new = _resource("novo", cites=tuple((name, column) for name in cites), each=each)
    others = tuple(map(_resource, "abc"))
    found = in_place(others, [new, others[1]])
    assert [each.name for each in found if each is not new] == ["a", "b", "c"]
    assert found.index(new) == place


def _resource(name: str, **how: Any) -> Resource:
    table = Table(name, MetaData(), Column("id", BigInteger, primary_key=True))
    return Resource(name, name, name, f"um_{name}", name, f"/{name}", table, lambda document: {}, **how)


@EACH
def test_the_simulated_bling_serves_it(resource: Resource) -> None:
    assert resource.path in SIMULATED, f"o Bling simulado não atende {resource.path}: CONTRIBUTING.md diz onde"


@EACH
def test_who_cites_comes_before_the_cited_and_parents_before_children(resource: Resource) -> None:
    place = {each.name: place for place, each in enumerate(RESOURCES)}
    parents = {each.of for each in resource.parents if each.of}
    parents |= {each.name for each in RESOURCES if f"FROM {each.table.name}" in (resource.besides or "")}
    late = [name for name, _ in resource.cites if name not in parents and place[name] < place[resource.name]]
    assert late == [], f"em streams/registry.py, {resource.name}, que os cita, deve vir antes deles"
    early = [name for name in parents if place[name] >= place[resource.name]]
    assert early == [], f"em streams/registry.py, {resource.name} deve vir depois deles, que lhe dão os ids"


@EACH
def test_what_is_read_by_windows_keeps_what_the_proof_counts(resource: Resource) -> None:
    if resource.emitted is None:
        return
    columns = resource.table.c.keys()
    assert {resource.emitted.columns.day, resource.emitted.columns.group} <= set(columns)
    assert {"resumo_lista", "excluida_em", "detalhe"} <= set(columns)


@EACH
def test_only_what_is_listed_keeps_the_digest_of_its_row(resource: Resource) -> None:
    """Ou o que se pede outra vez se muda a linha de outro."""
    if resource.optional and resource.snapshot is None:
        assert resource.keeps_listing is (resource.listed or resource.name == "nfe_entrada_detalhes")


@pytest.mark.parametrize("resource", [each for each in RESOURCES if not each.principal], ids=lambda each: each.name)
def test_the_key_of_a_child_is_that_of_where_it_is(resource: Resource) -> None:
    """A do pai e o lugar nele; as das notas são as do primeiro coletor, com um número sem significado."""
    for child in resource.children:
        keys = [column.name for column in child.table.primary_key]
        assert child.parent in keys
        assert len(keys) > 1


@EACH
def test_a_person_is_found_by_an_id_that_is_a_number(resource: Resource) -> None:
    said = "com `person`, o id é inteiro: de uma chave de dois, `key` faz um número"
    assert resource.person is None or not resource.has_text_ids, said


@EACH
def test_what_a_whole_listing_deletes_has_where_to_be_marked(resource: Resource) -> None:
    if resource.whole is not None and not resource.whole.when_lacking:  # o que só se cita nunca se dá por excluído
        assert {"excluida_em", "nao_encontrado_em"} <= set(resource.table.c.keys())
    assert {*resource.state} <= {*resource.volatile}


@pytest.mark.parametrize("resource", IN_JSON, ids=lambda resource: resource.name)
def test_a_64_bit_column_reads_a_64_bit_number(resource: Resource) -> None:
    document = _document(resource)
    mark, large = 7_654_321, 3_000_000_000
    places = [place for place in _numbers(document) if mark in _said(resource, document, place, mark, BigInteger)]
    has_any = any(isinstance(column.type, BigInteger) for column in resource.table.c)
    assert places or not has_any
    assert all(large in _said(resource, document, place, large, BigInteger) for place in places)


@pytest.mark.parametrize(
    "resource", [each for each in IN_JSON if each.path not in {"/nfe", "/nfce"}], ids=lambda resource: resource.name
)
def test_a_measure_loses_the_noise_of_32_bits(resource: Resource) -> None:
    """Menos as das notas, que ficam exatas como o Bling as dá."""
    document = _document(resource)
    noisy = Decimal("2.34999990463")
    for place in _numbers(document):
        assert noisy not in map(abs, _said(resource, document, place, noisy, Numeric)), place


def _document(resource: Resource) -> dict[str, Any]:
    return fixture(_FIXTURES.get(resource.singular, resource.singular))


def _numbers(value: Any, *place: str | int) -> Iterator[Place]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        if type(each) in {int, Decimal}:
            yield (*place, key)
        yield from _numbers(each, *place, key)


def _said(resource: Resource, document: dict[str, Any], place: Place, number: int | Decimal, kind: type) -> list[Any]:
    """O que as colunas deste tipo dizem do documento em que este número é outro; nada, se assim não se lê."""
    changed: Any = deepcopy(document)
    *path, last = place
    holder = changed
    for key in path:
        holder = holder[key]
    holder[last] = number
    try:
        found = resource.rows(changed)
    except UnreadableError:
        return []
    return [value for table, rows in found.items() for row in rows for value in _of_kind(table, row, kind)]


def _of_kind(table: Table, row: Row, kind: type) -> list[Any]:
    columns = (column for column in table.c if isinstance(column.type, kind) and column.name in row)
    return [row[column.name] for column in columns if row[column.name] is not None]
