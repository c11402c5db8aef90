"""O que as notas têm em comum, as de produto e as de consumidor: a linha, o mapeamento puro e o que diz quem é."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

from sqlalchemy import Table

from bling_collector.db.models import contatos
from bling_collector.db.proof import Dated
from bling_collector.etl.resource import Child, Document, Emitted, Params, Person, Rows, days_back
from bling_collector.payload import (
    Fields,
    Json,
    Row,
    UnreadableError,
    as_list,
    decimal,
    integer,
    is_plain,
    local_datetime,
    part,
    text,
)
from bling_collector.streams.contato import contato_of
from bling_collector.streams.nameless import nameless_nota
from bling_collector.windows import Between

FINAL = frozenset({2, 5, 6, 7, 9})
"""Cancelada, autorizada, emitida, registrada, denegada: só muda se a listagem mostrar. As demais situações ainda
podem ter itens e valores editados sem que a listagem o mostre (referência: situações de /nfe)."""

AWAITING = frozenset({1, 3, 8, 10})
"""Das outras, as que esperam: pendente, aguardando recibo ou protocolo, em consulta. Uma rejeitada ou bloqueada fica
como está até que alguém a corrija."""

OPEN = f"situacao IN ({', '.join(map(str, sorted(AWAITING)))})"

SEVERAL = "vários"
"""No lugar do CFOP, quando as linhas têm mais de um."""

_EXACT = Context(prec=500, rounding=ROUND_HALF_UP)
"""Somas e produtos sem arredondar: o contexto padrão só guarda 28 algarismos."""

_DOT = re.compile(r"[.\s]")
_LINE_TEXTS = (
    "tipo",
    "cfop",
    "classificacaoFiscal",
    "cest",
    "gtin",
    "origem",
    "numeroPedidoCompra",
    "informacoesAdicionais",
)
_LINE_NUMBERS = (
    *(("quantidade",), ("valor",), ("valorTotal",), ("pesoBruto",), ("pesoLiquido",)),
    ("impostos", "valorAproximadoTotalTributos"),
    *(("impostos", "icms", name) for name in ("st", "origem", "modalidade", "aliquota", "valor")),
)
"""O que `vw_nfe_linhas` lê no JSON de cada linha, além do que `nfe_itens` traz."""
_LINE_NAMES = ("codigo", "descricao", "quantidade", "valor", "valorTotal")
"""Sem nenhum destes, uma linha não é uma linha."""


@dataclass(frozen=True)
class Tables:
    """As tabelas em que pousam as notas de uma espécie."""

    cabecalho: Table
    itens: Table
    pagamentos: Table

    @property
    def children(self) -> tuple[Child, ...]:
        return Child(self.itens, "nfe_id"), Child(self.pagamentos, "nfe_id")


def rows_of(nota: Document, tables: Tables) -> Rows:
    """As linhas de uma nota, do seu detalhe: cabeçalho, itens, pagamentos e o contato como a nota o traz.

    Toda nota tem linhas, valor e data. As listas que vieram como objetos ficam listas também em `detalhe`.
    """
    read = Fields(nota)
    linhas, parcelas = read.objects("itens"), read.objects("parcelas")
    listed, valor = as_listed(read), read.money("valorNota")
    if valor is None:
        raise UnreadableError("valorNota não veio")
    # Um rascunho, ou a nota que se cancelou sem linhas, vale zero.
    if not linhas and valor:
        raise UnreadableError(f"itens não veio, ou veio sem linhas, numa nota de valor {valor}")
    nfe_id = read.id("id")
    itens = _itens(nfe_id, linhas)
    lists = {"itens": [_plain(linha) for linha in linhas], "parcelas": [dict(parcela.value) for parcela in parcelas]}
    detalhe = {**nota, **{key: lines for key, lines in lists.items() if as_list(nota.get(key)) is not None}}
    only_here = _only_detailed(read, itens) | {"total_nota": valor} | _cfops_da_nota(linhas, valor)
    return {
        tables.cabecalho: [listed | only_here | {"detalhe": detalhe}],
        tables.itens: itens,
        tables.pagamentos: [_pagamento(nfe_id, numero, parcela) for numero, parcela in enumerate(parcelas, start=1)],
        contatos: contatos_of(read),
    }


def as_listed(nota: Fields) -> Row:
    """O que também a linha da listagem diz de uma nota. Toda nota tem data."""
    emitted = nota.local_datetime("dataEmissao")
    if emitted is None:
        raise UnreadableError("dataEmissao não veio")
    return {
        "id": nota.id("id"),
        "numero": nota.text("numero"),
        "situacao": nota.integer("situacao"),
        "contato_id": nota.reference("contato"),
        "contato_nome": nota.text("contato", "nome"),
        "contato_documento": nota.documento("contato", "numeroDocumento"),
        "contato_municipio": nota.text("contato", "endereco", "municipio"),
        "contato_uf": nota.text("contato", "endereco", "uf"),
        "data_emissao": emitted,
        "tipo": nota.integer("tipo"),
        "chave_acesso": nota.text("chaveAcesso"),
        "data_operacao": nota.local_datetime("dataOperacao"),
        "natureza_operacao_id": nota.reference("naturezaOperacao"),
        "loja_id": nota.reference("loja"),
        "loja_numero": nota.text("loja", "numero"),
    }


def _only_detailed(nota: Fields, itens: list[Row]) -> Row:
    """O que só o detalhe diz."""
    return {
        "total_produtos": _sum([item["valor_total"] for item in itens]) or Decimal(0),
        "total_descontos": None,
        "serie": nota.integer("serie"),
        "numero_pedido_loja": nota.text("numeroPedidoLoja"),
        "vendedor_id": nota.reference("vendedor"),
        "finalidade": nota.integer("finalidade"),
        "valor_frete": nota.money("valorFrete"),
        "link_xml": nota.text("xml"),
        "link_danfe": nota.text("linkDanfe"),
        "link_pdf": nota.text("linkPDF"),
    }


def _plain(linha: Fields) -> dict[str, Json]:
    """A linha como fica em `detalhe`, com os números escritos à brasileira em números, e sem ruído: a view os lê
    dali."""
    for name in _LINE_TEXTS:
        linha.text(name)
    plain = dict(linha.value)
    for path in _LINE_NUMBERS:
        number, came = linha.measured(*path), part(plain, *path)
        if number is None or (is_plain(came) and number == decimal(came)):
            continue
        holder = plain
        for parent in path[:-1]:
            holder[parent] = holder = dict(holder[parent])
        holder[path[-1]] = number
    return plain


def _itens(nfe_id: int | None, linhas: list[Fields]) -> list[Row]:
    """Um item por SKU, com as somas exatas; linhas sem SKU ficam cada uma no seu item."""
    grupos: dict[str | int, list[Fields]] = {}
    ordens: dict[str | int, int] = {}
    for ordem, linha in enumerate(linhas, start=1):
        if all(linha.value.get(name) in (None, "") for name in _LINE_NAMES):
            raise UnreadableError(f"{linha.place} veio vazio")
        chave = linha.text("codigo") or ordem
        grupos.setdefault(chave, []).append(linha)
        ordens.setdefault(chave, ordem)
    return [_item(nfe_id, ordens[chave], grupo) for chave, grupo in grupos.items()]


def _item(nfe_id: int | None, ordem: int, grupo: list[Fields]) -> Row:
    quantidade = _sum([linha.measured("quantidade") for linha in grupo])
    valor_total = _sum([_valor_total(linha) for linha in grupo])
    precos = {linha.measured("valor") for linha in grupo}
    textos = [(linha.text("codigo"), linha.text("descricao"), linha.text("unidade")) for linha in grupo]
    codigo, descricao, unidade = textos[0]
    return {
        "nfe_id": nfe_id,
        "codigo_produto": codigo,
        "descricao_produto": descricao,
        "quantidade": quantidade,
        "valor_unitario": precos.pop() if len(precos) == 1 else _mean_price(valor_total, quantidade),
        "valor_total": valor_total,
        "valor_desconto": None,
        "unidade_medida": unidade,
        "ordem": ordem,
        **_cfops_do_item(grupo),
    }


def _cfops_do_item(grupo: list[Fields]) -> Row:
    partes = _por_cfop(grupo)
    if len(partes) == 1:
        return {"cfop": next(iter(partes)) or None, "cfops": None}
    cfops = [
        {
            "cfop": cfop,
            "quantidade": _sum([linha.measured("quantidade") for linha in linhas]),
            "valor": _sum([_valor_total(linha) for linha in linhas]),
        }
        for cfop, linhas in sorted(partes.items())
    ]
    return {"cfop": SEVERAL, "cfops": cfops}


def _cfops_da_nota(linhas: list[Fields], total: Decimal) -> Row:
    """Quanto da nota é de cada CFOP; o que ela tem além das linhas (frete, IPI, desconto) fica com o de maior valor."""
    partes = _por_cfop(linhas)
    if len(partes) <= 1:
        return {"cfop": next(iter(partes), "") or None, "cfops": None}
    valores = {cfop: _sum([_valor_total(linha) for linha in partes[cfop]]) or Decimal(0) for cfop in sorted(partes)}
    maior = max(valores, key=lambda cfop: valores[cfop])  # entre iguais, o primeiro
    resto = _sum([total, *(-valor for valor in valores.values())])
    valores[maior] = _sum([valores[maior], resto]) or Decimal(0)
    return {"cfop": SEVERAL, "cfops": [{"cfop": cfop, "valor": valor} for cfop, valor in valores.items()]}


def _por_cfop(linhas: list[Fields]) -> dict[str, list[Fields]]:
    """As linhas de cada CFOP, escrito sem o ponto; `""` é não ter."""
    partes: dict[str, list[Fields]] = {}
    for linha in linhas:
        partes.setdefault(_DOT.sub("", linha.text("cfop") or "")[:10], []).append(linha)
    return partes


def _valor_total(linha: Fields) -> Decimal | None:
    total, quantidade, valor = linha.money("valorTotal"), linha.measured("quantidade"), linha.measured("valor")
    if total is not None or quantidade is None or valor is None:
        return total
    return _EXACT.quantize(_EXACT.multiply(quantidade, valor), Decimal("0.01"))


def _sum(values: list[Decimal | None]) -> Decimal | None:
    total: Decimal | None = None
    for value in values:
        if value is not None:
            total = value if total is None else _EXACT.add(total, value)
    return total


def _mean_price(total: Decimal | None, quantidade: Decimal | None) -> Decimal | None:
    """O preço médio das linhas de um SKU vendido a preços diferentes, com 10 casas."""
    if total is None or not quantidade:
        return None
    return _EXACT.quantize(_EXACT.divide(total, quantidade), Decimal("1e-10"))


def _pagamento(nfe_id: int | None, numero: int, parcela: Fields) -> Row:
    """`tipo_pagamento`, o código fiscal, vem de /formas-pagamentos: a parcela só traz o id da forma da conta."""
    return {
        "nfe_id": nfe_id,
        "valor": parcela.money("valor"),
        "forma_pagamento_id": parcela.reference("formaPagamento"),
        "data_vencimento": parcela.local_date("data"),
        "numero_parcela": numero,
    }


def contatos_of(nota: Fields) -> list[Row]:
    """O contato como a nota o traz, que diz dele mais que os outros documentos."""
    more: Row = {
        "email": nota.text("contato", "email"),
        "municipio": nota.text("contato", "endereco", "municipio"),
        "uf": nota.text("contato", "endereco", "uf"),
        "telefone": nota.text("contato", "telefone"),
    }
    return [contato | more for contato in contato_of(nota, tipo="tipoPessoa")]


def _day(row: Document) -> date | None:
    emitted = local_datetime(row.get("dataEmissao"))
    return emitted.date() if emitted else None


BETWEEN = Between("dataEmissaoInicial", "dataEmissaoFinal")


def emitted(between: Between = BETWEEN, *, back: int = 0) -> Emitted:
    """A data do negócio, por que as notas se filtram: a da emissão."""
    return Emitted(
        between,
        _day,
        Dated("data_emissao", "situacao"),
        lambda row: text(integer(row.get("situacao"))) or "",
        days_back(back),
    )


def is_final(row: Document) -> bool:
    """Se a situação da linha já não muda."""
    return integer(row.get("situacao")) in FINAL


def person(cabecalho: Table) -> Person:
    """Onde estão, numa nota, os dados de quem a recebe."""
    c = cabecalho.c
    return Person(
        nameless_nota,
        contato_id=c.contato_id,
        names=(c.contato_nome,),
        documento=c.contato_documento,
        # Os links abrem a nota no Bling, com o nome e o endereço; a chave de acesso fica.
        also=(c.contato_municipio, c.link_xml, c.link_danfe, c.link_pdf),
        texts=("itens", "parcelas"),
    )


# O padrão esconde mais que as canceladas? As fontes discordam (a descrição diz que não; quem mediu só tinha 6 e 2).
SUSPECTS: tuple[Params, ...] = tuple((("situacao", str(situacao)),) for situacao in (5, 4, 1, 9, 3, 7, 8, 10, 11))
LINKS = ("link_xml", "link_danfe", "link_pdf")
"""Trazem uma chave de acesso que muda de uma resposta a outra."""


def shows_more(row: Document) -> bool:
    """Se a linha só apareceria se o padrão não escondesse nada além das canceladas."""
    return integer(row.get("situacao")) not in {2, 5, 6}
