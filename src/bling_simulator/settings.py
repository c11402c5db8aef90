"""Tudo o que se pode regular no simulador. Os valores padrão são os do Bling de verdade."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

Volumes = Mapping[int, tuple[int, int]]
"""Ano → (notas de saída, das quais canceladas)."""

SOL_VOLUMES: Volumes = {
    2021: (147, 0),
    2022: (186, 8),
    2023: (402, 13),
    2024: (820, 28),
    2025: (1200, 25),
    2026: (171, 2),
}


@dataclass(frozen=True)
class SimulatorSettings:
    # A empresa gerada (mudar depois de criado não muda o que já foi gerado).
    seed: int = 20210104
    scale: float = 1.0
    """Fração dos volumes de referência; sem efeito quando `volumes` é dado."""
    volumes: Volumes | None = None
    today: date = date(2026, 2, 20)
    """Dia da última nota gerada. Não é o relógio: quem responde à API usa o presente."""
    goes_on: bool = False
    """A empresa continua a vender depois de `today`, no ritmo do último ano inteiro, até o presente."""

    # O aplicativo registrado e os tokens.
    client_id: str = "simulador-client-id"
    client_secret: str = "simulador-client-secret"  # noqa: S105 - credencial de um Bling que não existe
    redirect_uri: str = "http://localhost:8080/auth/callback"
    access_seconds: int = 21_600
    refresh_seconds: int = 30 * 86_400
    code_seconds: int = 60
    token_type_lowercase: bool = False
    always_jwt: bool = False
    """Emite JWT mesmo a quem não mandou `enable-jwt: 1`."""
    missing_scopes: frozenset[str] = frozenset()
    """Caminhos (`/contatos`) cujo escopo o aplicativo não tem: respondem 403."""
    company_inactive: bool = False
    """A empresa foi inativada: nenhum token se renova."""

    # Limites; zero desliga.
    requests_per_second: int = 3
    """Com zero, desliga também o bloqueio por 600 requisições em 10 segundos."""
    requests_per_day: int = 120_000
    token_calls_per_minute: int = 20
    errors_per_10s: int = 300
    requests_per_10s: int = 600

    latency: float = 0.0
    latency_jitter: float = 0.0
    """Segundos de demora antes de cada resposta: `latency` mais até `latency_jitter`."""

    date_header: str | None = None
    """O cabeçalho `Date` de toda resposta, tal qual; vazio, nenhum. None: a hora do simulador."""

    # Manias do Bling.
    repeat_previous_row: bool = True
    """Nas páginas pares, repete a última linha da página anterior."""
    uneven_pages: bool = True
    """Algumas páginas têm um pouco mais ou um pouco menos que `limite` linhas; nenhuma se perde."""
    default_hides_all_but_authorised: bool = False
    """Outra leitura da documentação: sem `situacao` só vêm as notas na situação 6."""
    also_authorised: frozenset[int] = frozenset()
    """Com `default_hides_all_but_authorised`, as situações que também contam como autorizadas."""
    bare_dates_get_time_of_day: bool = True
    coupon_default_hides_cancelled: bool = True
    """Sem `situacao`, /nfce não traz as canceladas, como /nfe (suposto)."""
    coupon_default_hides_contingency: bool = False
    """Outra leitura: sem `situacao`, /nfce também não traz o que só `situacao=12` mostra."""
    coupon_filter_12_answers_400: bool = False
    """Outra leitura: /nfce recusa `situacao=12`."""
    service_default_hides_cancelled: bool = False
    """Outra leitura: sem `situacao`, /nfse não traz as canceladas (3)."""
    service_filter_starts_at_one: bool = False
    """Outra leitura: `situacao` de /nfse vai de 1 a 4, e 0 é recusado."""
    document_is_not_gzip: bool = False
    """Outra leitura: o `conteudo` de /nfe/documento é o XML em base64, sem gzip."""
    cancelled_document_answers_404: bool = False
    """Outra leitura: o documento de uma nota cancelada já não há."""
    cancelled_document_is_the_event: bool = False
    """Outra leitura: o documento de uma nota cancelada é só o evento que a cancelou."""
    default_hides_zero_stock: bool = False
    """Outra leitura: `filtroSaldoEstoque=1` por omissão em /produtos e em /estoques/saldos."""
    produto_stock_filter_is_physical: bool = False
    """Outra leitura: `filtroSaldoEstoque` de /produtos é pelo saldo físico, e não pelo virtual que a linha mostra."""
    stockless_match_no_filter: bool = False
    """Outra leitura: um produto de que não há registro de estoque não é zerado, nem positivo, nem negativo."""
    unknown_stock_answers_400: bool = False
    """Outra leitura: /estoques/saldos recusa o pedido de que nenhum produto tem saldo, em vez de nada mostrar."""
    latest_included: int = 20
    """Quantos cadastros cabem em «Últimos incluídos»."""
    deleted_detail_answers_200: bool = False
    seller_rows_without_name: bool = False
    """Outra leitura: as linhas de /vendedores vêm sem `contato.nome`."""
    default_hides_inactive: bool = True
    """Sem `situacao`, /naturezas-operacoes, /canais-venda, /contas-contabeis e /logisticas só trazem o que está ativo
    (suposto), e /logisticas/servicos, que não o aceita, também; as linhas de /logisticas não dizem os serviços
    inativos."""
    methods_hide_inactive: bool = False
    """Outra leitura: sem `situacao`, /formas-pagamentos só traz as ativas."""
    note_filters_are_ignored: bool = False
    """Outra leitura: /nfe e /nfce ignoram os períodos, e mostram tudo."""
    status_filters_are_ignored: bool = False
    """Outra leitura: /contas-contabeis, /categorias/receitas-despesas, /anuncios e /produtos/lotes ignoram o filtro de
    situação, e mostram tudo."""
    default_hides_cancelled_orders: bool = False
    """Outra leitura: sem filtro de situação, /pedidos/vendas e /pedidos/compras não trazem os cancelados, nem
    os que estão numa situação tirada dessa."""
    order_list_final_date_excludes_today: bool = True
    """Em /pedidos/vendas, /pedidos/compras e /propostas-comerciais, `dataFinal` igual a hoje deixa hoje de fora (um
    relato)."""
    order_filters_are_ignored: bool = False
    """Outra leitura: /pedidos/vendas, /pedidos/compras e /propostas-comerciais ignoram os períodos."""
    default_hides_closed_production: bool = False
    """Outra leitura: sem `idsSituacoes[]`, /ordens-producao não traz as finalizadas nem as canceladas."""
    contracts_are_all_shown_by_default: bool = False
    """Outra leitura: sem `situacao`, /contratos traz todos, também os em avaliação (4)."""
    money_has_float_noise: bool = False
    """O dinheiro vem com o ruído de um float de 32 bits: 49.9000015259 (um relato)."""
    what_is_empty_is_absent: bool = False
    """Outra leitura: o que está vazio (uma referência, um texto, uma data, uma lista) não vem, em vez de vir vazio."""
    order_status_value_is_always_zero: bool = False
    """Outra leitura: `situacao.valor` dos pedidos é sempre 0."""
    deleted_accounts_stay_cancelled: bool = False
    """Outra leitura: a conta excluída não some, fica cancelada (5)."""
    returned_and_confirmed_accounts_are_unlisted: bool = False
    """Outra leitura: as contas devolvidas em parte (6) e as confirmadas (7) não vêm em listagem nenhuma."""
    receivable_filters_are_ignored: bool = False
    """Outra leitura: /contas/receber ignora as datas, e lista tudo (um relato)."""
    payment_links_are_signed: bool = False
    """Outra leitura: os links de /contas/receber são outros a cada resposta."""
    bare_details_in_envelope: bool = False
    """Outra leitura: os detalhes de /caixas, /propostas-comerciais e /ordens-producao, e o que
    /contas/receber/boletos responde, vêm dentro de `data`, como os outros."""
    origins_without_boletos_answer_404: bool = False
    """Outra leitura: /contas/receber/boletos responde 404 a uma nota, ou a um pedido, sem boleto; senão, sem contas."""
    cash_page_size: int = 100
    """Quantas linhas tem uma página de /caixas, que não aceita `limite` (não está documentado)."""
    payable_filters_are_ignored: bool = False
    """Outra leitura: /contas/pagar ignora os três períodos (um relato)."""
    payable_due_differs: bool = False
    """Outra leitura: o vencimento que a listagem de /contas/pagar mostra é o original (um relato)."""
    details_say_their_id: bool = False
    """Outra leitura: os detalhes de /logisticas/objetos e de /produtos/estruturas trazem o id."""
    channel_without_ads_answers_400: bool = True
    """/anuncios recusa um canal que não é um marketplace (suposto); senão, nada mostra dele."""
    logistics_without_shipments_answers: int = 200
    """O código de /logisticas/{id}/remessas por uma logística que não tem nenhuma: 200, com uma lista vazia (suposto);
    ou 400, ou 404, que a referência também descreve."""
    fields_hide_inactive: bool = False
    """Outra leitura: a listagem dos campos customizados de um módulo esconde os inativos."""
    order_objects_stay_unposted: bool = False
    """Outra leitura: o objeto de um pedido que deu em nota fica não postado (8), sem datas nem código (um relato)."""
    most_array_values: int | None = None
    """Quantos valores um parâmetro `nome[]` aceita (não está documentado); acima disso, 400."""

    def company_volumes(self) -> dict[int, tuple[int, int]]:
        """Os volumes que a empresa deve ter, já na escala."""
        if self.volumes is not None:
            return dict(self.volumes)
        return {
            year: (_scaled(notes, self.scale), _scaled(cancelled, self.scale))
            for year, (notes, cancelled) in SOL_VOLUMES.items()
        }


def _scaled(count: int, scale: float) -> int:
    return max(1, round(count * scale)) if count else 0
