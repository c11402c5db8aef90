"""A forma das respostas, para /docs. Os números vêm de `insight.status`; um campo novo lá passa por aqui."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from bling_collector.payload import Json, Row
from bling_collector.web.problems import MEDIA_TYPE

Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Local = Annotated[str, WithJsonSchema({"type": "string", "description": "A hora de Brasília, sem fuso"})]
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="allow")


class AskedRun(_Answer):
    """Uma execução que se deixou a um worker."""

    job_id: int
    tipo: str
    status: str = Field(description="`queued`, `running` ou, quando acaba, o da execução; `error` se não se pôde fazer")
    run_id: int | None = Field(description="A execução que ela é, em `/runs/{run_id}`; nulo enquanto não começa")
    mensagem: str | None
    repetida: bool = Field(default=False, description="No 202: uma igual já esperava, ou corria, e é essa")


class PlannedResource(_Answer):
    """O que se espera que um recurso peça."""

    recurso: str
    titulo: str
    requisicoes: int
    listagens: int = Field(description="Delas, as que listam, também em lotes")
    detalhes: int = Field(description="E as que pedem um registro cada uma")
    pelo_menos: bool = Field(description="Do que ele tem não se sabe quanto é: só se contou o que é certo que se pede")


class PlannedPeriod(_Answer):
    inicio: Day
    fim: Day


class Plan(_Answer):
    """O que um comando pediria ao Bling."""

    comando: str
    periodo: PlannedPeriod
    requisicoes: int = Field(description="As dos recursos, e a que pergunta de que empresa é a conta")
    pelo_menos: bool = Field(description="De algum recurso não se sabe quanto há")
    minutos: float = Field(description="Ao ritmo da API")
    cota_do_dia: int = Field(description="As que o coletor pode fazer num dia: a cota da conta, menos a reserva")
    restam_hoje: int = Field(description="Delas, as que hoje ainda pode")
    parte_da_cota: float = Field(description="As requisições sobre a cota do dia; 1 é um dia inteiro")
    dias: int = Field(description="Em quantos dias cabe; 1 se cabe no que resta de hoje")
    execucoes: int = Field(description="Em quantas execuções, com `RUN_MAX_SECONDS`")
    recursos: list[PlannedResource]
    sondas: int = Field(description="Requisições feitas para o saber; por HTTP, nenhuma")


class PlannedCompany(_Answer):
    empresa: str
    plano: Plan | None
    erro: str | None = Field(description="Por que esta não tem plano")


class Plans(_Answer):
    """O que um comando pediria ao Bling, em todas as empresas."""

    requisicoes: int
    pelo_menos: bool = Field(description="De algum recurso de alguma não se sabe quanto há")
    minutos: float = Field(description="Todas ao mesmo tempo, ao ritmo de cada uma e ao que o Bling aceita de um IP")
    empresas: list[PlannedCompany]


class Health(_Answer):
    status: Literal["ok"]
    timestamp: Instant


class Stats(_Answer):
    """Registros gravados; os dos recursos que `RECURSOS` pede a mais vêm com o nome deles."""

    model_config = ConfigDict(extra="allow")

    nfes: int = Field(description="Notas gravadas")
    contatos: int = Field(description="Contatos gravados")
    produtos: int = Field(description="Produtos gravados")


class ProvedRecurso(_Answer):
    """O que as conferências dizem do recurso."""

    igual: bool
    no_bling: int
    no_banco: int
    meses: int = Field(description="Meses conferidos")
    diferentes: int = Field(description="Deles, os em que os dois lados diferem")
    por_conferir: int = Field(description="Meses por conferir")
    completo_em: Instant | None = Field(description="Desde quando se sabe")


class Side(_Answer):
    total: int
    situacoes: dict[str, int] = Field(description="Situação → quantas notas")


class WholeRecurso(_Answer):
    """O que a última leitura inteira do recurso diz."""

    conferida_em: Instant
    no_bling: Side
    no_banco: Side
    faltam: list[str] = Field(description="Ids que o Bling lista e o banco não tem")
    sobram: list[str] = Field(description="Ids que o banco tem e o Bling não lista")
    diferem: list[str] = Field(description="Ids que a listagem mostra de outro jeito que o banco")


class Recurso(_Answer):
    """Um recurso do Bling."""

    recurso: str
    titulo: str
    permissao: str = Field(description="O escopo dele no cadastro do aplicativo")
    coletado: bool
    sem_permissao: bool = Field(description="O aplicativo não o pode ler; pede-se de novo uma vez por dia")
    registros: int = Field(description="Os que o banco tem, sem os excluídos no Bling")
    excluidos: int
    data_referencia: Day | None = Field(description="O último dia coberto sem lacuna, se o recurso tem data")
    pendencias: int
    janelas: int
    conferencia: ProvedRecurso | None = Field(description="Nulo se o recurso não se confere mês a mês")
    inteira: WholeRecurso | None = Field(description="Nulo se se confere mês a mês, ou ainda não se leu inteiro")
    requisicoes_por_dia: int = Field(description="As que a coleta do dia pede por ele, ou pediria, em média")
    requisicoes_por_olhada: int = Field(description="As que uma olhada do worker pede por ele, se nada há de novo")
    pelo_menos: bool = Field(description="Ainda não se leu, e só se contou o que é certo que se pede por dia")


class FoundDifferences(_Answer):
    """O que as varreduras encontraram diferente, antes de reparar: `faltavam`, `mudaram`, `sumiram`."""

    contagens: dict[str, int]
    ids: dict[str, list[int | str]] = Field(description="No máximo mil de cada; das notas o id, do resto `recurso/id`")


class RunAnswer(_Answer):
    status: Literal["success", "partial"] = Field(description="`partial`: algo ficou devido e será tentado de novo")
    stats: Stats
    run_id: int
    data_referencia: Day | None = Field(description="O último dia coberto sem lacuna")
    mensagem: str | None = Field(description="O que ficou por fazer; nulo quando está tudo em dia")
    requisicoes: int = Field(description="Requisições feitas à API do Bling")
    encontrado: FoundDifferences


class Periodo(_Answer):
    data_inicio: Day | None
    data_fim: Day | None


class Andamento(_Answer):
    fase: str | None
    feitos: int | None
    total: int | None
    restam: int | None = Field(
        description="Requisições que se calcula que a execução ainda faça, ou que deixou a que parou no seu limite; "
        "nulo se não se sabe"
    )
    espera: str | None = Field(description="Por que está parada, se o Bling não responde")


class RunDetails(_Answer):
    run_id: int
    tipo: str | None
    status: str | None = Field(description="`running`, `success`, `partial` ou `error`")
    inicio: Instant | None
    fim: Instant | None
    periodo: Periodo
    data_referencia: Day | None
    stats: Stats
    andamento: Andamento
    requisicoes: int | None
    limitadas: int | None
    mensagem: str | None


class Runs(_Answer):
    runs: list[RunDetails]
    next: str | None = Field(description="O endereço da página seguinte; nulo na última")


class LastSuccess(_Answer):
    date: Day | None = Field(description="O último dia coberto sem lacuna; não passa da dívida mais antiga")
    nfes: int | None
    contatos: int | None
    produtos: int | None


class OAuthStatus(_Answer):
    has_token: bool
    expires_at: Instant | None
    token_updated_at: Instant | None
    needs_authorization: bool = Field(description="Só o dono da conta resolve: GET /auth/start")
    refresh_expires_at: Instant | None = Field(description="Quando a autorização acaba, se nada a renovar")
    refresh_days_left: int | None
    encrypted: bool | None = Field(description="Se os tokens estão cifrados no banco")
    readable: bool = Field(description="Se TOKEN_ENCRYPTION_KEY abre os tokens guardados")
    warning: str | None = Field(description="Dito a partir de 7 dias do fim, ou se os tokens não se abrem")


class Quota(_Answer):
    day: Day = Field(description="O dia de Brasília que se conta")
    used: int = Field(description="Requisições do coletor neste dia")
    limit: int = Field(description="A cota diária da conta, de todos os aplicativos dela")
    reserve: int | None = Field(description="O que o coletor deixa para os outros; nulo antes da primeira requisição")
    exhausted: bool = Field(description="O Bling disse que a cota acabou")
    pace: float = Field(description="A fração do ritmo inteiro que vale agora: os 429 a baixam")
    paused_until: Instant | None = Field(description="Até quando nada é pedido, depois de muitos erros")


class Company(_Answer):
    nome: str
    cnpj: str | None = Field(description="Sem o começo nem os verificadores; pode ter letras")


class Status(_Answer):
    empresa: Company | None = Field(description="De quem são os dados; nulo antes da primeira autorização")
    last_successful_run: LastSuccess | None
    oauth: OAuthStatus
    quota: Quota


class AlarmState(_Answer):
    nome: str
    titulo: str
    estado: str = Field(description="`normal`, `aviso` ou `erro`")
    desde: Instant
    mensagem: str = Field(description="O que houve e o que fazer; no estado normal, o que passou")


class MonthCheck(_Answer):
    mes: str = Field(description="AAAA-MM")
    data_inicio: Day
    data_fim: Day
    conferida_em: Instant
    run_id: int | None
    no_bling: Side
    no_banco: Side
    faltam: list[int] = Field(description="Ids que o Bling lista e o banco não tem")
    sobram: list[int] = Field(description="Ids que o banco tem e o Bling não lista")
    diferem: list[int] = Field(description="Ids que mudaram no Bling desde que o banco os leu")
    reparadas: int = Field(description="Divergências encontradas e reparadas por esta conferência")
    igual: bool


class Reconciliation(_Answer):
    completo_em: Instant | None = Field(
        description="A hora da conferência mais antiga entre os meses; nula enquanto há meses por conferir"
    )
    igual: bool
    por_conferir: list[str] = Field(description="Os meses, AAAA-MM, que nenhuma conferência cobriu ainda")
    no_bling: int
    no_banco: int
    meses: list[MonthCheck]


class Neighbour(_Answer):
    numero: int
    id: int
    data_emissao: Local | None


class Gap(_Answer):
    de: int
    ate: int
    quantos: int
    antes: Neighbour
    depois: Neighbour


class ExplainedGap(_Answer):
    numero: int
    motivo: Literal["cancelada", "denegada", "excluida", "entrada"]
    id: int
    data_emissao: Local | None


class Repeated(_Answer):
    numero: int
    ids: list[int]


class SerieNumbering(_Answer):
    serie: int
    primeiro: int
    ultimo: int
    numeros: int
    explicadas: list[ExplainedGap]
    sem_explicacao: list[Gap]
    repetidas: list[Repeated]


class Failure(_Answer):
    nome: str = Field(description="recurso/id")
    recurso: str
    id: str
    data_emissao: Day | None
    numero: str | None = Field(description="O da nota")
    contato: str | None = Field(description="O nome de quem é a nota, ou do contato")
    valor: Decimal | None = Field(description="O total da nota, se o banco já a tinha")
    descricao: str = Field(description="O registro, como as pessoas o conhecem")
    motivo: str = Field(description="O que o Bling respondeu, em palavras")
    erro: str = Field(description="O mesmo, com o endereço pedido e o código HTTP")
    tentativas: int
    desde: Instant
    tentada_em: Instant
    estacionada: bool = Field(description="Só é tentada de novo se alguém pedir")


class OwedWindow(_Answer):
    recurso: str
    data_inicio: Day
    data_fim: Day
    desde: Instant
    erro: str | None
    descricao: str = Field(description="O período, como as pessoas o conhecem")
    motivo: str | None = Field(description="O que o Bling respondeu, em palavras")


class Failures(_Answer):
    pendencias: list[Failure]
    janelas: list[OwedWindow]


class Nota(_Answer):
    """As colunas de `nfe_cabecalho`, mais o que segue."""

    id: int
    numero: str | None
    situacao: int | None
    itens: list[Row]
    linhas: list[Row]
    pagamentos: list[Row]
    contato: Row | None
    historico: list[Row]


class Synced(_Answer):
    recurso: str
    id: int | str
    resultado: Literal["criado", "atualizado", "igual"]


class AuthStart(_Answer):
    auth_url: str
    instruction: str


class AuthDone(_Answer):
    status: Literal["success"]
    message: str
    expires_in: int = Field(description="Segundos de vida do token de acesso")


class Problem(_Answer):
    """Um erro (RFC 9457). O que terminou mal traz também `run_id`, `run_status` e `stats`."""

    type: str = Field(description="O tipo do problema; `about:blank` quando o código HTTP diz tudo")
    title: str
    status: int = Field(description="O código HTTP")
    detail: str = Field(description="O que houve e o que fazer")
    instance: str = Field(description="O endereço pedido")
    run_id: int | None = None
    run_status: str | None = None
    stats: Stats | None = None


_WHEN = {
    403: "Outro site fez o navegador pedir isto",
    404: "Não existe",
    409: "Já há uma execução em curso",
    422: "O pedido está errado; nada mudou",
    500: "Um erro que o coletor não previu, com uma referência para o log",
    502: "O Bling falhou",
    503: "Falta o banco, uma configuração ou a autorização do Bling, ou o serviço está parando",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Json]]:
    """Os problemas que uma rota pode responder, para o `responses` dela."""
    return refusals({status: _WHEN[status] for status in (*statuses, 500)})


def refusals(when: Mapping[int, str]) -> dict[int | str, dict[str, Json]]:
    """O mesmo, do que só ela responde: o código → quando."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": said, "content": content} for status, said in when.items()}
