"""A mesma carga histórica com o dlt: `rest_api` para o Bling, PostgreSQL por destino. Roda em bench/.venv.

Como a documentação do dlt ensina: uma listagem por páginas, o detalhe de cada linha, `merge` pela chave. Duas cargas,
porque de quem as notas são só se sabe depois de as ter: as notas, e os cadastros que elas citam. Com
BENCH_EM_PARALELO os detalhes são pedidos em paralelo.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

PARALLEL = bool(os.environ.get("BENCH_EM_PARALELO"))
DELETED_CONTACT = {"status_code": 404, "action": "ignore"}


def decimals(*names: str) -> dict[str, Any]:
    return {name: {"name": name, "data_type": "decimal"} for name in names}


def exact() -> dict[str, Any]:
    """Os tipos de uma nota: sem isto uma quantidade que veio inteira e depois quebrada fica em duas colunas, e o
    dinheiro em `double precision`. Um dicionário novo cada vez, que o dlt os modifica."""
    return {
        "columns": decimals("valorNota", "valorFrete"),
        "nested_hints": {
            "itens": {"columns": decimals("quantidade", "valor", "valorTotal")},
            "parcelas": {"columns": decimals("valor")},
        },
    }


def bling(*resources: Any, name: str) -> Any:
    """Uma fonte com as páginas e o token do Bling."""
    return rest_api_source(
        {
            "client": {
                "base_url": os.environ["BENCH_API"],
                "auth": {"type": "bearer", "token": os.environ["BENCH_TOKEN"]},
                "paginator": "single_page",
            },
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge", "parallelized": PARALLEL},
            "resources": list(resources),
        },
        name=name,
    )


def listed(name: str, path: str, **params: Any) -> dict[str, Any]:
    """As páginas até a vazia: o Bling dá páginas de menos de cem linhas que não são a última."""
    pages = {"type": "page_number", "base_page": 1, "page_param": "pagina", "total_path": None}
    return {
        "name": name,
        "endpoint": {
            "path": path,
            "params": {"limite": 100, **params},
            "paginator": {**pages, "stop_after_empty_page": True},
            "data_selector": "data",
        },
    }


def detailed(name: str, table: str, path: str, *, actions: Sequence[Any] = (), **hints: Any) -> dict[str, Any]:
    endpoint = {"path": path, "data_selector": "data", "response_actions": list(actions)}
    return {"name": name, "table_name": table, "endpoint": endpoint, **hints}


def notas() -> Any:
    """As de saída, e as canceladas, que a listagem sem `situacao` esconde."""
    return bling(
        listed("nfe_lista", "nfe", tipo=1),
        listed("nfe_lista_canceladas", "nfe", tipo=1, situacao=2),
        detailed("nfe", "nfe", "nfe/{resources.nfe_lista.id}", **exact()),
        detailed("nfe_canceladas", "nfe", "nfe/{resources.nfe_lista_canceladas.id}", **exact()),
        name="bling",
    )


def cadastros(pipeline: dlt.Pipeline) -> Any:
    """Cada contato que as notas citam, pelo id; os produtos, na listagem de todos, que é o que menos pede."""

    @dlt.resource(name="contatos_citados", selected=False)
    def cited() -> Iterator[list[dict[str, int]]]:
        with pipeline.sql_client() as client:
            found = client.execute_sql("SELECT DISTINCT contato__id FROM nfe WHERE contato__id <> 0")
        yield [{"id": id_} for (id_,) in found]

    return bling(
        cited(),
        detailed("contatos", "contatos", "contatos/{resources.contatos_citados.id}", actions=[DELETED_CONTACT]),
        listed("produtos", "produtos", criterio=5),
        name="bling",
    )


def main() -> None:
    pipeline = dlt.pipeline("bling", destination="postgres", dataset_name="bling")
    source = notas()
    pipeline.run(source.with_resources("nfe", "nfe_canceladas"))
    pipeline.run(cadastros(pipeline))


if __name__ == "__main__":
    main()
