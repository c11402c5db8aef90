"""O que é um stream: a declaração de um recurso do Bling e das tabelas em que ele pousa."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Table

from bling_collector.db.core import AsyncConnection
from bling_collector.db.proof import Dated, Kept
from bling_collector.payload import Json, Row, UnreadableError

Document = Mapping[str, Json]
"""Um objeto do Bling: a linha de uma listagem ou um detalhe."""

Params = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Child:
    """Uma tabela cujas linhas pertencem às da tabela principal e são trocadas com ela."""

    table: Table
    parent: str
    """A coluna que aponta para a principal."""


Rows = Mapping[Table, list[Row]]


@dataclass(frozen=True)
class Stream:
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
    always: tuple[str, ...] = ()
    """As chaves que nenhum documento deixa de ter, ainda que vazias: sem uma delas, o que veio é só um pedaço."""
    listings: tuple[Params, ...] = ((),)
    """As listagens que, juntas, mostram tudo: cada uma com os filtros que o padrão do Bling esconderia."""
    suspects: tuple[Params, ...] = ()
    """Listagens que só se pedem se `listings` não prova que mostra tudo; a sonda é uma delas, outra a cada vez."""
    proves: Callable[[Document], bool] = lambda row: True
    """True para a linha da primeira listagem que só apareceria se o padrão não escondesse nada além do sabido."""
    window: tuple[str, str] | None = None
    """Os parâmetros de início e fim do período, quando a listagem tem um."""
    children: tuple[Child, ...] = field(default=())
    is_final: Callable[[Document], bool] = lambda row: True
    """False para a linha de listagem cujo detalhe ainda pode mudar sem que a listagem o mostre."""
    day: Callable[[Document], date | None] = lambda row: None
    """O dia da linha de listagem dentro da sua janela."""
    after_save: Callable[[AsyncConnection, Collection[int]], Awaitable[object]] | None = None
    """O que se completa no banco, na mesma transação, nas linhas que acabam de ser gravadas."""
    dated: Dated | None = None
    """As colunas por que a conferência conta, mês a mês, o que o banco tem; None não se confere assim."""
    ours: str = "true"
    """Em SQL, as linhas da tabela que são deste recurso."""
    alive: str = "true"
    """Em SQL, das que não estão dadas por excluídas, as que o banco sabe que existiam."""
    known: str = "true"
    """Em SQL, sobre `antes`, das que aparecem excluídas as de que isso é novidade."""
    on_gone: Callable[[AsyncConnection, Collection[int]], Awaitable[object]] | None = None
    """O que se refaz, na mesma transação, do que passou a estar excluído."""
    group: Callable[[Document], str] = lambda row: ""
    """Como a conferência separa as linhas da listagem: a situação."""
    history: tuple[str, ...] | None = None
    """As chaves de `detalhe` cujas mudanças o histórico anota, além das colunas; None não anota nada."""
    listing_is_kept: bool = False
    """Cada registro guarda a impressão da linha de listagem que o mostrou; e o que ela mostra não foi excluído."""
    volatile: tuple[str, ...] = ()
    """Colunas que se gravam com uma mudança, mas que sozinhas não são mudança."""
    state: tuple[str, ...] = ()
    """Das `volatile`, as que não vêm do documento: refazer a linha a partir dele as deixa como estão."""
    names: Callable[[Document], Row] = lambda row: {}
    """Por que as pessoas conhecem o registro, tirado da linha de listagem, nas colunas de `pendencias`."""
    person: Callable[[Document], int | None] | None = None
    """O id do contato de quem o documento fala; None se não fala de pessoas."""
    nameless: Callable[[Document], Document] = lambda document: document
    """O documento sem o que diz quem é o contato, para quem pediu que os seus dados fossem apagados."""
    first_seen: tuple[Table, ...] = field(default=())
    """Tabelas de outro stream que o documento também alimenta, só onde ainda não há linha."""

    @property
    def kept(self) -> Kept:
        """O recurso, no que a prova precisa saber dele."""
        return Kept(self.name, self.table, self.dated, self.ours, self.alive, self.known, self.on_gone)

    def refuse_a_piece(self, document: Document) -> None:
        """UnreadableError se o que o Bling deu é só um pedaço do documento."""
        for key in self.always:
            if key not in document:
                raise UnreadableError(f"{key} não veio")

    def read(self, document: Document) -> Rows:
        """As linhas de um documento que o Bling acaba de dar. UnreadableError se não veio, ou não se lê, inteiro."""
        self.refuse_a_piece(document)
        return self.rows(document)
