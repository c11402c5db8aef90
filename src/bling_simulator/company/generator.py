"""Gera a empresa inteira a partir da semente: mesmos parâmetros, mesma empresa, byte a byte."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from random import Random

from bling_simulator.company.customers import make_customers
from bling_simulator.company.dimensions.dimensions import Dimensions, make_dimensions
from bling_simulator.company.finance.books import Books, Sources, make_books
from bling_simulator.company.goods.categories import make_categories
from bling_simulator.company.goods.stock import make_stock
from bling_simulator.company.invoices import ugly
from bling_simulator.company.invoices.coupons import make_coupons
from bling_simulator.company.invoices.dealing import MOST_LINES, deal_lines, deal_one_each, line_counts
from bling_simulator.company.invoices.invoice import COMPANY_CNPJ, NFCE, STAMP, Draft, transmission
from bling_simulator.company.invoices.notes import SHOP, incoming_draft, number_and_build, outgoing_draft, schedule
from bling_simulator.company.invoices.services import make_services
from bling_simulator.company.papers.contracts import make_contracts
from bling_simulator.company.papers.papers import Desk
from bling_simulator.company.papers.production import make_production
from bling_simulator.company.papers.purchases import make_purchases
from bling_simulator.company.papers.quotes import make_quotes
from bling_simulator.company.papers.shipping import make_shipping
from bling_simulator.company.payment_methods import make_payment_methods
from bling_simulator.company.register import Register
from bling_simulator.company.sales.orders import Registers, make_orders
from bling_simulator.company.sales.sellers import make_sellers
from bling_simulator.payload import Json, clone
from bling_simulator.settings import SimulatorSettings

_LIVE, _LINES, _CONTACTS, _PRODUCTS, _INCOMING = 2850, 5848, 1418, 1039, 40
"""As proporções da empresa de referência: notas vivas e o que elas referenciam."""
_SHIFT = 7
"""Quanto andam os ids das notas e dos pedidos na outra conta."""


@dataclass(frozen=True)
class Company:
    profile: Json
    notes: dict[int, Json]
    contacts: Register
    products: Register
    payment_methods: dict[int, Json]
    categories: dict[int, Json]
    sellers: Register
    first_orders: Callable[[], Register] = field(compare=False)
    """Gera os pedidos, que saem das notas como foram geradas, mudem elas o que mudarem."""
    first_books: Callable[[], Books] = field(compare=False)
    """Gera as contas, que saem das notas e dos pedidos como foram gerados."""
    first_coupons: Callable[[], dict[int, Json]] = field(compare=False)
    """Gera as NFC-e."""
    first_services: Callable[[], dict[int, Json]] = field(compare=False)
    """Gera as NFS-e."""
    first_dimensions: Callable[[], Dimensions] = field(compare=False)
    """Gera os cadastros pequenos, que também saem da empresa como foi gerada."""
    first_papers: Callable[[], Dimensions] = field(compare=False)
    """Gera os pedidos de compra, as propostas, as ordens de produção e os contratos, o mesmo."""


def generate_company(settings: SimulatorSettings) -> Company:
    """A empresa das configurações; cada chamada devolve uma cópia só de quem a pediu."""
    volumes = tuple(sorted(settings.company_volumes().items()))
    model = _generate(settings.seed, volumes, settings.today)
    return Company(
        profile=clone(model.profile),
        notes=clone(model.notes),
        contacts=model.contacts.copy(),
        products=model.products.copy(),
        payment_methods=clone(model.payment_methods),
        categories=clone(model.categories),
        sellers=model.sellers.copy(),
        first_orders=model.first_orders,
        first_books=model.first_books,
        first_coupons=model.first_coupons,
        first_services=model.first_services,
        first_dimensions=model.first_dimensions,
        first_papers=model.first_papers,
    )


def generate_another(settings: SimulatorSettings, *, nome: str, cnpj: str) -> Company:
    """A empresa de outra conta do Bling: outros ids, outro CNPJ nas chaves, as mesmas configurações."""
    model = generate_company(replace(settings, seed=settings.seed + 1))
    notes: dict[int, Json] = {}
    for note in model.notes.values():
        note["id"] += _SHIFT
        if note["tipo"] == 1:
            emitted = datetime.strptime(note["dataEmissao"], STAMP)  # noqa: DTZ007 - hora de Brasília
            number = {"serie": note["serie"], "numero": int(note["numero"]), "note_id": note["id"]}
            note.update(transmission(situacao=note["situacao"], emitted=emitted, cnpj=cnpj, **number))
        notes[note["id"]] = note
    profile = model.profile | {"nome": nome, "cnpj": cnpj}
    return replace(
        model,
        profile=profile,
        notes=notes,
        first_orders=partial(_shifted, model.first_orders),
        first_books=partial(_shifted_books, model.first_books),
        first_coupons=partial(_shifted_coupons, model.first_coupons, cnpj),
        first_services=partial(_shifted_services, model.first_services),
    )


def _shifted(first_orders: Callable[[], Register]) -> Register:
    """Os pedidos da outra conta, com outros ids, das notas dela."""
    register = Register()
    for order_id, entry in first_orders().entries.items():
        order = entry.detail
        order["id"] = order_id + _SHIFT
        order["notaFiscal"]["id"] += _SHIFT if order["notaFiscal"]["id"] else 0
        register.entries[order["id"]] = entry
    return register


def _shifted_coupons(first_coupons: Callable[[], dict[int, Json]], cnpj: str) -> dict[int, Json]:
    """As NFC-e da outra conta, com outros ids e outro CNPJ nas chaves."""
    coupons = {}
    for coupon in first_coupons().values():
        coupon["id"] += _SHIFT
        emitted = datetime.strptime(coupon["dataEmissao"], STAMP)  # noqa: DTZ007 - hora de Brasília
        number = {"serie": coupon["serie"], "numero": int(coupon["numero"]), "note_id": coupon["id"]}
        coupon.update(transmission(situacao=coupon["situacao"], emitted=emitted, cnpj=cnpj, modelo=NFCE, **number))
        coupons[coupon["id"]] = coupon
    return coupons


def _shifted_services(first_services: Callable[[], dict[int, Json]]) -> dict[int, Json]:
    """As NFS-e da outra conta, com outros ids."""
    return {service_id + _SHIFT: each | {"id": service_id + _SHIFT} for service_id, each in first_services().items()}


def _shifted_books(first_books: Callable[[], Books]) -> Books:
    """As contas da outra conta do Bling, com outros ids."""
    made = first_books()
    shifted = Books()
    for before, after in (
        (made.receivables, shifted.receivables),
        (made.payables, shifted.payables),
        (made.borderos, shifted.borderos),
        (made.entries, shifted.entries),
    ):
        for record_id, record in before.items():
            after[record_id + _SHIFT] = record | {"id": record_id + _SHIFT}
    for account in (*shifted.receivables.values(), *shifted.payables.values()):
        account["borderos"] = [bordero_id + _SHIFT for bordero_id in account["borderos"]]
    for entry in shifted.entries.values():
        entry["origem"]["id"] += _SHIFT if entry["origem"]["id"] else 0
    return shifted


@lru_cache(maxsize=4)
def _generate(seed: int, volumes: tuple[tuple[int, tuple[int, int]], ...], today: date) -> Company:
    rng = Random(seed)
    rows = schedule(rng, dict(volumes), today)
    times, live = [at for at, _ in rows], [alive for _, alive in rows]
    live_count = sum(live)
    categories, methods = make_categories(), make_payment_methods()

    buyers = deal_one_each(rng, live, min(live_count, _proportion(_CONTACTS, live_count)))
    contacts, customers, suppliers = make_customers(rng, _debuts(times, [[b] for b in buyers]), 4)

    target = _proportion(_LINES, live_count)
    cast = max(min(live_count, 1), min(target * 3 // 5, max(12, _proportion(_PRODUCTS, live_count))))
    counts = line_counts(rng, live, target, max(1, min(MOST_LINES, cast)))
    sales, repeats = deal_lines(rng, live, counts, cast)
    products, sold = make_stock(rng, _debuts(times, sales), list(categories))

    drafts = [
        outgoing_draft(rng, at, None if buyer is None else customers[buyer], [sold[p] for p in sale], list(methods))
        for at, buyer, sale in zip(times, buyers, sales, strict=True)
    ]
    _spoil(rng, drafts, live, repeats, buyers)
    incoming = _incoming(rng, times, suppliers, sold, max(2, _proportion(_INCOMING, live_count)))
    notes = number_and_build(rng, [*drafts, *incoming])
    ugly.zero_parcel_date(list(notes.values()))
    sellers = make_sellers(Random(f"{seed} vendedores"), contacts, SHOP)
    return Company(
        profile=_profile(rng, times),
        notes=notes,
        contacts=contacts,
        products=products,
        payment_methods=methods,
        categories=categories,
        sellers=sellers,
        first_orders=partial(_first_orders, seed, volumes, today),
        first_books=partial(_first_books, seed, volumes, today),
        first_coupons=partial(_first_coupons, seed, volumes, today),
        first_services=partial(_first_services, seed, volumes, today),
        first_dimensions=partial(_first_dimensions, seed, volumes, today),
        first_papers=partial(_first_papers, seed, volumes, today),
    )


def _first_orders(seed: int, volumes: tuple[tuple[int, tuple[int, int]], ...], today: date) -> Register:
    model = _generate(seed, volumes, today)
    registers = Registers(model.contacts, model.products, model.sellers, list(model.payment_methods))
    return make_orders(Random(f"{seed} pedidos"), model.notes.values(), registers)


def _first_books(seed: int, volumes: tuple[tuple[int, tuple[int, int]], ...], today: date) -> Books:
    model = _generate(seed, volumes, today)
    orders = [entry.detail for entry in model.first_orders().entries.values()]
    sources = Sources(list(model.notes.values()), orders, model.contacts, model.payment_methods, today)
    return make_books(Random(f"{seed} contas"), sources)


def _first_coupons(seed: int, volumes: tuple[tuple[int, tuple[int, int]], ...], today: date) -> dict[int, Json]:
    model = _generate(seed, volumes, today)
    methods = list(model.payment_methods)
    return make_coupons(Random(f"{seed} cupons"), model.notes.values(), model.contacts, model.products, methods)


def _first_services(seed: int, volumes: tuple[tuple[int, tuple[int, int]], ...], today: date) -> dict[int, Json]:
    model = _generate(seed, volumes, today)
    return make_services(Random(f"{seed} serviços"), model.notes.values(), model.contacts)


def _first_dimensions(seed: int, volumes: tuple[tuple[int, tuple[int, int]], ...], today: date) -> Dimensions:
    model = _generate(seed, volumes, today)
    return make_dimensions(Random(f"{seed} dimensões"), model.contacts, model.products)


def _first_papers(seed: int, volumes: tuple[tuple[int, tuple[int, int]], ...], today: date) -> Dimensions:
    model = _generate(seed, volumes, today)
    orders = [entry.detail for entry in model.first_orders().entries.values()]
    desk = Desk(
        Random(f"{seed} papéis"),
        today,
        list(model.notes.values()),
        orders,
        model.contacts,
        model.products,
        model.sellers,
        list(model.payment_methods),
    )
    return {
        "/pedidos/compras": make_purchases(desk),
        "/propostas-comerciais": make_quotes(desk),
        "/ordens-producao": make_production(desk),
        "/contratos": make_contracts(desk),
        "/logisticas/{logistica_id}/remessas": make_shipping(desk),
    }


def _proportion(reference: int, live_count: int) -> int:
    return round(reference * live_count / _LIVE)


def _debuts(times: list[datetime], dealt: Sequence[Sequence[int | None]]) -> list[datetime]:
    """Quando cada posição do elenco aparece pela primeira vez."""
    first: dict[int, datetime] = {}
    for at, positions in zip(times, dealt, strict=True):
        for position in positions:
            if position is not None:
                first.setdefault(position, at)
    return [first[position] for position in sorted(first)]


def _spoil(
    rng: Random,
    drafts: list[Draft],
    live: list[bool],
    repeats: list[tuple[int, int]],
    buyers: list[int | None],
) -> None:
    for draft, is_alive in zip(drafts, live, strict=True):
        if not is_alive:
            draft.situacao = 2
    living = [draft for draft, is_alive in zip(drafts, live, strict=True) if is_alive]
    if not living:
        return
    living_buyers = [buyer for buyer, is_alive in zip(buyers, live, strict=True) if is_alive]
    ugly.spoil_lines(rng, drafts, repeats)
    ugly.repeat_lines(rng, living)
    ugly.assign_situations(rng, living)
    ugly.apply_oddities(rng, living, _first_appearances(living_buyers))


def _first_appearances(buyers: list[int | None]) -> frozenset[int]:
    """As posições em que cada comprador aparece pela primeira vez."""
    first: dict[int | None, int] = {}
    for position, buyer in enumerate(buyers):
        first.setdefault(buyer, position)
    return frozenset(first.values())


def _incoming(rng: Random, times: list[datetime], suppliers: list[Json], sold: list[Json], count: int) -> list[Draft]:
    if not times or not sold:
        return []
    return [
        incoming_draft(
            rng,
            rng.choice(times) + timedelta(minutes=1),
            rng.choice(suppliers),
            rng.sample(sold, min(2, len(sold))),
            rng.randrange(1000, 90_000),
        )
        for _ in range(count)
    ]


def _profile(rng: Random, times: list[datetime]) -> Json:
    opening = min(times).date() if times else date(2021, 1, 1)
    return {
        "id": f"{rng.getrandbits(128):032x}",
        "nome": "Engrenagens Sol do Vale Ltda (simulada)",
        "cnpj": COMPANY_CNPJ,
        "email": "fiscal@soldovale.example",
        "dataContrato": opening.isoformat(),
    }
