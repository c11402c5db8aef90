"""As ordens de produção: GET /ordens-producao (sem itens) e GET /ordens-producao/{id}, uma por ordem."""

from bling_collector.db.models import ordens_producao, ordens_producao_itens, ordens_producao_vendas
from bling_collector.etl.resource import Child, Document, Each, Person, Resource, Rows, Whole
from bling_collector.payload import Fields, Row, objects, part, text
from bling_collector.traces import only

_ORDEM = (
    *("id", "dataPrevisaoInicio", "dataPrevisaoFinal", "dataInicio", "dataFim", "numero", "responsavel", "deposito"),
    "situacao",
)
_ITEM = ("produto", "quantidade")
"""O que fica da ordem de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal."""
_SITUACOES = """
    SELECT s.id AS "idsSituacoes[]" FROM situacoes s JOIN situacoes_modulos m ON m.id = s.modulo_id
    WHERE s.detalhe IS NOT NULL AND s.excluida_em IS NULL
      AND concat_ws(' ', m.nome, m.descricao) ILIKE '%produ__o%'
    ORDER BY s.id"""
"""As do módulo de produção, que se acha pelo nome: o número dele não se sabe se é o mesmo em toda conta."""


def rows(ordem: Document) -> Rows:
    """As linhas de uma ordem, do seu detalhe: ela, o que se fabrica e as vendas para que se fabrica."""
    read = Fields(ordem)
    ordem_id = read.id("id")
    itens, vendas = (enumerate(read.objects(name), start=1) for name in ("itens", "vendas"))
    return {
        ordens_producao: [_ordem(read) | {"detalhe": ordem}],
        ordens_producao_itens: [
            {
                "ordem_producao_id": ordem_id,
                "ordem": lugar,
                "produto_id": item.reference("produto"),
                "codigo_produto": item.text("produto", "codigo"),
                "nome": item.text("produto", "nome"),
                "quantidade": item.measured("quantidade"),
            }
            for lugar, item in itens
        ],
        ordens_producao_vendas: [
            {
                "ordem_producao_id": ordem_id,
                "ordem": lugar,
                "numero": venda.id("numero"),
                "contato_id": venda.reference("contato"),
            }
            for lugar, venda in vendas
        ],
    }


def _ordem(ordem: Fields) -> Row:
    return {
        "id": ordem.id("id"),
        "numero": ordem.id("numero"),
        "situacao_id": ordem.reference("situacao"),
        "situacao_valor": ordem.integer("situacao", "valor"),
        "situacao_nome": ordem.text("situacao", "nome"),
        "data_previsao_inicio": ordem.local_date("dataPrevisaoInicio"),
        "data_previsao_final": ordem.local_date("dataPrevisaoFinal"),
        "data_inicio": ordem.local_date("dataInicio"),
        "data_fim": ordem.local_date("dataFim"),
        "responsavel": ordem.text("responsavel"),
        "deposito_origem_id": ordem.id("deposito", "idOrigem") or None,
        "deposito_destino_id": ordem.id("deposito", "idDestino") or None,
    }


def is_closed(ordem: Document) -> bool:
    """Se já nada se espera dela: finalizada, mas não só em parte, ou cancelada."""
    said = (text(part(ordem, "situacao", "nome")) or "").strip().casefold()
    return said.startswith(("finalizad", "cancelad")) and "parcial" not in said


def nameless_ordem(ordem: Document) -> Document:
    """A ordem com datas, números, situação, depósitos e o que se fabrica; de quem comprou, o id."""
    kept = only(ordem, _ORDEM)
    if "itens" in ordem:
        kept["itens"] = [only(line, _ITEM) for line in objects(ordem["itens"])]
    if "vendas" in ordem:
        kept["vendas"] = [
            only(line, ("numero",)) | {"contato": only(part(line, "contato"), ("id",))}
            for line in objects(ordem["vendas"])
        ]
    return kept


ORDENS_PRODUCAO = Resource(
    name="ordens_producao",
    title="Ordens de produção",
    noun="Ordem de produção",
    singular="ordem_producao",
    permission="Ordens de produção",
    path="/ordens-producao",
    table=ordens_producao,
    rows=rows,
    always=("situacao", ("itens", "vendas", "observacoes")),
    # Não se sabe se a listagem mostra também as fechadas: pedem-se por cada situação. Onde as situações não se leem,
    # uma que se fecha some da listagem, e o detalhe é que diz se foi excluída.
    also_by=Each(_SITUACOES, params=("idsSituacoes[]",), of="situacoes"),
    listable=lambda ordem: not is_closed(ordem),
    whole=Whole(),
    is_final=is_closed,
    # A linha mostra a situação e as datas; o que se fabrica, e para quem, só o detalhe.
    weekly=True,
    cites=(
        ("contatos", ordens_producao_vendas.c.contato_id),
        ("produtos", ordens_producao_itens.c.produto_id),
        ("depositos", ordens_producao.c.deposito_origem_id),
        ("depositos", ordens_producao.c.deposito_destino_id),
    ),
    children=(
        Child(ordens_producao_itens, "ordem_producao_id"),
        Child(ordens_producao_vendas, "ordem_producao_id"),
    ),
    history=("itens",),
    person=Person(
        nameless_ordem,
        contato_id=ordens_producao_vendas.c.contato_id,
        within="vendas",
        names=(),
        texts=("observacoes",),
    ),
    names=lambda row: {"numero": text(row.get("numero"))},
)
