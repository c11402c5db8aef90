"""A API, escrita a partir da descrição OpenAPI: uma página daqui, que não carrega nada de fora."""

from fastapi import APIRouter, Request, Response

from bling_collector.payload import Json
from bling_collector.web.panel.render import page

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> Response:
    schema = request.app.openapi()
    groups: dict[str, list[dict[str, Json]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    return page(request, "api.html", groups=groups)


def _operation(path: str, method: str, operation: dict[str, Json]) -> dict[str, Json]:
    return {
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": [part for part in operation.get("description", "").strip().split("\n\n") if part],
        "parameters": [
            {
                "name": parameter["name"],
                "where": "no caminho" if parameter["in"] == "path" else "na query",
                "required": parameter.get("required", False),
                "about": parameter.get("description") or parameter["schema"].get("description") or "",
            }
            for parameter in operation.get("parameters", [])
            if parameter["in"] in ("path", "query")
        ],
        "responses": [(status, answer["description"]) for status, answer in sorted(operation["responses"].items())],
    }
