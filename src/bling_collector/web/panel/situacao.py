"""Situação: numa frase, se está tudo aqui e o que fazer se não está."""

from importlib.metadata import version

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from bling_collector.web.panel.render import page, wants_page

router = APIRouter(include_in_schema=False)


@router.get("/")
async def situacao(request: Request) -> Response:
    if not wants_page(request.scope):
        name = {"service": "bling-collector", "version": version("bling_collector")}
        return JSONResponse(name | {"docs": "/docs", "status": "/status"})
    return page(request, "situacao.html", section="situacao")
