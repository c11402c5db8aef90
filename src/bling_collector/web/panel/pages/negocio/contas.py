"""As contas a receber e a pagar: a lista, que se filtra, ordena e baixa, e a página de cada uma."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request, Response

from bling_collector.clock import today
from bling_collector.db.reports.accounts import ORDERS, Criteria, folded
from bling_collector.documentos import masked
from bling_collector.errors import UsageError
from bling_collector.insight.finance.accounts import (
    PER_PAGE,
    Accounts,
    UnknownAccountError,
    load_account,
    load_accounts,
)
from bling_collector.insight.finance.money import LADOS
from bling_collector.insight.finance.situacoes import situacao
from bling_collector.payload import storable
from bling_collector.web.panel import notes
from bling_collector.web.panel.downloads import csv_file, xlsx_file
from bling_collector.web.panel.render import page
from bling_collector.web.panel.tables.table import Column, Table
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
_FILTERS: Final = ("situacao", "de", "ate", "cliente", "contato", "ordem")
_DEFAULT_ORDER: Final = "-vencimento"
_OLDEST, _NEWEST = 1990, 2100
_MOST_WORDS: Final = 200
_MOST_PAGES: Final = 1_000_000
_TITLES: Final = {"receber": "Contas a receber", "pagar": "Contas a pagar"}
_WHO: Final = {"receber": "Cliente", "pagar": "Fornecedor"}
_TONES: Final = {2: "good", 7: "good", 3: "warning", 5: "bad"}


@dataclass
class Asked:
    """O que o endereço pede: o que foi escrito, o que se entendeu e o que não serve, por campo."""

    lado: str
    typed: dict[str, str]
    criteria: Criteria
    order: str = _DEFAULT_ORDER
    number: int = 1
    errors: dict[str, str] = field(default_factory=dict)

    def address(self, **changes: object) -> str:
        """O endereço da lista com o que se pediu e estas mudanças; None tira um filtro."""
        wanted = {name: self.typed.get(name) or None for name in _FILTERS} | changes
        query = urlencode({name: value for name, value in wanted.items() if value is not None})
        return f"/contas/{self.lado}?{query}" if query else f"/contas/{self.lado}"


@router.get("/contas/{lado}.csv")
async def contas_csv(request: Request, lado: str, service: OneService) -> Response:
    async with service.opened() as account:
        asked = _sound(request, lado, account)
        found = await load_accounts(account.engine, asked.criteria, asked.order, None)
    return csv_file(_table(asked.lado, found), f"contas-a-{lado}")


@router.get("/contas/{lado}.xlsx")
async def contas_xlsx(request: Request, lado: str, service: OneService) -> Response:
    async with service.opened() as account:
        asked = _sound(request, lado, account)
        found = await load_accounts(account.engine, asked.criteria, asked.order, None)
    return await xlsx_file([_table(lado, found)], [_TITLES[lado], _said(asked, found)], f"contas-a-{lado}")


@router.get("/contas/{lado}")
async def contas(request: Request, lado: str, service: OneService) -> Response:
    found = None
    async with service.opened() as account:
        hoje = today(account.clock)
        asked = read(request, _lado(lado), hoje)
        if not asked.errors:
            found = await load_accounts(account.engine, asked.criteria, asked.order, asked.number)
    last = max((found.total + PER_PAGE - 1) // PER_PAGE, 1) if found else 1
    return page(
        request,
        "contas.html",
        section="financeiro",
        status=422 if asked.errors else 200,
        lado=lado,
        title=_TITLES[lado],
        who=_WHO[lado],
        typed={name: asked.typed.get(name, "") for name in _FILTERS},
        errors=asked.errors,
        filtered=any(asked.typed.get(name) for name in _FILTERS if name != "ordem"),
        situations=SITUATIONS,
        found=found,
        said=_said(asked, found) if found else None,
        rows=[_line(lado, row, hoje) for row in found.rows] if found else [],
        sorting=_sorting(asked),
        files={kind: asked.address().replace(f"/{lado}", f"/{lado}.{kind}", 1) for kind in ("csv", "xlsx")},
        without_contact=asked.address(contato=None),
        number=asked.number,
        last=last,
        previous=asked.address(pagina=min(asked.number - 1, last)) if asked.number > 1 else None,
        next=asked.address(pagina=asked.number + 1) if asked.number < last else None,
    )


@router.get("/contas/{lado}/{conta_id}")
async def conta(request: Request, lado: str, conta_id: str, service: OneService) -> Response:
    lado = _lado(lado)
    if not (conta_id.isascii() and conta_id.isdigit() and len(conta_id) < 19):
        raise HTTPException(404, "O endereço de uma conta traz o id dela no Bling, que é só de algarismos.")
    async with service.opened() as account:
        try:
            found = await load_account(account.engine, lado, int(conta_id))
        except UnknownAccountError as error:
            raise HTTPException(404, str(error)) from error
        hoje = today(account.clock)
    header = found.conta
    words, tone = _state(header["situacao"], header["vencimento"], gone=header["excluida_em"] is not None, hoje=hoje)
    return page(
        request,
        "conta.html",
        section="financeiro",
        lado=lado,
        list_title=_TITLES[lado],
        who=_WHO[lado],
        conta=header,
        name=notes.short(header["numero_documento"] or header["id"], 40),
        state=words,
        tone=tone,
        contact=_contact(lado, header),
        origin=_origin(header) if lado == "receber" else None,
        settlements=found.settlements,
        siblings=[(row, situacao(row.situacao)) for row in found.siblings],
        short=notes.short,
    )


def _lado(lado: str) -> str:
    if lado not in LADOS:
        raise HTTPException(404, "As contas são a receber ou a pagar: /contas/receber e /contas/pagar.")
    return lado


def _sound(request: Request, lado: str, account: Account) -> Asked:
    """O que o endereço de um arquivo pede. UsageError no primeiro engano."""
    asked = read(request, _lado(lado), today(account.clock))
    if asked.errors:
        raise UsageError(next(iter(asked.errors.values())))
    return asked


def read(request: Request, lado: str, hoje: date) -> Asked:
    """O que o endereço pede."""
    given = request.query_params
    typed = {name: storable(given.get(name, "")).strip() for name in (*_FILTERS, "pagina")}
    errors: dict[str, str] = {}
    if strange := sorted(set(given) - set(typed)):
        errors["geral"] = f"Esta lista não conhece o filtro “{strange[0][:40]}”."
    inicio, fim = _day(typed, errors, "de"), _day(typed, errors, "ate")
    if inicio and fim and inicio > fim:
        errors["ate"] = "O período termina antes de começar."
    wanted = typed["situacao"]
    if wanted and wanted not in SITUATIONS:
        errors["situacao"] = "Escolha uma situação da lista."
    if len(typed["cliente"]) > _MOST_WORDS:
        errors["cliente"] = f"Escreva no máximo {_MOST_WORDS} caracteres."
        typed["cliente"] = typed["cliente"][:_MOST_WORDS]
    order = typed["ordem"] or _DEFAULT_ORDER
    if order.removeprefix("-") not in ORDERS:
        errors["geral"] = f"Não se ordena por “{order[:40]}”. Escolha uma das colunas."
    contato = _number(typed, errors, "contato", 10**18, "O contato se diz pelo id dele no Bling, só com algarismos.")
    number = _number(typed, errors, "pagina", _MOST_PAGES, "Esta página não existe.")
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
        contato,
        folded(typed["cliente"]),
    )
    return Asked(lado, typed, criteria, order, number or 1, errors)


def _day(typed: dict[str, str], errors: dict[str, str], name: str) -> date | None:
    value = typed[name]
    if not value:
        return None
    try:
        found = date.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or len(value) != len("AAAA-MM-DD") or not _OLDEST <= found.year <= _NEWEST:
        errors[name] = f"«{value[:40]}» não é um dia que se possa procurar. Escreva, por exemplo, 2025-01-31."
        typed[name] = ""
        return None
    return found


def _number(typed: dict[str, str], errors: dict[str, str], name: str, most: int, said: str) -> int | None:
    value = typed[name]
    if not value:
        return None
    if value.isascii() and value.isdigit() and len(value) < 20 and 0 < int(value) <= most:
        return int(value)
    errors["geral"] = said
    typed[name] = ""
    return None


def _sorting(asked: Asked) -> list[tuple[str, str, str, str]]:
    """De cada coluna por que se ordena: o nome, o título, o endereço que a inverte e o `aria-sort` dela."""
    titles = {"vencimento": "Vencimento", "cliente": _WHO[asked.lado], "emissao": "Emissão"}
    titles |= {"valor": "Valor", "aberto": "Em aberto"}
    found = []
    for name, title in titles.items():
        mine = asked.order.removeprefix("-") == name
        descending = mine and asked.order.startswith("-")
        turned = name if descending else f"-{name}" if mine or name != "cliente" else name
        aria = ("descending" if descending else "ascending") if mine else ""
        found.append((name, title, asked.address(ordem=turned), aria))
    return found


def _state(code: int | None, due: date | None, *, gone: bool, hoje: date) -> tuple[str, str]:
    """(a situação em palavras, o tom dela)."""
    if gone:
        return "Excluída no Bling", "warning"
    if code in (1, 3) and due is not None and due < hoje:
        return f"{situacao(code)}, vencida", "bad"
    return situacao(code), _TONES.get(code or 0, "neutral")


def _line(lado: str, row: Any, hoje: date) -> Mapping[str, Any]:
    words, tone = _state(row.situacao, row.vencimento, gone=False, hoje=hoje)
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


def _said(asked: Asked, found: Accounts) -> str:
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
    if asked.criteria.contato_id is not None:
        parts.append(f"de {notes.short(found.contato or f'contato {asked.criteria.contato_id}', 80)}")
    if asked.typed["cliente"]:
        parts.append(f"com «{asked.typed['cliente'][:60]}» no nome")
    return ", ".join(parts)


def _table(lado: str, found: Accounts) -> Table:
    columns = (
        Column("Conta"),
        Column("Id no Bling"),
        Column(_WHO[lado]),
        Column("CNPJ ou CPF"),
        Column("Emissão", "day"),
        Column("Vencimento", "day"),
        Column("Situação"),
        Column("Valor", "money"),
        Column("Em aberto", "money"),
        Column("Último pagamento", "day"),
    )
    rows = [
        (
            row.numero_documento,
            str(row.conta_id),
            row.contato_nome,
            masked(row.contato_documento),
            row.data_emissao,
            row.vencimento,
            situacao(row.situacao),
            row.valor,
            row.em_aberto,
            row.pago_em,
        )
        for row in found.rows
    ]
    return Table(f"contas-a-{lado}", _TITLES[lado], columns, rows, len(rows))
