"""A empresa depois da última nota gerada: continua a vender, no ritmo do último ano inteiro."""

from datetime import date, datetime, timedelta
from random import Random

from bling_simulator.company.calendar import office_hour
from bling_simulator.company.finance.ledger import Ledger
from bling_simulator.company.generator import Company
from bling_simulator.company.invoices.dealing import LINES_PER_NOTE
from bling_simulator.company.invoices.lines import repeated
from bling_simulator.company.invoices.notes import outgoing_draft
from bling_simulator.company.people import CUSTOMER_TYPE, Kind, make_contact
from bling_simulator.company.sales.orderbook import Orderbook
from bling_simulator.company.sales.orders import ORDERED
from bling_simulator.notebook import Notebook
from bling_simulator.payload import Json
from bling_simulator.settings import SimulatorSettings

_BUSINESS_DAYS = 261
_NEWCOMERS = 0.35
"""A parte das vendas que é a primeira de um cliente."""
_CANCELLED = 0.02
_REPEATED = 0.04
"""Como na empresa gerada: notas com a mesma mercadoria noutra linha, às vezes de outro CFOP."""


class Trade:
    """As vendas de um dia só dependem da semente e do dia: continuar até amanhã é continuar até hoje, e mais um dia."""

    def __init__(
        self, company: Company, notebook: Notebook, orderbook: Orderbook, ledger: Ledger, settings: SimulatorSettings
    ) -> None:
        self._company = company
        self._notebook = notebook
        self._orderbook = orderbook
        self._ledger = ledger
        self._seed = settings.seed
        self._sold_until = datetime.combine(settings.today, datetime.max.time())
        volumes = settings.company_volumes()
        whole = [notes for year, (notes, _) in sorted(volumes.items()) if year < settings.today.year]
        self._a_day = (whole or [0])[-1] / _BUSINESS_DAYS

    def go_on(self, until: datetime) -> None:
        """Emite o que se vendeu desde a última vez até `until`, hora de Brasília."""
        day = self._sold_until.date()
        while day <= until.date():
            for at in self._moments(day):
                if self._sold_until < at <= until:
                    self.sell(at)
            day += timedelta(days=1)
        self._sold_until = max(self._sold_until, until)
        self._ledger.go_on(until.date())

    def sell(self, at: datetime) -> int:
        """Uma venda neste instante, que quase sempre tem pedido do mesmo dia; devolve o id da nota."""
        rng = Random(f"{self._seed} {at}")
        draft = outgoing_draft(rng, at, self._buyer(rng, at), self._goods(rng), list(self._company.payment_methods))
        if rng.random() < _REPEATED:
            draft.lines.append(repeated(rng, rng.choice(draft.lines)))
        if rng.random() < _CANCELLED:
            draft.situacao = 2
        note_id = self._notebook.enter(draft)
        if draft.situacao != 2:
            self._ledger.promise(self._notebook.notes[note_id])
        if rng.random() < ORDERED:
            self._orderbook.promise(self._notebook.notes[note_id], at)
        return note_id

    def _moments(self, day: date) -> list[datetime]:
        if day.weekday() > 4:
            return []
        rng = Random(f"{self._seed} {day}")
        count = int(self._a_day * rng.uniform(0.5, 1.5) + rng.random())
        return sorted(datetime.combine(day, office_hour(rng)) for _ in range(count))

    def _buyer(self, rng: Random, at: datetime) -> Json:
        register = self._company.contacts
        old = [
            entry.detail
            for entry in register.entries.values()
            if not entry.deleted and CUSTOMER_TYPE in entry.detail["tiposContato"]
        ]
        if old and rng.random() > _NEWCOMERS:
            return old[int(len(old) * rng.random() ** 2)]
        kind: Kind = rng.choices(("J", "F"), (4, 1))[0]
        contact = make_contact(rng, kind)
        register.add(contact, at - timedelta(minutes=20), record_id=register.next_id())
        return contact

    def _goods(self, rng: Random) -> list[Json]:
        living = [entry.detail for entry in self._company.products.entries.values() if not entry.deleted]
        sizes, weights = zip(*LINES_PER_NOTE, strict=True)
        return rng.sample(living, min(rng.choices(sizes, weights)[0], len(living)))
