"""O que é um recurso: a declaração do que o Bling tem de uma espécie, de como se lê e das tabelas em que pousa.

O motor (o resto deste cômodo) só conhece declarações: nenhum módulo daqui sabe o nome de um recurso.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ColumnElement, Table, Text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.proof import Dated, Kept
from bling_collector.db.resources.erasure import Erased, Personal
from bling_collector.payload import Json, Row, UnreadableError, digest, integer, objects, part, text
from bling_collector.traces import Traces
from bling_collector.windows import Between, Window, cut

if TYPE_CHECKING:
    from bling_collector.etl.context import RunContext
    from bling_collector.etl.save import Item

Document = Mapping[str, Json]
"""Um objeto do Bling: a linha de uma listagem ou um detalhe."""

Id = Any
"""O que identifica um registro: um inteiro ou, onde o Bling o escreve assim, um texto."""

Params = tuple[tuple[str, str], ...]
Rows = Mapping[Table, list[Row]]
Cited = tuple[str, Column[Any]]
"""Um recurso, e a coluna de outro que guarda ids dele."""
OnIds = Callable[[AsyncConnection, Collection[Id]], Awaitable[object]]
"""O que se faz no banco, na mesma transação, de certos registros."""
Special = Callable[["RunContext"], Awaitable[None]]
"""O que um recurso tem que nenhum outro tem."""


def may_be_hidden(document: Document) -> bool:
    """Para `listable`, onde nada garante que as listagens mostrem tudo o que existe: o que responde pelo id está vivo,
    e só o 404 o dá por excluído."""
    return False


def days_back(days: int) -> Callable[[date], date]:
    """Tantos dias atrás."""
    return lambda today: today - timedelta(days=days)


def months_back(months: int) -> Callable[[date], date]:
    """O primeiro dia de tantos meses antes deste."""

    def first(today: date) -> date:
        year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
        return date(year, month + 1, 1)

    return first


@dataclass(frozen=True)
class Child:
    """Uma tabela cujas linhas pertencem às da tabela principal e são trocadas com ela."""

    table: Table
    parent: str
    """A coluna que aponta para a principal."""
    ours: str = "true"
    """Em SQL, as linhas da tabela que são deste recurso, se outro também põe nela as suas."""


@dataclass(frozen=True)
class Emitted:
    """A data do negócio: o recurso é percorrido por janelas dela, que se devem até que se completem, e conferido mês a
    mês."""

    between: Between
    day: Callable[[Document], date | None]
    """O dia da linha de listagem."""
    columns: Dated
    """As colunas por que a conferência conta o que o banco tem."""
    group: Callable[[Document], str] = lambda row: ""
    """Como a conferência separa as linhas da listagem: a situação."""

    back: Callable[[date], date] = lambda today: today
    """Desde que dia a execução diária o relê, se é mais do que ela costuma: o que mudou ou se excluiu, e que nada mais
    mostra."""

    def starts(self, usual: date, scope: date | None, today: date) -> date:
        """Onde começa a execução diária: no dia de costume (`usual`) ou antes, nunca antes do começo da coleta, que
        ninguém pediu."""
        return usual if scope is None else min(usual, max(scope, self.back(today)))

    def cut(self, windows: Iterable[Window]) -> list[Window]:
        """As janelas a percorrer: juntas, e cortadas no que cabe entre as duas datas do filtro."""
        return cut(windows, self.between.max_days)


@dataclass(frozen=True)
class Recent:
    """Outra data por que a listagem se filtra, ou a mesma mais adiante, relida todo dia em volta de hoje: mostra o que
    mudou e cuja data do negócio já ficou para trás."""

    between: Between
    back: timedelta
    ahead: timedelta = timedelta(days=1)
    filters: Params = ()
    weekly: str = ""
    """O nome do ponto de leitura, se basta relê-la uma vez por semana."""


@dataclass(frozen=True)
class Changed:
    """O filtro de alteração: o que mudou desde a última leitura, que o ponto de leitura lembra."""

    between: Between
    only_ours: bool = False
    """Só interessa o que o banco já leu: o resto vem quando alguém o cita."""
    after: OnIds | None = None
    """O que se refaz do que o filtro mostrou, ainda que nada do que se guarda tenha mudado."""


@dataclass(frozen=True)
class Lately:
    """O que basta ler, nos outros dias, de uma listagem inteira que seja grande: o que está em aberto, e o que há pouco
    deixou de o estar. Onde isso não basta, lê-se inteira no mesmo dia."""

    open: tuple[Params, ...]
    """As listagens do que está em aberto, cada uma com o filtro que a linha diz por ela. De um que o banco tem assim, e
    que nelas já não está, pergunta-se pelo id."""
    is_open: str
    """Em SQL, os que elas mostram."""
    settled: Between
    """O filtro da data em que um se quita, no todo ou em parte: o que ele mostra e não é final mudou talvez sem que a
    linha o mostre."""
    back: timedelta
    """Desde quando."""
    never: Callable[[Document], bool]
    """True para a linha que ele não mostraria, se o Bling o lê."""

    def is_worth(self, held: int, size: int) -> bool:
        """Se a listagem inteira, de tantos registros, tem mais páginas de `size` linhas do que estas são."""
        return held > size * (len(self.open) + 1)


@dataclass(frozen=True)
class Whole:
    """A listagem inteira, sem período: o que ela, completa, duas vezes não mostra foi excluído."""

    weekly: bool = False
    """Uma vez por semana, e não em toda execução."""
    aside: str = ""
    """Em SQL, os que a primeira das listagens talvez não mostre. Basta então ela nos outros dias, se mostra os demais;
    todas, uma vez por semana."""
    lately: Lately | None = None
    when_lacking: bool = False
    """Também quando alguém cita o que o banco não tem: o que ela não dá pede-se pelo id."""


@dataclass(frozen=True)
class Keys:
    """O que se pede por lotes de uma chave (um SKU, um id) num parâmetro que se repete."""

    param: str
    field: str
    """Onde a linha a traz."""
    lacking: Callable[[AsyncConnection, datetime], Awaitable[list[str]]]
    """As chaves que outras tabelas citam e esta não tem, menos as que o Bling há pouco disse não conhecer."""
    held: Callable[[AsyncConnection], Awaitable[list[str]]]
    """As citadas que esta tabela tem."""
    pending: Callable[[AsyncConnection], Awaitable[list[str]]]
    """As citadas que ficaram pendentes."""
    found: OnIds
    unknown: Callable[[AsyncConnection, Collection[str], datetime], Awaitable[None]]
    """O que se anota das chaves que o Bling conhece, e das que não."""

    def may_be(self, row: Document, asked: Collection[str]) -> bool:
        """Se a linha é de uma das chaves pedidas. Uma chave que não se lê pode ser: a linha guarda-se como o que não
        se lê, e não se ignora."""
        key = self.key(row)
        return key in asked if key else row.get(self.field) not in (None, "")

    def key(self, row: Document) -> str | None:
        """A chave de uma linha."""
        return text(row.get(self.field))


@dataclass(frozen=True)
class Settled:
    """A listagem do que se quitou há pouco. Um pagamento antigo que se desfaz e se faz outra vez entre duas execuções
    deixa a linha como era: só esta listagem o desmente."""

    between: Between
    back: timedelta
    """Desde quando."""
    never: Callable[[Document], bool]
    """True para a linha que ela não mostraria, se o Bling lê o filtro."""
    before: str
    """Em SQL, sobre `n`, os que o banco tem quitados, e todos antes de `:desde`."""


@dataclass(frozen=True)
class Removed:
    """A listagem que só mostra os excluídos."""

    params: Params
    said: str = "false"
    """Em SQL, dos excluídos os que o dizem eles mesmos. Um que o filtro de alteração mostra e não o diz voltou."""
    at_first: bool = False
    """Também na primeira execução: o detalhe que ela acaba de buscar não diz quem existe."""
    after: Callable[[AsyncConnection], Awaitable[object]] | None = None


@dataclass(frozen=True)
class Each:
    """O recurso só se lista por um registro de outro: uma listagem por linha desta consulta, cujas colunas entram nas
    chaves de `path`."""

    query: str
    told: tuple[tuple[str, str], ...] = ()
    """Coluna da consulta → a chave da linha que ela diz, onde a linha não a traz."""
    params: tuple[str, ...] = ()
    """As colunas dela que são parâmetros da listagem."""
    batched: bool = False
    """True se o parâmetro, que é um só, se repete: uma listagem por lote dos valores dele, e não por linha."""
    of: str = ""
    """O recurso da consulta: quem pede este pede também aquele."""


@dataclass(frozen=True)
class Announced:
    """O que o Bling avisa do recurso, por webhook."""

    name: str
    """Como ele chama o recurso."""
    at: tuple[str, ...] = ("id",)
    """Onde o aviso traz o id do registro."""
    ours: Callable[[Document], bool] = lambda data: True
    """True se o que o aviso traz é deste recurso, onde o nome também é de outro."""


@dataclass(frozen=True)
class Snapshot:
    """Uma fotografia: os ids de outro recurso, todos os que se sabem, pedidos por lotes."""

    query: str
    """Em SQL, os que o banco sabe."""
    none: Callable[[Id], Document]
    """O documento que diz que de um id o Bling nada tem."""
    param: str
    taken: str
    """A coluna com a hora da leitura."""
    every: timedelta = timedelta(hours=20)
    """Uma por dia, com folga: a execução diária não começa sempre no mesmo segundo."""
    of: "Resource | None" = None
    """O recurso dos ids, se a listagem dele mostra mais do que o banco sabe."""
    shows: tuple[Params, ...] = ()
    """As listagens que, juntas, os mostram, uma vez por semana."""
    included: Between | None = None
    """O filtro da inclusão delas: nos outros dias, o que há de novo."""
    shows_new: tuple[Params, ...] = ()
    """As listagens que, com ele, o mostram."""


@dataclass(frozen=True)
class Person:
    """Um recurso que fala de pessoas: declarado aqui, é exportado, apagado e lembrado. Os ids dele são inteiros: uma
    chave de dois faz-se um número."""

    nameless: Callable[[Document], Document]
    """O documento sem o que diz quem é o contato, para quem pediu que os seus dados fossem apagados. Também de um
    pedaço do documento: só `{"itens": …}`, por exemplo, que o histórico anota."""
    contato_id: Column[Any] | None
    """A coluna com o id do contato, da tabela ou de uma filha; None nos contatos, de que ele é o id."""
    names: tuple[ColumnElement[Any], ...]
    """Como a pessoa se chama, primeiro o nome por que é conhecida: uma coluna ou, se não a há, o lugar em `detalhe`
    (`tabela.c.detalhe["contato", "nome"].astext`)."""
    documento: ColumnElement[Any] | None = None
    """O CPF ou CNPJ dela: o mesmo."""
    also: tuple[Column[Any], ...] = ()
    """As outras colunas que dizem quem é."""
    texts: tuple[str, ...] = ()
    """As chaves de `detalhe` com textos livres: as de um registro que mudou de dono podem ser do tempo do outro."""
    path: tuple[str, ...] = ("contato", "id")
    """Onde o documento, ou cada linha de `within`, traz o id do contato."""
    within: str | None = None
    """A chave de `detalhe` cujas linhas são cada uma de um contato, se o registro é de vários: `contato_id` é então de
    uma tabela filha, e das linhas dos outros nada sai."""
    through: str | None = None
    """Em SQL, os ids dos registros que não dizem de quem são, e que são destes contatos (`:contatos`) pelo que outra
    tabela diz."""

    def contatos(self, document: Document) -> set[int]:
        """Os ids dos contatos de quem o documento fala."""
        parts = [document] if self.within is None else objects(document.get(self.within))
        return {id_ for each in parts if (id_ := self._contato(each)) is not None}

    def without(self, document: Document, contatos: Collection[int]) -> Document:
        """O documento, ou um pedaço dele, sem o que diz quem são estes contatos, que são donos dele."""
        bare = self.nameless(document)
        if self.within is None or self.within not in bare:
            return bare
        lines = zip(objects(document[self.within]), objects(bare[self.within]), strict=True)
        return {**bare, self.within: [less if self._contato(line) in contatos else line for line, less in lines]}

    def only_of(self, document: Document, contatos: Collection[int]) -> Document:
        """O documento, ou um pedaço dele, sem as linhas que são de outros."""
        if self.within is None or self.within not in document:
            return document
        lines = objects(document[self.within])
        return {**document, self.within: [line for line in lines if self._contato(line) in contatos]}

    def _contato(self, line: Document) -> int | None:
        return integer(part(line, *self.path)) or None

    @property
    def columns(self) -> tuple[Column[Any], ...]:
        """As colunas que se esvaziam."""
        said = (*self.names, self.documento, *self.also)
        return tuple(each for each in said if isinstance(each, Column))


@dataclass(frozen=True)
class Resource:
    name: str
    """O nome do recurso, como aparece em pendências, janelas e checkpoints."""
    title: str
    """Como as pessoas chamam os registros dele."""
    noun: str
    """Como chamam um só."""
    singular: str
    """O nome de um só, no que se digita: `contato` por `contatos`."""
    permission: str
    """O escopo dele, como o cadastro do aplicativo no Bling o chama."""
    path: str
    table: Table
    rows: Callable[[Document], Rows]
    """O mapeamento puro: de um documento do Bling às linhas de cada tabela. UnreadableError se não se lê inteiro."""
    key: Callable[[Document], Id] = lambda row: integer(row.get("id"))
    """O que identifica a linha de uma listagem, com o que dela diz o pai (`Each.told`), e fica na coluna `id`; None se
    nada o traz."""
    always: tuple[str | tuple[str, ...], ...] = ()
    """As chaves que nenhum documento deixa de ter, porque o que dizem nunca é vazio; de várias juntas, uma delas. Sem
    isso, o que veio é só um pedaço: a linha da listagem, por exemplo, no lugar do detalhe. O que pode ser vazio (uma
    referência, um texto, uma lista) pode também não vir, e não está aqui."""
    detail: bool = True
    """False se a linha da listagem é o documento."""
    alone: bool = True
    """False se o Bling não dá um registro só: o que a listagem, completa, não mostra não existe."""
    detail_path: str | None = None
    """Onde se pede um só, se não é em `path`."""
    detail_by: str | None = None
    """O parâmetro em que vai o id nesse pedido, se não é no caminho."""
    detail_params: Params = ()
    """O que se manda com esse pedido."""
    detail_with: tuple[tuple[str, str], ...] = ()
    """O que vai com o pedido de um só, que sem isso não se dá: o parâmetro → a chave da linha que o diz. De um assim só
    se pede o que uma listagem acaba de mostrar."""
    unnamed: bool = False
    """True se o detalhe não traz o id: é o de quem se pediu."""
    optional: bool = True
    """False para o que se coleta sem que ninguém o peça."""
    brings: str = ""
    """O recurso que também se pede quando este se pede pelo nome."""
    by_name: bool = False
    """True para o que `todos` não pede: pelo que custa, ou porque o Bling não o descreve."""
    principal: bool = False
    """O marco dele é o da execução, como no primeiro coletor."""

    # O que pedir para ver tudo.
    listed: bool = True
    """False se não há listagem: só se pede pelo id que outros citam, e só o detalhe diz o que mudou, ou se já não há
    (404)."""
    shows: tuple[Params, ...] = ((),)
    """As listagens que, juntas, mostram tudo: cada uma com os filtros que o padrão do Bling esconderia."""
    tries: tuple[Params, ...] = ()
    """As que se somam às de `shows` onde o Bling as aceita: de um valor de filtro que as fontes não dão por certo, ser
    recusado (400) é não haver nada com ele."""
    suspects: tuple[Params, ...] = ()
    """O que se soma à primeira de `shows` se ela não prova que mostra tudo; a sonda é um deles, outro a cada vez. Um
    que o Bling recuse também não mostra nada."""
    suspected: str | None = None
    """Em SQL, os valores que vão com o primeiro deles e que só o banco sabe: cada coluna é um parâmetro. Um que o Bling
    recuse não leva os outros consigo."""
    suspected_from: tuple[str, ...] = ()
    """Os recursos que os dizem: na primeira vez, leem-se antes das janelas deste."""
    proves: Callable[[Document], bool] = lambda row: True
    """True para a linha da primeira listagem que só apareceria se o padrão não escondesse nada além do sabido."""
    told: tuple[tuple[str, str], ...] = ()
    """Parâmetro de listagem → a chave da linha que ele diz por ela, onde a linha não a traz."""
    register: tuple[Params, ...] = ()
    """As listagens de tudo o que há, para quem quer o cadastro inteiro e não só o que se cita."""
    ids: str | None = None
    """O filtro da listagem por id, que se repete, onde há um."""
    paged: bool = True
    """False se a listagem vem de uma vez, sem páginas."""
    sized: bool = True
    """False se ela não aceita o tamanho da página."""

    # Como se lê.
    emitted: Emitted | None = None
    recent: tuple[Recent, ...] = ()
    changed: Changed | None = None
    whole: Whole | None = None
    each: Each | None = None
    also_by: Each | None = None
    """Listagens que se somam às de `shows`, uma por linha desta consulta: o padrão pode esconder o que elas mostram, e
    só o banco sabe que filtros há. Da listagem inteira, leem-se uma vez por semana, e sempre que as outras não mostrem
    tudo o que se tem."""
    cites: tuple[Cited, ...] = ()
    """Os outros recursos de que este guarda ids."""
    besides: str | None = None
    """Em SQL, os ids que se pedem além dos que se citam."""
    needs: tuple[str, ...] = ()
    """De onde vêm os ids deste, que não se lista por si: pedem-se com ele, se nada que se pede os dá."""
    keys: Keys | None = None
    snapshot: Snapshot | None = None
    settled: Settled | None = None
    removed: Removed | None = None
    announced: tuple[Announced, ...] = ()
    open: str | None = None
    """Em SQL, os registros que se releem todo dia, por velhos que sejam: esperam algo que a listagem não mostra.
    `:hoje` é o dia de hoje."""
    is_final: Callable[[Document], bool] = lambda row: True
    """False para a linha de listagem cujo detalhe ainda pode mudar sem que a listagem o mostre."""
    drifts: Callable[[Document], bool] | None = None
    """True para a linha cujo detalhe se relê uma vez por semana, que pode mudar sem que ela o mostre."""
    weekly: bool = False
    """O que está em aberto, ou não é final, relê-se uma vez por semana, e não em toda execução."""
    doubtful: str = "nao_encontrado_em IS NOT NULL"
    """Em SQL, de um que não se lista, os que podem já não existir, ou ter mudado: releem-se na execução seguinte, sem
    esperar a semana. `:hoje` é o dia de hoje."""
    from_list: tuple[tuple[str, str], ...] = ()
    """O que a listagem diz e o detalhe não, ou diz de outro jeito: a chave da linha → a do documento em que fica."""
    listable: Callable[[Document], bool] | None = None
    """False para o documento que existe e que nenhuma listagem mostra: nem por isso foi excluído. None se não os há."""
    says_gone: Callable[[Document], bool] = lambda row: False
    """True para a linha de listagem de um excluído: se o detalhe dele já não responde (404), o que há é ela."""
    fleeting: tuple[str, ...] = ()
    """As chaves da listagem que podem vir de outro jeito a cada resposta, sem que o registro mude: links assinados."""
    shown: tuple[str, ...] = ()
    """As colunas que a listagem também mostra: uma conferência que repara as compara."""
    special: tuple[Special, ...] = ()
    owed: Callable[[AsyncConnection, date], Awaitable[int]] | None = None
    """Quantos detalhes `special` deve pedir, do que o banco sabe nesse dia: de um que não se lista, os que faltam dos
    que os de `needs` mostram; do que se lista, os que se releem."""
    special_cost: Callable[[Mapping[str, float], Mapping[str, int]], float] | None = None
    """Quantas requisições `special` pede, de quantos registros chegam e quantos o banco tem de cada recurso; None se
    quase nunca pede alguma."""

    # Como se guarda.
    children: tuple[Child, ...] = ()
    first_seen: tuple[Table, ...] = ()
    """Tabelas de outro recurso que o documento também alimenta, só onde ainda não há linha."""
    after_save: OnIds | None = None
    """O que se completa no banco, na mesma transação, nas linhas criadas, mudadas ou refeitas."""
    after_change: OnIds | None = None
    """O mesmo, só nas que o Bling deu criadas ou mudadas: as que se refazem do que já se tinha não são novidade."""
    rebuilt: Callable[[AsyncConnection], Awaitable[object]] | None = None
    """O que se completa no banco depois de refazer todas as linhas do que se guardou."""
    ours: str = "true"
    """Em SQL, as linhas da tabela que são deste recurso."""
    refused: Callable[[Document], str | None] = lambda document: None
    """Por que um documento que se pediu não é deste recurso; None se é."""
    alive: str = "true"
    """Em SQL, das que não estão dadas por excluídas, as que o banco sabe que existiam."""
    known: str = "true"
    """Em SQL, sobre `antes`, das que aparecem excluídas as de que isso é novidade."""
    on_gone: OnIds | None = None
    """O que se refaz, na mesma transação, do que passou a estar excluído."""
    history: tuple[str, ...] | None = None
    """As chaves de `detalhe` cujas mudanças o histórico anota, além das colunas; None não anota nada."""
    volatile: tuple[str, ...] = ()
    """Colunas que se gravam com uma mudança, mas que sozinhas não são mudança."""
    state: tuple[str, ...] = ()
    """Das `volatile`, as que não vêm do documento: refazer a linha a partir dele as deixa como estão."""
    names: Callable[[Document], Row] = lambda row: {}
    """Por que as pessoas conhecem o registro, tirado da linha de listagem, nas colunas de `pendencias`."""
    person: Person | None = None
    one_more: Callable[["RunContext", "Item"], Awaitable[bool]] | None = None
    """O que se busca, ou se grava, além do documento que se acaba de buscar de um registro só; True se mudou."""
    counts: str | None = None
    """A coluna de `etl_controle` em que a execução conta o que gravou dele, se há uma: as do primeiro coletor."""
    said: str | None = None
    """Como as respostas chamam essa contagem, se não é pelo nome do recurso."""

    @property
    def kept(self) -> Kept:
        """O recurso, no que a prova precisa saber dele."""
        dated = self.emitted.columns if self.emitted is not None else None
        return Kept(self.name, self.table, dated, self.ours, self.alive, self.known, self.on_gone)

    @property
    def is_proved_whole(self) -> bool:
        """Se o que ele tem se confere na leitura da listagem inteira."""
        return self.emitted is None and self.whole is not None and not self.whole.when_lacking

    @property
    def waits_its_week(self) -> bool:
        """Se há registros dele que se releem cada um no seu dia da semana."""
        return self.weekly or self.drifts is not None or (self.whole is not None and self.whole.lately is not None)

    @property
    def parents(self) -> tuple[Each, ...]:
        """As consultas, de outros recursos, por que ele se lista."""
        return tuple(each for each in (self.each, self.also_by) if each is not None)

    @property
    def personal(self) -> Personal | None:
        """O recurso, no que é preciso saber dele para achar e apagar uma pessoa; None se não fala de nenhuma."""
        told = self.person
        if told is None:
            return None
        parents = {child.table: child.table.c[child.parent] for child in self.children}
        parent = parents.get(told.contato_id.table) if told.contato_id is not None else None
        return Personal(
            self.name, self.table, told.contato_id, parent, told.names, told.documento, told.columns, told.through
        )

    def without(self, document: Document, erased: Erased) -> Document:
        """O documento sem quem pediu que os seus dados fossem apagados: os donos dele, e quem mais ele cita pelo id."""
        told, owners = self.person, set[int]()
        if told is not None:
            owners = told.contatos(document)
            if owners & erased.contatos or (self.table.name, integer(document.get("id"))) in erased.others:
                kept = {"id": document["id"]} if "id" in document else {}
                document = kept | {**told.without(document, erased.contatos)}
        cited = Traces(erased.contatos - owners)
        return cited.without(document) if cited.contatos else document

    def resumo(self, row: Document) -> str:
        """A impressão de uma linha da listagem: outra, se o registro mudou."""
        return digest({key: value for key, value in row.items() if key not in self.fleeting})

    def of_list(self, row: Document) -> Document:
        """O que só a linha da listagem diz, como o documento o guarda."""
        return {ours: row[theirs] for theirs, ours in self.from_list if theirs in row}

    def key_of(self, id_: Id) -> Callable[[Document], Id]:
        """O que identifica o detalhe de `id_`, que pode não o dizer."""
        return self.key if not self.unnamed else lambda document: id_ if "id" not in document else self.key(document)

    def params_of(self, row: Document) -> Params:
        """O que vai com o pedido do detalhe de uma linha da listagem."""
        return tuple((param, str(row[key])) for param, key in self.detail_with)

    @property
    def has_text_ids(self) -> bool:
        """Se os ids são textos, e não números."""
        return "id" in self.table.c and isinstance(self.table.c.id.type, Text)

    def id_of(self, written: str) -> Id:
        """O id de um registro, como se escreve em pendências e no que se digita."""
        return written if self.has_text_ids else int(written)

    @property
    def asked_at(self) -> str:
        """O caminho em que se pede um registro só."""
        return self.detail_path or self.path

    def gives(self, other: "Resource") -> bool:
        """Se deste saem ids do outro."""
        cited = any(name == other.name for name, _ in self.cites)
        return self.name != other.name and (cited or other.table in self.first_seen or self.name in other.needs)

    @property
    def only_listed(self) -> bool:
        """Se um registro só se lê inteiro na listagem de todos: o Bling não o dá sozinho, ou só ela diz parte dele."""
        told = self.told or (self.each is not None and self.each.told)
        return not self.detail and self.ids is None and (bool(told) or not self.alone)

    @property
    def keeps_listing(self) -> bool:
        """Cada registro guarda a impressão da linha de listagem que o mostrou; e o que ela mostra não foi excluído."""
        return "resumo_lista" in self.table.c

    def is_listable(self, document: Document) -> bool:
        """Se a listagem mostra o registro, pelo que o documento diz dele."""
        return self.listable is None or self.listable(document)

    def day(self, row: Document) -> date | None:
        """O dia da linha, se o recurso tem data de negócio e a linha a traz."""
        return self.emitted.day(row) if self.emitted is not None else None

    def refuse_a_piece(self, document: Document) -> None:
        """UnreadableError se o que o Bling deu é só um pedaço do documento."""
        for keys in self.always:
            names = (keys,) if isinstance(keys, str) else keys
            if not document.keys() & {*names}:
                raise UnreadableError(f"{' nem '.join(names)} não veio")

    def read(self, document: Document) -> Rows:
        """As linhas de um documento que o Bling acaba de dar. UnreadableError se não veio, ou não se lê, inteiro."""
        self.refuse_a_piece(document)
        return self.rows(document)
