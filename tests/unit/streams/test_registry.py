"""O registro: os nomes, o que se coleta sem que se peça, e o que toda declaração tem de ter."""

import pytest

from bling_collector.errors import ConfigurationError
from bling_collector.etl.resource import Resource
from bling_collector.streams.registry import ALL, RESOURCES, chosen, named

EACH = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)


def test_sem_nomes_coleta_se_o_que_sempre_se_coletou() -> None:
    usual = ["nfe", "contatos", "produtos", "categorias_produto", "formas_pagamento"]
    assert sorted(resource.name for resource in chosen(None)) == sorted(usual)
    assert chosen(()) == chosen(None)


def test_os_nomes_escolhem_e_a_ordem_e_a_do_registro() -> None:
    assert [resource.name for resource in chosen(["contatos", "nfe"])] == ["nfe", "contatos"]
    assert chosen([ALL]) == tuple(resource for resource in RESOURCES if not resource.by_name)


def test_o_que_so_se_pede_pelo_nome_nao_vem_com_todos() -> None:
    by_name = {resource.name for resource in RESOURCES if resource.by_name}
    assert "nfe_entrada_detalhes" in by_name
    assert chosen([ALL, *by_name]) == RESOURCES
    assert [each.name for each in chosen(["nfe_entrada"])] == ["nfe_entrada", "nfe_entrada_detalhes"]
    assert [each.name for each in chosen(["nfe_entrada_detalhes"])] == ["nfe_entrada", "nfe_entrada_detalhes"]
    assert "nfe_entrada_detalhes" in {each.name for each in chosen([ALL, "nfe_entrada"])}
    assert [each.name for each in chosen(["documentos"])] == ["nfe", "documentos"]
    assert [each.name for each in chosen(["nfe"])] == ["nfe"]


@EACH
def test_o_que_um_recurso_precisa_ou_traz_e_um_recurso(resource: Resource) -> None:
    for name in filter(None, (resource.needs, resource.brings)):
        assert named(name) is not None


@pytest.mark.parametrize("details", [True, False])
def test_os_detalhes_desligados_deixam_as_notas_de_entrada(details: bool) -> None:
    switches = {"nfe_entrada": True} | ({} if details else {"nfe_entrada_detalhes": False})
    found = {each.name for each in chosen(None, switches)} - {each.name for each in chosen(None)}
    assert found == {"nfe_entrada"} | ({"nfe_entrada_detalhes"} if details else set())


def test_um_nome_que_nao_ha_e_dito_com_os_que_ha() -> None:
    with pytest.raises(ConfigurationError, match=r"'boato'.*nfe.*todos"):
        chosen(["nfe", "boato"])


def test_cada_nome_e_de_um_so() -> None:
    said = [name for resource in RESOURCES for name in {resource.name, resource.singular}]
    assert len(said) == len(set(said))
    listings = [(each.path, each.shows) for each in RESOURCES if each.listed]
    assert len({*listings}) == len(listings)
    assert [resource.principal for resource in RESOURCES].count(True) == 1


@EACH
def test_o_recurso_se_acha_pelos_dois_nomes(resource: Resource) -> None:
    assert named(resource.name) is named(resource.singular) is resource


@EACH
def test_o_que_se_cita_e_um_recurso(resource: Resource) -> None:
    for name, column in resource.cites:
        assert named(name) is not None, name
        tables = {resource.table.name, *(child.table.name for child in resource.children)}
        assert column.table.name in tables


@EACH
def test_o_que_se_percorre_por_janelas_guarda_o_que_a_prova_conta(resource: Resource) -> None:
    if resource.emitted is None:
        return
    columns = resource.table.c.keys()
    assert {resource.emitted.columns.day, resource.emitted.columns.group} <= set(columns)
    assert {"resumo_lista", "excluida_em", "detalhe"} <= set(columns)


@EACH
def test_o_que_a_listagem_inteira_exclui_tem_onde_o_dizer(resource: Resource) -> None:
    if resource.whole is not None and not resource.whole.when_lacking:
        assert {"excluida_em", "nao_encontrado_em"} <= set(resource.table.c.keys())
    assert {*resource.state} <= {*resource.volatile}
