"""O que o Bling avisou à empresa: GET /notificacoes, um pedido por ano."""

from bling_collector.db.models import notificacoes
from bling_collector.etl.resource import Document, Each, Resource, Rows, Whole
from bling_collector.payload import Fields, text


def rows(notificacao: Document) -> Rows:
    """A linha de uma notificação. O nome de quem a criou fica só em `detalhe`."""
    read = Fields(notificacao)
    return {
        notificacoes: [
            {
                "id": read.text("id"),
                "titulo": read.text("titulo"),
                "descricao": read.text("descricao"),
                "modulo": read.text("modulo"),
                "fonte": read.text("fonte"),
                "acao": read.text("acao"),
                "data_criacao": read.local_date("dataCriacao"),
                "data_envio": read.local_datetime("dataEnvio"),
                "data_vigencia": read.local_date("dataVigencia"),
                "data_leitura": read.local_datetime("dataLeitura"),
                "detalhe": notificacao,
            }
        ]
    }


NOTIFICACOES = Resource(
    name="notificacoes",
    title="Notificações",
    noun="Notificação",
    singular="notificacao",
    permission="Notificações",
    path="/notificacoes",
    table=notificacoes,
    rows=rows,
    key=lambda row: text(row.get("id")),
    detail=False,
    alone=False,
    paged=False,
    # Sem `periodo` só vêm as do ano (referência: GET /notificacoes): pedem-se as de cada ano que se coletou.
    each=Each(
        "SELECT generate_series(extract(year FROM min(data_inicio))::int, extract(year FROM max(data_fim))::int)"
        " AS periodo FROM etl_controle",
        params=("periodo",),
    ),
    whole=Whole(weekly=True),
    history=(),
)
