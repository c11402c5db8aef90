"""A descrição oficial da API como JSON Schema, lida com tolerância aos seus deslizes.

Deslizes tolerados, todos da descrição e não do Bling:

- `required` com campos que o próprio objeto não descreve (`data` e `valor` no detalhe da nota, que são
  da parcela; `numero`, `serie` e `data` no transporte; `valorLista` no item do pedido; `error.type` no
  envelope de erro);
- `enum` de textos num campo inteiro (`unidadeMedida` do produto);
- `format: datetime` e `format: date`, que não descrevem nem «2026-02-03 09:52:12» nem «0000-00-00»;
- listas descritas como um objeto só (`/vendedores`, `categoriasProdutos` em `/produtos/lojas`);
- propriedades `writeOnly` que o Bling responde (`tipoPessoa`, `loja.numero`): são só propriedades;
- `uf` e textos sem lista de valores: «EX» e vazio passam.
"""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

_ANNOTATIONS = frozenset({"description", "example", "examples", "default", "format", "readOnly", "writeOnly"})
_LISTS = frozenset({"categoriasProdutos"})
_TYPES = {"integer": int, "string": str}


class OfficialDescription:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def answer_schema(self, path: str, status: int = 200) -> dict[str, Any]:
        """O esquema da resposta de `GET path`."""
        response = self._resolve(self._document["paths"][path]["get"]["responses"][str(status)])
        converted = self._convert(response["content"]["application/json"]["schema"], ())
        assert isinstance(converted, dict)
        return converted

    def list_schema(self, path: str) -> dict[str, Any]:
        """O esquema da listagem `GET path`: `data` é sempre uma lista."""
        schema = self.answer_schema(path)
        data = schema["properties"]["data"]
        if data["type"] == "object":
            schema["properties"]["data"] = {"type": "array", "items": data}
        return schema

    def _convert(self, node: Any, trail: tuple[str, ...]) -> Any:
        if isinstance(node, list):
            return [self._convert(item, trail) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            reference = node["$ref"]
            return {} if reference in trail else self._convert(self._resolve(node), (*trail, reference))
        skipped = _ANNOTATIONS | {"properties"}
        schema = {key: self._convert(value, trail) for key, value in node.items() if key not in skipped}
        if "properties" in node:
            schema["properties"] = {name: self._convert(value, trail) for name, value in node["properties"].items()}
            for name in _LISTS & schema["properties"].keys():
                described = schema["properties"][name]
                if described.get("type") == "object":
                    schema["properties"][name] = {"type": "array", "items": described}
        return _repair(schema)

    def _resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        target: Any = self._document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        return self._resolve(target)


def problems(schema: dict[str, Any], answer: Any) -> list[str]:
    """O que a resposta tem de errado, e os campos que a descrição não conhece."""
    errors = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(answer)]
    return errors + [f"{where}: campo que a descrição não tem" for where in _undescribed(schema, answer, "$")]


def _repair(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.pop("nullable", False) and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if isinstance(schema.get("required"), list):
        schema["required"] = [name for name in schema["required"] if name in schema.get("properties", {})]
    kind = _TYPES.get(schema.get("type", "")) if isinstance(schema.get("type"), str) else None
    if kind and isinstance(schema.get("enum"), list):
        schema["enum"] = [kind(value) for value in schema["enum"]]
    return schema


def _undescribed(schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    parts = list(_parts(schema))
    if isinstance(value, list):
        items = [part["items"] for part in parts if "items" in part]
        for position, item in enumerate(value if items else ()):
            yield from _undescribed({"allOf": items}, item, f"{where}[{position}]")
    elif isinstance(value, dict):
        known: dict[str, list[dict[str, Any]]] = {}
        for part in parts:
            for name, child in part.get("properties", {}).items():
                known.setdefault(name, []).append(child)
        for name, item in value.items():
            if name not in known:
                yield f"{where}.{name}"
            else:
                yield from _undescribed({"allOf": known[name]}, item, f"{where}.{name}")


def _parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for part in (*schema.get("allOf", []), *schema.get("oneOf", [])):
        yield from _parts(part)
