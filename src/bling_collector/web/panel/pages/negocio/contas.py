"""As contas a receber e a pagar: a lista, que se filtra, ordena e baixa, e a página de cada uma."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request, Response

from bling_collector.clock import today
from bling_collector.db.reports.accounts import ORDERS, Criteria, folded
from bling_collector.documentos import masked
from bling_collector.insight.finance.accounts import (
    PER_PAGE,
    Accounts,
    UnknownAccountError,
    load_account,
    load_accounts,
)
from bling_collector.insight.finance.money import LADOS
from bling_collector.insight.recursos import doubt, load_followed
from bling_collector.web.panel import notes
from bling_collector.web.panel.downloads import csv_file, xlsx_file
from bling_collector.web.panel.filters import Filters
from bling_collector.web.panel.forms import record_id
from bling_collector.web.panel.render import page
from bling_collector.web.panel.tables.accounts import TITLES, WHO, accounts_table, state
from bling_collector.web.panel.tables.table import Table
from bling_collector.web.service import OneService
from bling_collector.words import day
from bling_collector.workplace.account import Account

router = APIRouter(include_in_schema=False)
SITUATIONS: Final = {
    "em-aberto": "Em aberto",
    "vencidas": "Vencidas",
    "a-vencer": "A vencer",
    "parciais": "Pagas em parte",
    "pagas": "Pagas",
    "devolvidas": "Devolvidas",
    "canceladas": "Canceladas",
    "confirmadas": "Confirmadas",
}
_CODES: Final = {"parciais": (3,), "pagas": (2,), "devolvidas": (4, 6), "canceladas": (5,), "confirmadas": (7,)}
_FILTERS: Final = ("situacao", "de", "ate", "cliente", "contato")
_DEFAULT_ORDER: Final = "-vencimento"
_HEADS: Final = (
    ("vencimento", "Vencimento"),
    ("cliente", None),
    ("emissao", "Emissão"),
    ("valor", "Valor"),
    ("aberto", "Em aberto"),
)
"""As colunas por que se ordena; a do nome chama-se como quem está do outro lado."""
_MOST_WORDS: Final = 200
_ID: Final = "O endereço de uma conta traz o id dela no Bling, que é só de algarismos."


@router.get("/contas/{lado}.csv")
async def contas_csv(request: Request, lado: str, service: OneService) -> Response:
    async with service.opened() as account:
        table, _ = await _whole(account, request, lado)
    return csv_file(table, table.name)


@router.get("/contas/{lado}.xlsx")
async def contas_xlsx(request: Request, lado: str, service: OneService) -> Response:
    async with service.opened() as account:
        table, said = await _whole(account, request, lado)
    return await xlsx_file([table], [TITLES[lado], said], table.name)


async def _whole(account: Account, request: Request, lado: str) -> tuple[Table, str]:
    """Todas as contas do que se pediu, e isso numa frase. UsageError se o que se pede não serve."""
    hoje = today(account.clock)
    asked, criteria, order, _ = _read(request, _lado(lado), hoje)
    asked.sound()
    found = await load_accounts(account.engine, criteria, _signed(order), None)
    return accounts_table(lado, found, hoje), _said(asked, found)


@router.get("/contas/{lado}")
async def contas(request: Request, lado: str, service: OneService) -> Response:
    found = None
    async with service.opened() as account:
        hoje = today(account.clock)
        asked, criteria, order, number = _read(request, _lado(lado), hoje)
        if not asked.errors:
            found = await load_accounts(account.engine, criteria, _signed(order), number)
        (recurso,) = await load_followed(
            account.engine, account.settings.recursos, [f"contas_{lado}"], account.clock.now()
        )
    last = max((found.total + PER_PAGE - 1) // PER_PAGE, 1) if found else 1
    return page(
        request,
        "contas.html",
        section="financeiro",
        status=asked.status,
        lado=lado,
        title=TITLES[lado],
        who=WHO[lado],
        asked=asked,
        situations=SITUATIONS,
        found=found,
        recurso=recurso,
        doubt=doubt([recurso]),
        said=_said(asked, found) if found else None,
        rows=[_line(lado, row, hoje) for row in found.rows] if found else [],
        heads=[asked.head(name, title or WHO[lado], order, falls=name != "cliente") for name, title in _HEADS],
        number=number,
        last=last,
        previous=asked.address(pagina=min(number - 1, last)) if number > 1 else None,
        next=asked.address(pagina=number + 1) if number < last else None,
    )


@router.get("/contas/{lado}/{conta_id}")
async def conta(request: Request, lado: str, conta_id: str, service: OneService) -> Response:
    lado = _lado(lado)
    id_ = record_id(conta_id, _ID)
    async with service.opened() as account:
        try:
            found = await load_account(account.engine, lado, id_)
        except UnknownAccountError as error:
            raise HTTPException(404, str(error)) from error
        hoje = today(account.clock)
    header = found.conta
    words, tone = state(header["situacao"], header["vencimento"], hoje, gone=header["excluida_em"] is not None)
    return page(
        request,
        "conta.html",
        section="financeiro",
        lado=lado,
        list_title=TITLES[lado],
        who=WHO[lado],
        conta=header,
        name=notes.short(header["numero_documento"] or header["id"], 40),
        state=words,
        tone=tone,
        contact=_contact(lado, header),
        origin=_origin(header) if lado == "receber" else None,
        settlements=found.settlements,
        siblings=[(row, state(row.situacao, row.vencimento, hoje)[0]) for row in found.siblings],
        short=notes.short,
    )


def _lado(lado: str) -> str:
    if lado not in LADOS:
        raise HTTPException(404, "As contas são a receber ou a pagar: /contas/receber e /contas/pagar.")
    return lado


def _read(request: Request, lado: str, hoje: date) -> tuple[Filters, Criteria, tuple[str, bool], int]:
    """O que o endereço pede, o que se procura, a ordem e a página."""
    asked = Filters.of(request, f"/contas/{lado}", _FILTERS)
    inicio, fim = asked.days()
    wanted = asked.one_of("situacao", SITUATIONS)
    if len(asked.typed["cliente"]) > _MOST_WORDS:
        asked.errors["cliente"] = f"Escreva no máximo {_MOST_WORDS} caracteres."
        asked.typed["cliente"] = asked.typed["cliente"][:_MOST_WORDS]
    if wanted == "vencidas":
        fim = min(fim or hoje, hoje - timedelta(days=1))
    elif wanted == "a-vencer":
        inicio = max(inicio or hoje, hoje)
    criteria = Criteria(
        lado,
        _CODES.get(wanted, ()),
        wanted in ("em-aberto", "vencidas", "a-vencer"),
        inicio,
        fim,
        asked.id("contato"),
        folded(asked.typed["cliente"]),
    )
    return asked, criteria, asked.order(_DEFAULT_ORDER, ORDERS), asked.page()


def _signed(order: tuple[str, bool]) -> str:
    return f"{'-' * order[1]}{order[0]}"


def _line(lado: str, row: Any, hoje: date) -> Mapping[str, Any]:
    words, tone = state(row.situacao, row.vencimento, hoje)
    return {
        "id": row.conta_id,
        "endereco": f"/contas/{lado}/{row.conta_id}",
        "numero": notes.short(row.numero_documento or row.conta_id, 40),
        "vencimento": row.vencimento,
        "emissao": row.data_emissao,
        "contato": notes.short(row.contato_nome, 80) if row.contato_nome else None,
        "documento": masked(row.contato_documento),
        "situacao": words,
        "tom": tone,
        "valor": row.valor,
        "em_aberto": row.em_aberto,
        "pago_em": row.pago_em,
    }


def _contact(lado: str, header: Any) -> Mapping[str, str | None]:
    name = header["contato_nome"]
    return {
        "nome": notes.short(name) if name else None,
        "documento": masked(header["contato_documento"]),
        "contas": f"/contas/{lado}?contato={header['contato_id']}" if header["contato_id"] else None,
        "notas": notes.search_address(q=notes.short(name), como="cliente") if name and lado == "receber" else None,
    }


def _origin(header: Any) -> Mapping[str, str | None] | None:
    """De que documento a conta veio, e a página dele, se o banco o tem."""
    if header["origem_id"] is None:
        return None
    kind = (header["origem_tipo"] or "").lower()
    number = notes.short(header["origem_numero"] or header["origem_id"], 40)
    if "nota" in kind or kind.startswith("nf"):
        return {
            "texto": f"Nota {number}",
            "endereco": f"/notas/{header['origem_id']}" if header["origem_nota"] else None,
        }
    if "venda" in kind or "pedido" in kind:
        link = f"/pedidos/{header['origem_id']}" if header["origem_pedido"] else None
        return {"texto": f"Pedido {number}", "endereco": link}
    return {"texto": f"{notes.short(header['origem_tipo'] or 'Documento', 40)} {number}", "endereco": None}


def _said(asked: Filters, found: Accounts) -> str:
    """O que se pediu, numa frase, para a página e o arquivo."""
    parts = [SITUATIONS[asked.typed["situacao"]].lower() if asked.typed["situacao"] else "todas as situações"]
    if asked.typed["de"] or asked.typed["ate"]:
        inicio, fim = asked.typed["de"], asked.typed["ate"]
        parts.append(
            "vencimento "
            + " ".join(
                f"{word} {day(date.fromisoformat(value))}" for word, value in (("de", inicio), ("até", fim)) if value
            )
        )
    if asked.typed["contato"]:
        parts.append(f"de {notes.short(found.contato or 'contato ' + asked.typed['contato'], 80)}")
    if asked.typed["cliente"]:
        parts.append(f"com «{asked.typed['cliente'][:60]}» no nome")
    return ", ".join(parts)
