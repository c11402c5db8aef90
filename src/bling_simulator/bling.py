"""A alça do simulador: tudo o que a interface de controle faz, um teste faz aqui sem HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import Any, Literal

from bling_simulator.clock import Clock, SystemClock, local_now
from bling_simulator.company import generate_another, generate_company
from bling_simulator.company.dimensions.dimensions import Dimensions
from bling_simulator.company.finance.accounts import CANCELLED as CANCELLED_ACCOUNT
from bling_simulator.company.finance.ledger import Ledger
from bling_simulator.company.finance.settling import Kind as AccountKind
from bling_simulator.company.finance.slips import slips
from bling_simulator.company.goods.catalogue import make_product
from bling_simulator.company.goods.stockroom import Stockroom
from bling_simulator.company.invoices.invoice import NFCE
from bling_simulator.company.invoices.services import AVAILABLE, PENDING, build_service, issued
from bling_simulator.company.invoices.services import CANCELLED as CANCELLED_SERVICE
from bling_simulator.company.people import Kind, make_contact
from bling_simulator.company.register import Register
from bling_simulator.company.sales.orderbook import Orderbook
from bling_simulator.company.sales.sellers import as_seller_contact, follow_contact, make_seller
from bling_simulator.company.shipments import shipments
from bling_simulator.counters import Counters
from bling_simulator.faults import FaultBook, FaultKind, FaultRule
from bling_simulator.limits import AccountLimits, IpLimits
from bling_simulator.notebook import Notebook
from bling_simulator.oauth.grants import Grants
from bling_simulator.payload import Json
from bling_simulator.settings import SimulatorSettings
from bling_simulator.totals import YearTotals, totals_by_year
from bling_simulator.trade import Trade
from bling_simulator.webhooks import Webhooks


class Bling:
    """Uma conta do Bling com seus dados, seus tokens, seus limites e seus defeitos."""

    def __init__(self, settings: SimulatorSettings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or SimulatorSettings()
        self.clock = clock or SystemClock()
        self.company = generate_company(self.settings)
        self.notebook = Notebook(self.company, self.settings.seed)
        self.orderbook = Orderbook(self.company, self.settings.seed)
        self.ledger = self._new_ledger()
        self.stockroom = Stockroom(self.company.products, self.settings.seed)
        self.trade = Trade(self.company, self.notebook, self.orderbook, self.ledger, self.settings)
        if self.settings.goes_on:
            self.trade.go_on(local_now(self.clock))
        self.grants = Grants(self.clock, lambda: self.settings, self.settings.seed)
        self.faults = FaultBook(self.settings.seed)
        self.counters = Counters()
        self.account_limits = AccountLimits(self.clock)
        self.ip_limits = IpLimits(self.clock)
        self.rng = Random(self.settings.seed)
        self._object_changes: dict[int, Json] = {}
        self._deleted_objects: set[int] = set()
        self._slip_changes: dict[int, Json] = {}
        self._deleted_slips: set[int] = set()
        self.unlisted: set[tuple[str, int]] = set()
        """(caminho, id) do que nenhuma listagem mostra, ainda que o detalhe responda."""
        self.garbled: dict[tuple[str, int | str], Json] = {}
        """(caminho, id) → os campos que saem trocados, na listagem e no detalhe."""

    # --- configurações -------------------------------------------------------------------------------

    def configure(self, **changes: Any) -> None:
        """Troca configurações com o simulador ligado. `TypeError` se alguma não existe."""
        self.settings = replace(self.settings, **changes)

    # --- a empresa -----------------------------------------------------------------------------------

    @cached_property
    def webhooks(self) -> Webhooks:
        """Os avisos, desde a primeira vez que se pedem."""
        return Webhooks(self)

    @property
    def profile(self) -> Json:
        """O que `GET /empresas/me/dados-basicos` responde."""
        return self.company.profile

    def become_another(self, nome: str = "Outra Empresa Ltda (simulada)", cnpj: str = "12ABC34501DE35") -> None:
        """A conta passa a ser a de outra empresa, com outros dados; os tokens continuam valendo."""
        self.company = generate_another(self.settings, nome=nome, cnpj=cnpj)
        self.notebook = Notebook(self.company, self.settings.seed)
        self.orderbook = Orderbook(self.company, self.settings.seed)
        self.ledger = self._new_ledger()
        for made in ("dimensions", "papers", "couponbook", "services", "webhooks"):
            self.__dict__.pop(made, None)
        self.stockroom = Stockroom(self.company.products, self.settings.seed)

    def _new_ledger(self) -> Ledger:
        return Ledger(self.company.first_books, self.company.contacts, self.company.payment_methods)

    # --- autorização ---------------------------------------------------------------------------------

    def authorise(self) -> str:
        """Consente sem navegador: devolve o código que iria na volta ao aplicativo."""
        return self.grants.new_code()

    def grant(self, *, jwt: bool = False) -> Json:
        """Um par de tokens pronto, como o corpo de `POST /oauth/token`."""
        return self.grants.issue(jwt=jwt)

    def expire_access_tokens(self) -> None:
        self.grants.expire_access_tokens()

    def revoke_all(self) -> None:
        self.grants.revoke_all()

    # --- notas ---------------------------------------------------------------------------------------

    @property
    def notes(self) -> Mapping[int, Json]:
        """id → detalhe completo de cada nota, das duas naturezas."""
        return self.notebook.notes

    def issue_note(
        self,
        *,
        emitted_at: datetime | None = None,
        situacao: int = 6,
        tipo: Literal[0, 1] = 1,
        serie: int = 1,
        contact_id: int | None = None,
        lines: Sequence[Json] | None = None,
        own: bool = False,
        **changes: Any,
    ) -> int:
        """Emite uma nota e devolve seu id. `emitted_at` é a hora de Brasília, sem fuso; por omissão, agora.

        Ver `Notebook.issue`. Linhas se fazem com `company.lines.line_of`.
        """
        return self.notebook.issue(
            emitted_at or local_now(self.clock),
            situacao=situacao,
            tipo=tipo,
            serie=serie,
            contact_id=contact_id,
            lines=lines,
            own=own,
            **changes,
        )

    def sell(self) -> int:
        """Uma venda como as outras da empresa, agora; devolve o id da nota. O pedido dela, se tem, é do mesmo dia."""
        return self.trade.sell(local_now(self.clock))

    def edit_note(self, note_id: int, **changes: Any) -> None:
        self.notebook.edit(note_id, **changes)

    def cancel_note(self, note_id: int) -> None:
        self.notebook.cancel(note_id)

    def delete_note(self, note_id: int) -> None:
        self.notebook.delete(note_id)

    def totals_by_year(self, tipo: int = 1) -> dict[int, YearTotals]:
        return totals_by_year(self.notes.values(), tipo)

    # --- notas de consumidor -------------------------------------------------------------------------

    @cached_property
    def couponbook(self) -> Notebook:
        """As NFC-e, que só são geradas quando alguém as olha pela primeira vez."""
        return Notebook(self.company, self.settings.seed, self.company.first_coupons(), modelo=NFCE)

    @property
    def coupons(self) -> Mapping[int, Json]:
        """id → detalhe completo de cada NFC-e."""
        return self.couponbook.notes

    def issue_coupon(self, *, emitted_at: datetime | None = None, situacao: int = 6, **more: Any) -> int:
        """Emite uma NFC-e e devolve seu id; o mais, como em `issue_note`."""
        return self.couponbook.issue(emitted_at or local_now(self.clock), situacao=situacao, **more)

    def edit_coupon(self, coupon_id: int, **changes: Any) -> None:
        self.couponbook.edit(coupon_id, **changes)

    def cancel_coupon(self, coupon_id: int) -> None:
        self.couponbook.cancel(coupon_id)

    def delete_coupon(self, coupon_id: int) -> None:
        self.couponbook.delete(coupon_id)

    # --- notas de serviço ----------------------------------------------------------------------------

    @cached_property
    def services(self) -> dict[int, Json]:
        """id → detalhe completo de cada NFS-e."""
        return self.company.first_services()

    def add_service(self, *, emitted_on: date | None = None, situacao: int = AVAILABLE, **changes: Any) -> int:
        """Emite uma nota de serviço e devolve seu id; por omissão, hoje, ao primeiro contato que tem nome."""
        service_id = max(self.services, default=9_900_000_307) + 1
        rps = max((int(each["numeroRPS"]) for each in self.services.values()), default=0) + 1
        contact = next(each for each in self.contacts.values() if each["nome"] and each["situacao"] != "E")
        day = emitted_on or local_now(self.clock).date()
        self.services[service_id] = build_service(service_id, rps, day, situacao, contact, Decimal("120.00"))
        self.edit_service(service_id, **changes)
        return service_id

    def edit_service(self, service_id: int, **changes: Any) -> None:
        """Troca campos do detalhe. A que passa a emitida ganha número, link e código. `KeyError` se não existe."""
        service = self.services[service_id]
        unknown = changes.keys() - service.keys()
        if unknown:
            raise KeyError(f"A nota de serviço não tem {sorted(unknown)}")
        service.update(changes)
        if service["situacao"] != PENDING and not service["numero"]:
            service.update(issued(service))

    def cancel_service(self, service_id: int) -> None:
        self.edit_service(service_id, situacao=CANCELLED_SERVICE)

    def delete_service(self, service_id: int) -> None:
        del self.services[service_id]

    # --- pedidos -------------------------------------------------------------------------------------

    @property
    def orders(self) -> Mapping[int, Json]:
        """id → detalhe completo de cada pedido de venda."""
        return {order_id: entry.detail for order_id, entry in self.orderbook.entries.items()}

    def add_order(
        self,
        *,
        ordered_on: date | None = None,
        contact_id: int | None = None,
        lines: Sequence[Json] | None = None,
        **changes: Any,
    ) -> int:
        """Faz um pedido em aberto, sem nota, e devolve seu id; por omissão, de hoje. Ver `Orderbook.add`.

        Linhas se fazem com `company.lines.line_of`; `situacao` pode ser só o id.
        """
        now = local_now(self.clock)
        placed = datetime.combine(ordered_on or now, now.time())
        return self.orderbook.add(placed, now, contact_id=contact_id, lines=lines, **changes)

    def edit_order(self, order_id: int, **changes: Any) -> None:
        """Troca campos do detalhe; a data de alteração passa a ser agora."""
        self.orderbook.edit(order_id, local_now(self.clock), **changes)

    def cancel_order(self, order_id: int) -> None:
        self.orderbook.cancel(order_id, local_now(self.clock))

    def delete_order(self, order_id: int) -> None:
        self.orderbook.delete(order_id)

    # --- contas --------------------------------------------------------------------------------------

    @property
    def receivables(self) -> Mapping[int, Json]:
        """id → detalhe de cada conta a receber."""
        return self.ledger.books.receivables

    @property
    def payables(self) -> Mapping[int, Json]:
        """id → detalhe de cada conta a pagar."""
        return self.ledger.books.payables

    @property
    def borderos(self) -> Mapping[int, Json]:
        """id → detalhe de cada borderô."""
        return self.ledger.books.borderos

    @property
    def slips(self) -> dict[int, Json]:
        """Id de uma nota, ou de um pedido, que se paga por boleto → os boletos das contas dela."""
        made = slips(self.receivables.values()).items()
        return {id_: each | self._slip_changes.get(id_, {}) for id_, each in made if id_ not in self._deleted_slips}

    def edit_slips(self, origin_id: int, **changes: Any) -> None:
        """Troca campos dos boletos de uma nota, ou de um pedido. `KeyError` se não os há."""
        known = self.slips[origin_id]
        if unknown := changes.keys() - known.keys():
            raise KeyError(f"Os boletos não têm {sorted(unknown)}")
        self._slip_changes.setdefault(origin_id, {}).update(changes)

    def delete_slips(self, origin_id: int) -> None:
        """Some com os boletos; as contas ficam."""
        self._deleted_slips.add(origin_id)

    @property
    def cash_entries(self) -> Mapping[int, Json]:
        """id → detalhe de cada lançamento de caixa, com os excluídos."""
        return self.ledger.books.entries

    def add_account(
        self,
        kind: AccountKind = "receber",
        *,
        emitted_on: date | None = None,
        due_on: date | None = None,
        valor: Decimal = Decimal("100.00"),
        contact_id: int | None = None,
        **changes: Any,
    ) -> int:
        """Lança uma conta à mão, a receber ou a pagar, em aberto e sem origem; devolve o id. Por omissão é emitida hoje
        e vence em 28 dias."""
        contact_id = contact_id or min(self.company.contacts.entries)
        emitted = emitted_on or local_now(self.clock).date()
        return self.ledger.add(kind, emitted, valor, contact_id, due_on, **changes)

    def edit_account(self, kind: AccountKind, account_id: int, **changes: Any) -> None:
        self.ledger.edit(kind, account_id, changes)

    def settle_accounts(
        self, kind: AccountKind, *account_ids: int, on: date | None = None, amount: Decimal | None = None
    ) -> int:
        """Quita as contas num borderô só, todo o saldo de cada uma ou `amount` dele; devolve o id do borderô."""
        return self.ledger.settle(kind, account_ids, on or local_now(self.clock).date(), amount)

    def reopen_account(self, kind: AccountKind, account_id: int) -> None:
        """Estorna a quitação: o borderô sai da conta."""
        self.ledger.reopen(kind, account_id)

    def delete_account(self, kind: AccountKind, account_id: int) -> None:
        """Exclui: some da listagem, e o detalhe responde 404; com `deleted_accounts_stay_cancelled`, fica cancelada."""
        if self.settings.deleted_accounts_stay_cancelled:
            self.ledger.edit(kind, account_id, {"situacao": CANCELLED_ACCOUNT})
        else:
            del self.ledger.books.of(kind)[account_id]

    def edit_bordero(self, bordero_id: int, **changes: Any) -> None:
        self.ledger.edit_bordero(bordero_id, changes)

    def delete_bordero(self, bordero_id: int) -> None:
        """Some com o borderô; as contas continuam a citá-lo."""
        del self.ledger.books.borderos[bordero_id]

    def edit_cash_entry(self, entry_id: int, **changes: Any) -> None:
        self.ledger.edit_entry(entry_id, changes)

    def delete_cash_entry(self, entry_id: int) -> None:
        """Excluir um lançamento é só mudar-lhe a situação (referência)."""
        self.edit_cash_entry(entry_id, situacao="E")

    # --- cadastros -----------------------------------------------------------------------------------

    @property
    def contacts(self) -> Mapping[int, Json]:
        """id → detalhe de cada contato, com os excluídos."""
        return {record_id: entry.detail for record_id, entry in self.company.contacts.entries.items()}

    @property
    def products(self) -> Mapping[int, Json]:
        """id → detalhe de cada produto, com os excluídos."""
        return {record_id: entry.detail for record_id, entry in self.company.products.entries.items()}

    def add_contact(self, kind: Kind = "J", **changes: Any) -> int:
        register = self.company.contacts
        detail = make_contact(self.rng, kind) | changes
        return register.add(detail, local_now(self.clock), record_id=register.next_id())

    def edit_contact(self, contact_id: int, **changes: Any) -> None:
        """Muda o contato, e com ele o nome e a situação que o vendedor mostra, se ele é de um."""
        now = local_now(self.clock)
        self.company.contacts.change(contact_id, changes, now)
        follow_contact(self.company.sellers, self.company.contacts.entries[contact_id].detail, now)

    def delete_contact(self, contact_id: int) -> None:
        """Exclui do cadastro: sai das listas comuns e o detalhe responde 404."""
        self.edit_contact(contact_id, situacao="E")
        self.company.contacts.entries[contact_id].deleted = True

    def add_product(self, codigo: str, **changes: Any) -> int:
        register = self.company.products
        detail = make_product(self.rng, codigo, f"Produto {codigo}", price=Decimal("10.00"))
        detail |= {"situacao": "A"} | changes
        return register.add(detail, local_now(self.clock), record_id=register.next_id())

    def edit_product(self, product_id: int, **changes: Any) -> None:
        self.company.products.change(product_id, changes, local_now(self.clock))

    def delete_product(self, product_id: int) -> None:
        """Exclui do cadastro: só volta nos critérios 4 e 5, e o detalhe responde 404."""
        self.edit_product(product_id)
        self.company.products.entries[product_id].deleted = True

    def erase_product(self, product_id: int) -> None:
        """Apaga-o de vez: nenhum critério o mostra, e o detalhe responde 404."""
        del self.company.products.entries[product_id]

    def edit_stock(self, product_id: int, **changes: Any) -> None:
        """Troca campos do saldo de um produto, como `GET /estoques/saldos` o mostra."""
        self.stockroom.edit(product_id, changes)

    @property
    def sellers(self) -> Mapping[int, Json]:
        """id → detalhe de cada vendedor, com os excluídos."""
        return {record_id: entry.detail for record_id, entry in self.company.sellers.entries.items()}

    def add_seller(self, **changes: Any) -> int:
        """Cadastra um vendedor. `contato` é `{"id": …}` de um contato da empresa; sem ele, cadastra-se uma pessoa."""
        contact_id = changes.get("contato", {}).get("id") or self.add_contact("F")
        seen = as_seller_contact(self.company.contacts.entries[contact_id].detail)
        detail = make_seller(seen) | changes | {"contato": seen | changes.get("contato", {})}
        register = self.company.sellers
        return register.add(detail, local_now(self.clock), record_id=register.next_id())

    def edit_seller(self, seller_id: int, **changes: Any) -> None:
        self.company.sellers.change(seller_id, changes, local_now(self.clock))

    def delete_seller(self, seller_id: int) -> None:
        """Exclui o contato dele, de quem é a situação: só volta com `situacaoContato` E ou T, e o detalhe dá 404."""
        contact = self.company.sellers.entries[seller_id].detail["contato"]
        if contact["id"] in self.company.contacts.entries:
            self.delete_contact(contact["id"])
        self.edit_seller(seller_id, contato=contact | {"situacao": "E"})

    @cached_property
    def dimensions(self) -> Dimensions:
        """Caminho → o cadastro dos recursos de `api/dimensoes`."""
        return self.company.first_dimensions()

    @cached_property
    def papers(self) -> Dimensions:
        """Caminho → os registros dos recursos de `api/papeis`."""
        return self.company.first_papers()

    def kept(self, path: str) -> Register:
        """O cadastro, ou os papéis, que este caminho lista."""
        return self.dimensions[path] if path in self.dimensions else self.papers[path]

    def add_dimension(self, path: str, **detail: Any) -> int:
        """Põe um registro no cadastro de `path`; devolve seu id, o de `detail` ou o seguinte."""
        register = self.kept(path)
        return register.add(detail, local_now(self.clock), record_id=detail.get("id") or register.next_id())

    def edit_dimension(self, path: str, record_id: int | str, **changes: Any) -> None:
        """Troca campos de um registro; a data de alteração, onde há uma, passa a ser agora."""
        self.kept(path).change(record_id, changes, local_now(self.clock))

    def delete_dimension(self, path: str, record_id: int | str) -> None:
        """Some com o registro: sai das listas, e o detalhe responde 404."""
        del self.kept(path).entries[record_id]

    @property
    def objects(self) -> dict[int, Json]:
        """id → cada objeto despachado, sem o id: os volumes dos pedidos e das notas."""
        stays = self.settings.order_objects_stay_unposted
        notes = [note for note in self.notes.values() if note["tipo"] == 1]
        made = shipments(self.orders.values(), notes, self.settings.today, orders_stay_unposted=stays)
        return {id_: each | self._object_changes.get(id_, {}) for id_, each in made if id_ not in self._deleted_objects}

    def edit_object(self, object_id: int, **changes: Any) -> None:
        """Troca campos de um objeto despachado. `KeyError` se não existe."""
        known = self.objects[object_id]
        if unknown := changes.keys() - known.keys():
            raise KeyError(f"O objeto não tem {sorted(unknown)}")
        self._object_changes.setdefault(object_id, {}).update(changes)

    def delete_object(self, object_id: int) -> None:
        """Some com o objeto; o volume continua a citá-lo."""
        self._deleted_objects.add(object_id)

    # --- defeitos ------------------------------------------------------------------------------------

    def fail(self, path: str, kind: FaultKind = "server_error", **rule: Any) -> int:
        """Liga uma falha (campos em `FaultRule`) e devolve o número para `faults.remove`."""
        return self.faults.add(FaultRule(path, kind, **rule))
