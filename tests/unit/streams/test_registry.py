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
    assert chosen([ALL]) == RESOURCES


def test_um_nome_que_nao_ha_e_dito_com_os_que_ha() -> None:
    with pytest.raises(ConfigurationError, match=r"'boato'.*nfe.*todos"):
        chosen(["nfe", "boato"])


def test_cada_nome_e_de_um_so() -> None:
    said = [name for resource in RESOURCES for name in {resource.name, resource.singular}]
    assert len(said) == len(set(said))
    assert len({resource.path for resource in RESOURCES}) == len(RESOURCES)
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
def test_quem_cita_vem_antes_do_citado_e_o_pai_antes_do_que_se_lista_por_ele(resource: Resource) -> None:
    def place(name: str) -> int:
        return next(place for place, each in enumerate(RESOURCES) if each.name == name)

    assert all(place(resource.name) <= place(name) for name, _ in resource.cites)
    parents = [each.of for each in (resource.each, resource.also_by) if each is not None]
    assert all(place(name) < place(resource.name) for name in parents)


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
