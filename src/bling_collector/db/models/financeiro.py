"""O dinheiro: as contas a receber e a pagar, e os borderôs que as quitam."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    text,
)

from bling_collector.db.models.base import bling_id, kept, metadata


def _conta(saldo: str) -> "tuple[Column[Any], ...]":
    """O que as contas a receber e a pagar têm em comum."""
    return (
        bling_id(),
        Column("situacao", Integer),
        Column("vencimento", Date),
        Column("vencimento_lista", Date, comment="como a listagem o diz: o do detalhe pode ser outro"),
        Column("data_emissao", Date, index=True),
        Column("valor", Numeric),
        Column("saldo", Numeric, comment=saldo),
        Column("contato_id", BigInteger, index=True),
        Column("forma_pagamento_id", BigInteger),
        Column("portador_id", BigInteger, comment="a conta financeira"),
        Column("categoria_id", BigInteger, comment="a categoria de receitas e despesas"),
        Column("numero_documento", Text),
        Column("competencia", Date),
    )


def _as_listed(table: str) -> Index:
    """As contas na ordem em que a página as mostra, sem as pôr em ordem a cada uma."""
    return Index(f"ix_{table}_vencimento", text("vencimento DESC NULLS LAST"), text("id DESC"))


def _open(table: str) -> Index:
    """As que estão em aberto, com o que delas se soma."""
    return Index(
        f"ix_{table}_em_aberto",
        "vencimento",
        postgresql_include=["contato_id", "situacao", "valor", "saldo"],
        postgresql_where=text("situacao IN (1, 3) AND excluida_em IS NULL"),
    )


contas_receber = Table(
    "contas_receber",
    metadata,
    *_conta("o que falta receber"),
    Column("vendedor_id", BigInteger, comment="de vendedores, e não de contatos"),
    Column("origem_id", BigInteger, index=True, comment="a nota ou o pedido de que veio; as parcelas o repetem"),
    Column("origem_tipo", Text, comment="o que a origem é, nas palavras do Bling; vazio é lançada à mão"),
    *kept("a conta inteira, como GET /contas/receber/{id} a deu"),
    _as_listed("contas_receber"),
    _open("contas_receber"),
)

contas_pagar = Table(
    "contas_pagar",
    metadata,
    *_conta("o que falta pagar"),
    *kept("a conta inteira, como GET /contas/pagar/{id} a deu"),
    _as_listed("contas_pagar"),
    _open("contas_pagar"),
)

borderos = Table(
    "borderos",
    metadata,
    bling_id(),
    Column("data", Date, index=True, comment="quando se pagou, ou se recebeu"),
    Column("portador_id", BigInteger, comment="a conta financeira"),
    Column("categoria_id", BigInteger, comment="a categoria de receitas e despesas"),
    Column("historico", Text),
    *kept("o borderô inteiro, como GET /borderos/{id} o deu", listed=False),
)

borderos_pagamentos = Table(
    "borderos_pagamentos",
    metadata,
    Column("bordero_id", BigInteger, ForeignKey(borderos.c.id), primary_key=True, comment="de que borderô é"),
    Column("ordem", Integer, primary_key=True, comment="o lugar no borderô, de 1 em diante"),
    Column("contato_id", BigInteger, index=True),
    Column("numero_documento", Text, comment="o número da conta: um pagamento não diz de que conta é"),
    Column("valor_pago", Numeric, comment="com os juros e os acréscimos"),
    Column("juros", Numeric),
    Column("desconto", Numeric),
    Column("acrescimo", Numeric),
    Column("tarifa", Numeric, comment="a da forma de pagamento"),
)

boletos_origens = Table(
    "boletos_origens",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="o id da nota, ou do pedido"),
    Column("contato_id", BigInteger, index=True),
    Column("venda_numero", Text),
    Column("nota_numero", Text),
    Column("valor_total", Numeric),
    *kept("a resposta inteira de GET /contas/receber/boletos, com o contato das contas", listed=False),
)

boletos = Table(
    "boletos",
    metadata,
    Column("origem_id", BigInteger, ForeignKey(boletos_origens.c.id), primary_key=True, comment="a nota, ou o pedido"),
    Column("ordem", Integer, primary_key=True, comment="o lugar na resposta, de 1 em diante"),
    Column("conta_id", BigInteger, index=True, comment="a conta a receber"),
    Column("numero_externo", Text, comment="o código que identifica o boleto"),
    Column("vencimento", Date),
    Column("valor", Numeric),
    Column(
        "situacao",
        Integer,
        comment="1 em aberto, 2 recebido, 3 recebido em parte, 4 devolvido, 5 devolvido em parte, 6 cancelado",
    ),
)

caixas_lancamentos = Table(
    "caixas_lancamentos",
    metadata,
    bling_id(),
    Column("conta_id", BigInteger, index=True, comment="a conta financeira"),
    Column("data", Date, index=True),
    Column("competencia", Date),
    Column("valor", Numeric, comment="negativo se é uma saída"),
    Column("situacao", Text),
    Column("descricao", Text, comment="só a listagem a diz"),
    Column("contato_id", BigInteger, index=True),
    Column("categoria_id", BigInteger, comment="a categoria de receitas e despesas"),
    Column("origem_tipo", Text, comment="caixa (lançado à mão), duplicata, bordero ou estoque"),
    Column("origem_id", BigInteger, index=True, comment="o borderô, por exemplo"),
    *kept("o lançamento inteiro, como GET /caixas/{id} o deu"),
)

contas_borderos = Table(
    "contas_borderos",
    metadata,
    Column("conta_tipo", Text, primary_key=True, comment="receber ou pagar"),
    Column("conta_id", BigInteger, primary_key=True, autoincrement=False, comment="a conta, da tabela que o tipo diz"),
    Column(
        "bordero_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        index=True,
        comment="o que a quitou, no todo ou em parte; um estornado sai daqui",
    ),
)
