"""A página de uma nota, e buscá-la outra vez no Bling."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from bling_collector.documentos import masked
from bling_collector.errors import BlingUnavailableError, CollectorError
from bling_collector.insight.account.quota import read_quota
from bling_collector.insight.notas.nota import Change, Nota, UnknownNotaError, load_nota, load_nota_proof
from bling_collector.insight.sales.pedidos import load_orders_of_note
from bling_collector.insight.sales.situacoes import PAGAMENTOS
from bling_collector.payload import Row
from bling_collector.web.door.origin import same_origin
from bling_collector.web.panel import notes
from bling_collector.web.panel.forms import record_id
from bling_collector.web.panel.render import page
from bling_collector.web.service import OneService, Service
from bling_collector.words import clock_time
from bling_collector.workplace.account import Account

router = APIRouter(include_in_schema=False)

PATIENCE: Final = 20.0
"""Segundos que quem busca uma nota espera pelo Bling; com ele bom, são dois ou três."""
_ID: Final = "O endereço de uma nota traz o id dela no Bling, que é só de algarismos."
_LINES: Final = 100
"""Linhas de uma nota por página: uma nota pode ter novecentas e noventa."""
_CHANGES: Final = 50
_PARCELS: Final = 120
_SYNCED: Final = {
    "criado": "A nota foi buscada no Bling e agora está aqui.",
    "atualizado": "O Bling tinha novidades: a nota foi atualizada.",
    "igual": "Nada mudou: o Bling tem a nota exatamente como ela está aqui.",
}


@router.get("/notas/{nfe_id}")
async def nota(
    request: Request,
    nfe_id: str,
    service: OneService,
    linhas: Annotated[str | None, Query()] = None,
    busca: Annotated[str | None, Query()] = None,
) -> Response:
    id_ = record_id(nfe_id, _ID)
    first = _first_line(linhas)
    return await _show(request, service, id_, first=first, said=_SYNCED.get(busca or ""))


@router.post("/notas/{nfe_id}/buscar", dependencies=[Depends(same_origin)])
async def sync(request: Request, nfe_id: str, service: OneService) -> Response:
    id_ = record_id(nfe_id, _ID)
    try:
        _ = service.settings.credentials
        async with service.opened() as account:
            result = await _fetch(account, id_)
    except CollectorError as error:
        return await _show(request, service, id_, failure=error)
    return RedirectResponse(f"/notas/{id_}?busca={result}", 303)


async def _fetch(account: Account, id_: int) -> str:
    """O que `Pipeline.sync` diz da nota; BlingUnavailableError se o Bling não a dá enquanto quem pediu espera.

    Quem desiste no meio não deixa nada pela metade: a nota é gravada numa transação só.
    """
    async with account.engine.connect() as connection:
        paused_until = (await read_quota(connection, account.clock.now())).paused_until
    if paused_until is not None:
        raise BlingUnavailableError(
            "Depois de muitos erros do Bling, o coletor o deixa em paz por um momento: nada lhe é pedido até as "
            f"{clock_time(paused_until)}. Busque a nota de novo depois disso."
        )
    try:
        async with asyncio.timeout(PATIENCE):
            return await account.pipeline.sync("nfe", id_)
    except TimeoutError:
        raise BlingUnavailableError(
            f"O Bling não deu a nota em {PATIENCE:.0f} s: está lento, ou ocupado com uma execução deste coletor. "
            "Espere alguns minutos e busque de novo."
        ) from None


async def _show(
    request: Request,
    service: Service,
    id_: int,
    *,
    first: int = 1,
    said: str | None = None,
    failure: CollectorError | None = None,
) -> Response:
    try:
        async with service.opened() as account:
            nota = await load_nota(account.engine, id_)
            proof = await load_nota_proof(account.engine, nota)
            orders = await load_orders_of_note(account.engine, id_)
    except UnknownNotaError:
        return page(
            request,
            "nota_desconhecida.html",
            section="notas",
            status=failure.http_status if failure else 404,
            id=id_,
            failure=str(failure) if failure else None,
        )
    header = nota.cabecalho
    words, tone = notes.state(header["situacao"], header["excluida_em"])
    return page(
        request,
        "nota.html",
        section="notas",
        status=failure.http_status if failure else 200,
        now=service.clock.now(),
        nota=header,
        proof=proof,
        orders=orders,
        said=said,
        failure=str(failure) if failure else None,
        state=words,
        tone=tone,
        danfe=notes.link(header["link_pdf"]) or notes.link(header["link_danfe"]),
        xml=notes.link(header["link_xml"]),
        customer=_customer(nota),
        lines=_lines(nota, first),
        parcels=[_parcel(parcel, proof.formas) for parcel in nota.pagamentos[:_PARCELS]],
        parcels_of=len(nota.pagamentos),
        history=[_event(event) for event in reversed(nota.historico[-_CHANGES:])],
        older_changes=max(len(nota.historico) - _CHANGES, 0),
        chave=notes.chave(header["chave_acesso"]),
        short=notes.short,
    )


def _first_line(value: str | None) -> int:
    """A primeira linha que a página mostra; o que não faz sentido é a primeira de todas."""
    return int(value) if value and value.isascii() and value.isdigit() and 0 < len(value) < 6 and int(value) else 1


def _lines(nota: Nota, first: int) -> Row:
    """As linhas da nota, umas tantas por vez; de uma que só o primeiro coletor conheceu, os itens somados."""
    summed = not nota.linhas and bool(nota.itens)
    all_lines = nota.itens if summed else nota.linhas
    first = first if first <= len(all_lines) else 1
    shown = all_lines[first - 1 : first - 1 + _LINES]
    last = first - 1 + len(shown)
    address = f"/notas/{nota.cabecalho['id']}"
    return {
        "total": len(all_lines),
        "first": first,
        "last": last,
        "summed": summed,
        "previous": f"{address}?linhas={max(first - _LINES, 1)}#linhas" if first > 1 else None,
        "next": f"{address}?linhas={last + 1}#linhas" if last < len(all_lines) else None,
        "rows": [_line(line, number) for number, line in enumerate(shown, start=first)],
    }


def _line(line: Row, number: int) -> Row:
    code = line["codigo_produto"]
    return {
        "numero": line.get("linha", number),
        "codigo": notes.short(code, 60) if code else None,
        "endereco": notes.search_address(produto=code[:150]) if code and any(map(str.isalnum, code)) else None,
        "descricao": notes.short(line["descricao_produto"] or "—"),
        "quantidade": notes.quantity(line["quantidade"]),
        "unidade": notes.short(line["unidade_medida"] or "", 10),
        "unitario": line["valor_unitario"],
        "total": line["valor_total"],
        "cfop": notes.short(line.get("cfop") or "", 10),
        "ncm": notes.short(line.get("ncm") or "", 15),
    }


def _parcel(parcel: Row, names: dict[int, str | None]) -> Row:
    code = parcel["tipo_pagamento"]
    kind = PAGAMENTOS.get(code, f"Código {code}") if code is not None else None
    name = names.get(parcel["forma_pagamento_id"])
    return {
        "numero": parcel["numero_parcela"],
        "forma": notes.short(name or kind or "Não informada", 80),
        "tipo": kind if name and kind and name.casefold() != kind.casefold() else None,
        "vencimento": parcel["data_vencimento"],
        "valor": parcel["valor"],
    }


def _customer(nota: Nota) -> dict[str, str | None]:
    """O cliente como a nota o traz, e o que o cadastro sabe dele a mais."""
    header, contato = nota.cabecalho, nota.contato or {}
    place = " / ".join(notes.short(part, 60) for part in (header["contato_municipio"], header["contato_uf"]) if part)
    name = header["contato_nome"]
    now_called = contato.get("nome")
    return {
        "nome": notes.short(name) if name else None,
        "documento": masked(header["contato_documento"]),
        "lugar": place,
        "email": notes.short(contato.get("email") or "", 100),
        "telefones": " · ".join(notes.short(n, 30) for n in (contato.get("telefone"), contato.get("celular")) if n),
        "nome_hoje": notes.short(now_called) if now_called and name and now_called != name else None,
        "outras": notes.search_address(q=notes.short(name), como="cliente") if name else None,
    }


def _event(event: Change) -> Row:
    changes = [notes.change(column, values) for column, values in event.mudancas.items()]
    return {"quando": event.quando, "run_id": event.run_id, "mudancas": changes}
