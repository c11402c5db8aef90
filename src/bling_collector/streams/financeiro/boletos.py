"""Os boletos: GET /contas/receber/boletos, um pedido por nota, ou por pedido, de que se cobra por boleto."""

from typing import TYPE_CHECKING, Final

from bling_collector.clock import today
from bling_collector.db.models import boletos, boletos_origens
from bling_collector.db.resources import boletos as owing
from bling_collector.db.resources import repository
from bling_collector.etl.resource import Child, Document, Person, Resource, Rows
from bling_collector.payload import Fields, objects
from bling_collector.traces import only

if TYPE_CHECKING:
    from bling_collector.etl.context import RunContext

_SITUACOES: Final = range(1, 7)
_KEPT = ("id", "venda", "notaFiscal", "valorTotal")
_CONTA = ("id", "vencimento", "valor", "situacao")
"""O que fica dos boletos de quem pediu que os seus dados fossem apagados: um campo novo é tomado por pessoal, e o
código do boleto abre-o no Bling."""


def rows(venda: Document) -> Rows:
    """As linhas de uma venda: ela, e os boletos das contas dela."""
    read = Fields(venda)
    origem_id = read.id("id")
    return {
        boletos_origens: [
            {
                "id": origem_id,
                "contato_id": read.reference("contato"),
                "venda_numero": read.text("venda", "numero"),
                "nota_numero": read.text("notaFiscal", "numero"),
                "valor_total": read.money("valorTotal"),
                "detalhe": venda,
            }
        ],
        boletos: [
            {
                "origem_id": origem_id,
                "ordem": ordem,
                "conta_id": conta.id("id"),
                "numero_externo": conta.text("numeroExterno"),
                "vencimento": conta.local_date("vencimento"),
                "valor": conta.money("valor"),
                "situacao": conta.integer("situacao"),
            }
            for ordem, conta in enumerate(read.objects("contas"), start=1)
        ],
    }


def nameless_venda(venda: Document) -> Document:
    """A venda com números, valores, datas e situações; do contato, o id."""
    kept = only(venda, _KEPT)
    if "contas" in venda:
        kept["contas"] = [only(each, _CONTA) for each in objects(venda["contas"])]
    return kept | ({"contato": only(venda["contato"], ("id",))} if "contato" in venda else {})


async def _collect(ctx: "RunContext") -> None:
    """Um 404 é não haver boleto, e não há o que estranhar se são muitos: a forma de pagamento não diz que se gerou."""
    from bling_collector.etl.fetch import Wanted, fetch_and_store  # só quem coleta os carrega

    async with ctx.engine.connect() as connection:
        owed = await owing.owed(connection, today(ctx.clock))
    ctx.start(BOLETOS.title, len(owed))
    wanted = {id_: Wanted(said={"contato": {"id": contato_id or 0}}) for id_, contato_id in owed.items()}
    missing = (await fetch_and_store(ctx, BOLETOS, wanted)).missing
    ctx.check_stop()
    async with ctx.transaction() as connection:
        await repository.mark_not_found(connection, boletos_origens, missing, ctx.clock.now())


BOLETOS = Resource(
    name="boletos",
    title="Boletos das vendas",
    noun="Boletos de uma venda",
    singular="boleto",
    permission="Contas a receber",
    path="/contas/receber/boletos",
    table=boletos_origens,
    rows=rows,
    always=(("contas", "valorTotal", "venda", "notaFiscal"),),
    listed=False,
    unnamed=True,
    detail_by="idOrigem",
    # Sem `situacoes[]` só viriam os em aberto (referência: GET /contas/receber/boletos).
    detail_params=tuple(("situacoes[]", str(situacao)) for situacao in _SITUACOES),
    # De quem é a venda só a conta diz.
    from_list=(("contato", "contato"),),
    open=owing.AWAITED,
    doubtful=f"(nao_encontrado_em IS NOT NULL OR {owing.WITH_ITS_CONTA})",
    weekly=True,
    needs=("contas_receber",),
    special=(_collect,),
    owed=owing.count_owed,
    children=(Child(boletos, "origem_id"),),
    history=("contas",),
    person=Person(nameless_venda, contato_id=boletos_origens.c.contato_id, names=()),
)
