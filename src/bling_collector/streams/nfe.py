"""As NF-e de saída: GET /nfe (sem itens nem valores) e GET /nfe/{id}, uma por nota."""

import re
from collections.abc import Collection, Mapping
from decimal import Context, Decimal, DecimalException

from bling_collector.db import nota_search, repository
from bling_collector.db.core import AsyncConnection
from bling_collector.db.models import contatos, nfe_cabecalho, nfe_itens, nfe_pagamentos
from bling_collector.payload import (
    Json,
    Row,
    decimal,
    documento,
    integer,
    local_date,
    local_datetime,
    objects,
    part,
    reference,
    text,
)
from bling_collector.streams.base import Child, Document, Rows, Stream
from bling_collector.streams.nameless import nameless_nota

FINAL = frozenset({2, 5, 6, 7, 9})
"""Cancelada, autorizada, emitida, registrada, denegada: só muda se a listagem mostrar. As demais situações ainda
podem ter itens e valores editados sem que a listagem o mostre (referência: situações de /nfe)."""

AWAITING = frozenset({1, 3, 8, 10})
"""Das outras, as que esperam: pendente, aguardando recibo ou protocolo, em consulta. Uma rejeitada ou bloqueada fica
como está até que alguém a corrija."""

SEVERAL = "vários"
"""No lugar do CFOP, quando as linhas têm mais de um."""

_EXACT = Context(prec=200)
"""Somas e produtos sem arredondar: o contexto padrão só guarda 28 algarismos."""


def rows(nota: Document) -> Rows:
    """As linhas de uma nota, do seu detalhe: cabeçalho, itens, pagamentos e o contato como a nota o traz."""
    nfe_id = integer(nota.get("id"))
    linhas = objects(nota.get("itens"))
    itens = _itens(nfe_id, linhas)
    contato = _contato(part(nota, "contato"))
    return {
        nfe_cabecalho: [_cabecalho(nota, itens) | _cfops_da_nota(linhas, decimal(nota.get("valorNota")))],
        nfe_itens: itens,
        nfe_pagamentos: [
            _pagamento(nfe_id, numero, parcela) for numero, parcela in enumerate(objects(nota.get("parcelas")), start=1)
        ],
        contatos: [contato] if contato["id"] is not None else [],
    }


def _cabecalho(nota: Document, itens: list[Row]) -> Row:
    contato, chave = part(nota, "contato"), text(nota.get("chaveAcesso"))
    return {
        "id": integer(nota.get("id")),
        "numero": text(nota.get("numero")),
        "data_emissao": local_datetime(nota.get("dataEmissao")),
        "situacao": integer(nota.get("situacao")),
        "contato_id": reference(contato),
        "contato_nome": text(part(contato, "nome")),
        "contato_documento": documento(part(contato, "numeroDocumento")),
        "contato_municipio": text(part(contato, "endereco", "municipio")),
        "contato_uf": text(part(contato, "endereco", "uf")),
        "total_produtos": _sum([item["valor_total"] for item in itens]) or Decimal(0),
        "total_nota": decimal(nota.get("valorNota")),
        "total_descontos": None,
        "tipo": integer(nota.get("tipo")),
        "serie": integer(nota.get("serie")),
        "chave_acesso": chave,
        "data_operacao": local_datetime(nota.get("dataOperacao")),
        "natureza_operacao_id": reference(nota.get("naturezaOperacao")),
        "loja_id": reference(nota.get("loja")),
        "loja_numero": text(part(nota, "loja", "numero")),
        "numero_pedido_loja": text(nota.get("numeroPedidoLoja")),
        "vendedor_id": reference(nota.get("vendedor")),
        "finalidade": integer(nota.get("finalidade")),
        "valor_frete": decimal(nota.get("valorFrete")),
        "link_xml": text(nota.get("xml")),
        "link_danfe": text(nota.get("linkDanfe")),
        "link_pdf": text(nota.get("linkPDF")),
        "detalhe": nota,
    }


def _itens(nfe_id: int | None, linhas: list[Mapping[str, Json]]) -> list[Row]:
    """Um item por SKU, com as somas exatas; linhas sem SKU ficam cada uma no seu item."""
    grupos: dict[str | int, list[Mapping[str, Json]]] = {}
    ordens: dict[str | int, int] = {}
    for ordem, linha in enumerate(linhas, start=1):
        chave = text(linha.get("codigo")) or ordem
        grupos.setdefault(chave, []).append(linha)
        ordens.setdefault(chave, ordem)
    return [_item(nfe_id, ordens[chave], grupo) for chave, grupo in grupos.items()]


def _item(nfe_id: int | None, ordem: int, grupo: list[Mapping[str, Json]]) -> Row:
    quantidade = _sum([decimal(linha.get("quantidade")) for linha in grupo])
    valor_total = _sum([_valor_total(linha) for linha in grupo])
    precos = {decimal(linha.get("valor")) for linha in grupo}
    return {
        "nfe_id": nfe_id,
        "codigo_produto": text(grupo[0].get("codigo")),
        "descricao_produto": text(grupo[0].get("descricao")),
        "quantidade": quantidade,
        "valor_unitario": precos.pop() if len(precos) == 1 else _mean_price(valor_total, quantidade),
        "valor_total": valor_total,
        "valor_desconto": None,
        "unidade_medida": text(grupo[0].get("unidade")),
        "ordem": ordem,
        **_cfops_do_item(grupo),
    }


def _cfops_do_item(grupo: list[Mapping[str, Json]]) -> Row:
    partes = _por_cfop(grupo)
    if len(partes) == 1:
        return {"cfop": next(iter(partes)) or None, "cfops": None}
    cfops = [
        {
            "cfop": cfop,
            "quantidade": _sum([decimal(linha.get("quantidade")) for linha in linhas]),
            "valor": _sum([_valor_total(linha) for linha in linhas]),
        }
        for cfop, linhas in sorted(partes.items())
    ]
    return {"cfop": SEVERAL, "cfops": cfops}


def _cfops_da_nota(linhas: list[Mapping[str, Json]], total: Decimal | None) -> Row:
    """Quanto da nota é de cada CFOP; o que ela tem além das linhas (frete, IPI, desconto) fica com o de maior valor."""
    partes = _por_cfop(linhas)
    if len(partes) <= 1:
        return {"cfop": next(iter(partes), "") or None, "cfops": None}
    valores = {cfop: _sum([_valor_total(linha) for linha in partes[cfop]]) or Decimal(0) for cfop in sorted(partes)}
    maior = max(valores, key=lambda cfop: valores[cfop])  # entre iguais, o primeiro
    resto = _sum([total, *(-valor for valor in valores.values())]) if total is not None else None
    valores[maior] = _sum([valores[maior], resto]) or Decimal(0)
    return {"cfop": SEVERAL, "cfops": [{"cfop": cfop, "valor": valor} for cfop, valor in valores.items()]}


def _por_cfop(linhas: list[Mapping[str, Json]]) -> dict[str, list[Mapping[str, Json]]]:
    """As linhas de cada CFOP, escrito sem o ponto; `""` é não ter."""
    partes: dict[str, list[Mapping[str, Json]]] = {}
    for linha in linhas:
        partes.setdefault(re.sub(r"[.\s]", "", text(linha.get("cfop")) or "")[:10], []).append(linha)
    return partes


def _valor_total(linha: Mapping[str, Json]) -> Decimal | None:
    total = decimal(linha.get("valorTotal"))
    if total is not None:
        return total
    quantidade, valor = decimal(linha.get("quantidade")), decimal(linha.get("valor"))
    if quantidade is None or valor is None:
        return None
    try:
        return _EXACT.quantize(_EXACT.multiply(quantidade, valor), Decimal("0.01"))
    except DecimalException:  # um número que não cabe em dinheiro nenhum
        return None


def _sum(values: list[Decimal | None]) -> Decimal | None:
    total: Decimal | None = None
    try:
        for value in values:
            if value is not None:
                total = value if total is None else _EXACT.add(total, value)
    except DecimalException:
        return None
    return total


def _mean_price(total: Decimal | None, quantidade: Decimal | None) -> Decimal | None:
    """O preço médio das linhas de um SKU vendido a preços diferentes, com 10 casas."""
    if total is None or not quantidade:
        return None
    try:
        return _EXACT.quantize(_EXACT.divide(total, quantidade), Decimal("1e-10"))
    except DecimalException:
        return None


def _pagamento(nfe_id: int | None, numero: int, parcela: Mapping[str, Json]) -> Row:
    """`tipo_pagamento`, o código fiscal, vem de /formas-pagamentos: a parcela só traz o id da forma da conta."""
    return {
        "nfe_id": nfe_id,
        "valor": decimal(parcela.get("valor")),
        "forma_pagamento_id": reference(parcela.get("formaPagamento")),
        "data_vencimento": local_date(parcela.get("data")),
        "numero_parcela": numero,
    }


def _contato(contato: Json) -> Row:
    return {
        "id": reference(contato),
        "nome": text(part(contato, "nome")),
        "documento": documento(part(contato, "numeroDocumento")),
        "email": text(part(contato, "email")),
        "tipo_pessoa": text(part(contato, "tipoPessoa")),
        "municipio": text(part(contato, "endereco", "municipio")),
        "uf": text(part(contato, "endereco", "uf")),
        "telefone": text(part(contato, "telefone")),
    }


async def _after_save(connection: AsyncConnection, ids: Collection[int]) -> None:
    await repository.fill_tipo_pagamento(connection, ids)
    await nota_search.refresh(connection, ids)


NFE = Stream(
    name="nfe",
    title="Notas",
    path="/nfe",
    table=nfe_cabecalho,
    rows=rows,
    # Sem `situacao` o Bling esconde as canceladas; sem `tipo`, as de saída são o padrão (referência: GET /nfe).
    listings=((("tipo", "1"),), (("tipo", "1"), ("situacao", "2"))),
    # O padrão esconde mais que as canceladas? As fontes discordam (a descrição diz que não; quem mediu só tinha 6 e 2).
    suspects=tuple((("tipo", "1"), ("situacao", str(situacao))) for situacao in (5, 4, 1, 9, 3, 7, 8, 10, 11)),
    proves=lambda row: integer(row.get("situacao")) not in {2, 5, 6},
    window=("dataEmissaoInicial", "dataEmissaoFinal"),
    is_final=lambda row: integer(row.get("situacao")) in FINAL,
    group=lambda row: str(integer(row.get("situacao"))),
    listing_is_kept=True,
    history=("itens", "parcelas"),
    # Os links trazem uma chave de acesso que muda de uma resposta a outra.
    volatile=("link_xml", "link_danfe", "link_pdf"),
    day=lambda row: local_date(row.get("dataEmissao")),
    person=lambda nota: reference(nota.get("contato")),
    nameless=nameless_nota,
    children=(Child(nfe_itens, "nfe_id"), Child(nfe_pagamentos, "nfe_id")),
    after_save=_after_save,
    # O contato como a nota o traz; o detalhe, que sabe mais, vem no passo dos contatos.
    first_seen=(contatos,),
)
