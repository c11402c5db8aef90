"""Gera, do código, as páginas de referência que dele se podem tirar: `python docs/gerar.py`.

Com `--conferir` nada escreve: sai com 1 se alguma página não é a que seria gerada.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from textwrap import wrap
from typing import Any

import click
from sqlalchemy import Column, Table, make_url

import bling_collector
from bling_collector.cli.commands import cli
from bling_collector.config import VARIABLES
from bling_collector.db.meanings import meanings
from bling_collector.db.models import metadata
from bling_collector.errors import CollectorError
from bling_collector.streams.registry import RESOURCES

DOCS = Path(__file__).parent
_GENERATED = "<!-- Gerado por docs/gerar.py a partir do código; não edite. -->\n\n"
_REQUIRED = {"bling_client_id", "bling_client_secret"}
_OTHERS = (
    ("PORT", "`8080`", "a porta de `serve`; o Cloud Run a define"),
    ("HOST", "`127.0.0.1`", "o endereço em que `serve` atende"),
    ("BLING_POSTGRES_BIN", "—", "a pasta com os binários do PostgreSQL embutido, em vez dos que vêm no pacote"),
    (
        "XDG_DATA_HOME",
        "`~/.local/share`",
        "no Linux, onde fica a pasta de dados: o PostgreSQL embutido, um par à espera do banco",
    ),
)
ABOUT_COMMANDS = {
    "demo": "[README](../README.md#veja-funcionando)",
    "serve": "[o serviço](servico.md), [o painel](painel.md)",
    "serve-webhooks": "[os avisos do Bling](webhooks.md)",
    "worker": "[o worker](worker.md)",
    "run": "[a execução diária](operacao.md#a-execução-diária)",
    "run-full": "[a carga histórica](instalacao.md#a-carga-histórica)",
    "auth": "[a autorização](autorizacao.md)",
    "status": "[como terminou](operacao.md#como-terminou)",
    "plan": "[quanto custa](operacao.md#quanto-custa-antes)",
    "recursos": "[os recursos](referencia-recursos.md)",
    "sync": "[conferir com o Bling](operacao.md#conferir-com-o-bling)",
    "simulator": "para desenvolver: [o manual dele](../src/bling_simulator/README.md)",
    "doctor": "[problemas](problemas.md)",
    "reconcile": "[conferir com o Bling](operacao.md#conferir-com-o-bling)",
    "failures": "[problemas](problemas.md)",
    "reprocess": "[conferir com o Bling](operacao.md#conferir-com-o-bling)",
    "alerts": "[os alarmes](limites-e-alarmes.md#os-alarmes)",
    "db": "os outros comandos já o fazem: [o banco](banco.md)",
    "db backup": "[cópias de segurança](copias.md)",
    "db restore": "[cópias de segurança](copias.md)",
    "db leitor": "[análise](analise.md)",
    "db url": "[análise](analise.md)",
    "db psql": "[análise](analise.md)",
    "db abrir": "[análise](analise.md#o-postgresql-embutido)",
    "db fechar": "[análise](analise.md#o-postgresql-embutido)",
    "empresas": "[várias empresas](empresas.md)",
    "exportar": "[exportar](exportar.md)",
    "contato": "[dados pessoais](lgpd.md)",
}
"""Onde se lê mais de um comando; o que vale para `db` ou para `contato` vale para o que está abaixo."""
ABOUT_SETTINGS = {
    "RUN_MAX_SECONDS": "[execuções longas](servico.md#uma-execução-mais-longa-do-que-quem-a-chama)",
    "SCHEDULE": "[o worker](worker.md#a-agenda)",
    "EXPORT_TO": "[exportar](exportar.md#na-hora)",
    "DATABASE_URL": "[o banco](banco.md)",
    "EXTRACTION_LOOKBACK_DAYS": "[a execução diária](operacao.md#a-execução-diária)",
    "API_RATE_LIMIT_DELAY": "[limites](limites-e-alarmes.md)",
    "API_DAILY_RESERVE": "[limites](limites-e-alarmes.md)",
    "API_PAGE_SIZE": "o máximo do Bling é 100",
    "TOKEN_ENCRYPTION_KEY": "[os tokens guardados](autorizacao.md#os-tokens-guardados)",
    "API_TOKEN": "[quem pode chamar](servico.md#quem-pode-chamar)",
    "ALLOW_UNAUTHENTICATED": "[quem pode chamar](servico.md#quem-pode-chamar)",
    "ALLOWED_HOSTS": "[quem pode chamar](servico.md#quem-pode-chamar)",
    "FORWARDED_ALLOW_IPS": "[atrás de um proxy](servico.md#atrás-de-um-proxy)",
    "ALERT_URLS": "[alarmes](limites-e-alarmes.md#os-alarmes)",
    "ALERT_NO_RUN_HOURS": "[alarmes](limites-e-alarmes.md#os-alarmes)",
}
"""O que mais se diz de uma variável, quase sempre onde se lê mais dela."""
_DIALECT = make_url("postgresql+psycopg://").get_dialect()()
_VALUES = {"integer": "N", "integer range": "N", "text": "TEXTO"}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Gera as páginas de referência a partir do código.")
    parser.add_argument("--conferir", action="store_true", help="só diz se as páginas estão em dia")
    check = parser.parse_args(arguments).conferir
    stale = [path for path, content in pages() if not path.exists() or path.read_text("utf-8") != content]
    for path, content in pages():
        if path in stale and not check:
            path.write_text(content, "utf-8")
    for path in stale:
        sys.stdout.write(f"{path.name}: {'não está em dia' if check else 'gerada'}\n")
    return 1 if check and stale else 0


def pages() -> Iterator[tuple[Path, str]]:
    """Cada página gerada e o que deve conter."""
    yield DOCS / "referencia-comandos.md", _GENERATED + commands_page()
    yield DOCS / "referencia-configuracao.md", _GENERATED + settings_page()
    yield DOCS / "referencia-erros.md", _GENERATED + errors_page()
    yield DOCS / "referencia-recursos.md", _GENERATED + resources_page()
    yield DOCS / "referencia-tabelas.md", _GENERATED + tables_page()
    yield DOCS / "referencia-views-colunas.md", _GENERATED + views_page()


def commands_page() -> str:
    lines = [
        "# Os comandos",
        "",
        *_prose(f"`bling-collector [opções] comando [opções do comando]`. {_sentence(cli.help)}"),
        "",
        *_options(cli.get_params(click.Context(cli))),
        *_prose(
            "O resultado vai para stdout, a conversa para stderr; a codificação da saída, e quem a leia ou não "
            "(`| head`), não mudam como o comando acaba. Os códigos de saída estão na [referência dos "
            "erros](referencia-erros.md#códigos-de-saída)."
        ),
        "",
        "| comando | o que faz | mais |",
        "| --- | --- | --- |",
        *(
            f"| [`{name}`](#{name.replace(' ', '-')}) | {_sentence(command.help)} | {_about(name)} |"
            for name, command in commands(cli)
        ),
        "",
    ]
    for name, command in commands(cli):
        lines += [f"## `{name}`", "", *_prose(command.help), "", *_usage(name, command), *_options(command.params)]
    return "\n".join(lines).rstrip() + "\n"


def _usage(name: str, command: click.Command) -> list[str]:
    """Como se digita um comando que toma mais que opções."""
    taken = [argument.make_metavar(click.Context(command)) for argument in _arguments(command)]
    return [f"`bling-collector {name} [OPÇÕES] {' '.join(taken)}`", ""] if taken else []


def _arguments(command: click.Command) -> list[click.Parameter]:
    return [parameter for parameter in command.params if isinstance(parameter, click.Argument)]


def commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    """Os comandos que se podem digitar, com o nome inteiro."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield f"{prefix}{name}", command
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def _about(command: str) -> str:
    return ABOUT_COMMANDS.get(command) or ABOUT_COMMANDS.get(command.partition(" ")[0], "")


def settings_page() -> str:
    lines = [
        "# A configuração",
        "",
        "Do ambiente ou do arquivo `.env` da pasta em que se roda; o ambiente vale mais. Uma variável vazia vale como",
        "ausente, menos `SCHEDULE`. Um valor que não serve é recusado antes de tudo, com o nome da variável e o que",
        "ela aceita.",
        "",
        "| variável | obrigatória | padrão | o que é | limites |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, default, description, limits in settings():
        required = "sim" if name.lower() in _REQUIRED else "não"
        more = f" ({ABOUT_SETTINGS[name]})" if name in ABOUT_SETTINGS else ""
        lines.append(f"| `{name}` | {required} | {default} | {description}{more} | {limits} |")
    lines += [
        "",
        "`DATABASE_URL` é aceita como o Cloud SQL, o Heroku ou o SQLAlchemy a escrevem, com soquete Unix inclusive:",
        "`postgresql://…`, `postgres://…`, `postgresql+psycopg2://…`,",
        "`postgresql://usuario:senha@/banco?host=/cloudsql/…`.",
        "",
        "As credenciais só são cobradas por quem fala com o Bling; um valor que ainda é o do modelo (`seu-…`, `xxx`,",
        "`<…>`, `troque-…`) é recusado.",
        "",
        "## As menores",
        "",
        "Não pertencem ao `.env`: são lidas só do ambiente.",
        "",
        "| variável | padrão | o que é |",
        "| --- | --- | --- |",
        *(f"| `{name}` | {default} | {meaning} |" for name, default, meaning in _OTHERS),
        "",
        "Nas conexões com o Bling (a API, os tokens, o `doctor`) e nos avisos valem também `HTTPS_PROXY`, `HTTP_PROXY`",
        "e `ALL_PROXY`, menos para o que está em `NO_PROXY`, lidas do ambiente, ou o proxy do sistema. Com o Bling ele",
        "é HTTP (`http://servidor:porta`, com usuário e senha se os pede), e `SSL_CERT_FILE` serve a um que",
        "troque o certificado. Esta máquina (`localhost`, `127.0.0.1`) nunca é alcançada por ele. `NO_PROXY` aceita",
        "nomes, que valem também para o que está abaixo deles, endereços e faixas.",
    ]
    return "\n".join(lines) + "\n"


def settings() -> Iterator[tuple[str, str, str, str]]:
    """Cada variável: nome, padrão, descrição e limites, já em Markdown."""
    for variable in VARIABLES.values():
        yield (
            variable.name.upper(),
            "—" if variable.default is None else f"`{variable.default}`",
            variable.metadata["meaning"],
            variable.metadata["limits"],
        )


def errors_page() -> str:
    lines = [
        "# Os erros",
        "",
        "Cada erro traz uma frase para uma pessoa: o que houve, por quê, o que fazer. Na linha de comando ela vai para",
        'stderr (com `--json`, também para stdout, como `{"status": "error", "title", "detail"}`); no serviço, é o',
        "`detail` de um `application/problem+json` (RFC 9457), com o `title` da tabela.",
        "",
        "## Códigos de saída",
        "",
        "| código | quer dizer |",
        "| --- | --- |",
        "| 0 | tudo feito, e nada difere |",
        "| 1 | falhou, foi feito em parte (o que falta ficou devido), ou algo difere: um ✘ nunca sai com 0 |",
        "| 2 | pedido ou configuração errados: nenhum dado mudou, ainda que uma execução fique anotada |",
        "| 3 | o dono da conta precisa autorizar de novo |",
        "",
        "## Por erro",
        "",
        "| erro | título | quando | saída | HTTP |",
        "| --- | --- | --- | --- | --- |",
    ]
    for error in errors():
        doc = " ".join((error.__doc__ or "").split())
        lines.append(f"| `{error.__name__}` | {error.title} | {doc} | {error.exit_code} | {error.http_status} |")
    lines += [
        "",
        "Uma execução que chega a começar não levanta erro: termina em `success`, `partial` ou `error`, e a mensagem",
        "fica em `etl_controle.erro_mensagem`.",
        "",
        "| status | quer dizer | saída |",
        "| --- | --- | --- |",
        "| `running` | em curso (ou morta há pouco: a execução seguinte a marca `error`) | — |",
        "| `success` | tudo o que se pediu está no banco, e nada é devido | 0 |",
        "| `partial` | parte foi salva, ou tudo, mas algo é devido | a do erro, senão 1 |",
        "| `error` | parou antes de salvar qualquer coisa | a do erro, senão 1 |",
    ]
    return "\n".join(lines) + "\n"


def _place_in_the_tree(error: type[CollectorError]) -> tuple[bool, str, str]:
    elsewhere = error.__module__ != CollectorError.__module__
    return (True, error.__module__, error.__name__) if elsewhere else (False, "", "")


def errors() -> list[type[CollectorError]]:
    """As classes de erro do coletor, da mais geral às suas filhas."""
    for module in walk_packages(bling_collector.__path__, "bling_collector."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)

    def tree(error: type[CollectorError]) -> Iterator[type[CollectorError]]:
        yield error
        # Os de errors.py, na ordem em que estão lá; os outros, numa ordem que não depende de quem foi importado antes.
        for child in sorted(error.__subclasses__(), key=_place_in_the_tree):
            yield from tree(child)

    return list(tree(CollectorError))


def resources_page() -> str:
    lines = [
        "# Os recursos",
        "",
        *wrap(
            "O que se coleta do Bling: de início, ou a pedido, com aquilo de que precisa ([o que mais "
            "coletar](operacao.md#o-que-mais-coletar)). A permissão é o escopo que se marca no cadastro do aplicativo "
            "([a autorização](autorizacao.md)).",
            120,
            break_long_words=False,
            break_on_hyphens=False,
        ),
        "",
        "| recurso | o que é | permissão | no Bling | tabelas | coleta-se |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for resource in RESOURCES:
        tables = ", ".join(f"`{table.name}`" for table in (resource.table, *(c.table for c in resource.children)))
        when = "pelo nome" if resource.by_name else "a pedido" if resource.optional else "de início"
        lines.append(
            f"| `{resource.name}` | {resource.title} | {resource.permission} | `{resource.path}` | {tables} | {when} |"
        )
    lines += [
        "",
        "Também se aceitam `contatos_todos` e `produtos_todos`, o cadastro inteiro de cada um, e `todos`",
        "([o que mais coletar](operacao.md#o-que-mais-coletar)).",
    ]
    return "\n".join(lines) + "\n"


def tables_page() -> str:
    said = meanings()
    lacking = [name for name in metadata.tables if name not in said] or [
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if column.name not in said[table.name].columns
    ]
    if lacking:
        raise SystemExit(f"Falta dizer em db/tabelas.toml o que quer dizer: {', '.join(lacking)}.")
    lines = [
        "# As tabelas",
        "",
        *_prose(
            "O que está aqui é também o comentário de cada tabela e coluna no banco, que o DBeaver e o Metabase "
            "mostram. As views estão [noutra página](referencia-views-colunas.md)."
        ),
        "",
        "As horas nossas são `timestamptz`; as que o Bling dá são `timestamp`, a hora local de Brasília, sem fuso.",
        "Dinheiro e quantidades são `numeric`. O que o Bling não informa fica vazio (`NULL`).",
        "",
    ]
    for table in metadata.tables.values():
        about = said[table.name]
        lines += [f"## `{table.name}`", "", *_prose(about.text), "", "| coluna | tipo | o que é |"]
        lines += ["| --- | --- | --- |"]
        for column in table.columns:
            lines.append(f"| `{column.name}` | {_type(column)} | {about.columns[column.name]} |")
        lines += ["", *_keys(table)]
        if not about.readable:
            lines += ["Um leitor (`db leitor`) não a lê.", ""]
    return "\n".join(lines).rstrip() + "\n"


def views_page() -> str:
    views = {name: about for name, about in meanings().items() if name.startswith("vw_")}
    lines = [
        "# As views, coluna por coluna",
        "",
        *_prose(
            "O que conta como venda, custo e dinheiro está em [as views dos relatórios](referencia-views.md); como as "
            "ler com o Power BI, o Excel e outros, em [análise](analise.md). Os meses e os dias são os de Brasília; os "
            "valores têm duas casas, as participações, quatro."
        ),
        "",
        "| view | o que é |",
        "| --- | --- |",
        *(f"| [`{name}`](#{name}) | {about.text} |" for name, about in views.items()),
        "",
    ]
    for name, about in views.items():
        lines += [f"## `{name}`", "", *_prose(about.text), "", "| coluna | o que é |", "| --- | --- |"]
        lines += [f"| `{column}` | {said} |" for column, said in about.columns.items()]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _keyed(expression: object) -> str:
    """A coluna de um índice, ou a expressão."""
    return str(getattr(expression, "name", expression))


def _keys(table: Table) -> list[str]:
    key = ", ".join(f"`{column.name}`" for column in table.primary_key.columns)
    foreign = [
        f"`{key.parent.name}` aponta para `{key.column.table.name}({key.column.name})`"
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name)
    ]
    indexes = sorted(
        "(" + ", ".join(f"`{_keyed(each)}`" for each in index.expressions) + ")" + (" único" if index.unique else "")
        for index in table.indexes
    )
    parts = [f"Chave: {key}.", *(f"{text}." for text in foreign)]
    if indexes:
        parts.append(f"Índices: {', '.join(indexes)}.")
    return [*_prose(" ".join(parts)), ""]


def _type(column: "Column[Any]") -> str:
    kind = str(column.type.compile(dialect=_DIALECT)).lower()
    return kind.replace("timestamp without time zone", "timestamp").replace("timestamp with time zone", "timestamptz")


def _options(parameters: Sequence[click.Parameter]) -> list[str]:
    rows = [
        f"| {_names(option)} | {' '.join(part for part in (_sentence(option.help), *_default(option)) if part)} |"
        for option in parameters
        if isinstance(option, click.Option)
    ]
    return ["| opção | o que faz |", "| --- | --- |", *rows, ""] if rows else []


def _names(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names
    if isinstance(option.type, click.Choice):
        return f"{names} {' '.join(f'`{choice}`' for choice in option.type.choices)}"
    return f"{names} {option.metavar or _VALUES.get(option.type.name, option.type.name)}"


def _default(option: click.Option) -> list[str]:
    parts = ["Obrigatória."] if option.required else []
    if option.show_default and not option.is_flag:
        parts.append(f"Padrão: `{option.default}`.")
    if option.envvar:
        parts.append(f"Variável: `{option.envvar}`.")
    return parts


def _prose(text: str | None) -> list[str]:
    """Um parágrafo, nas linhas em que cabe."""
    return wrap(_sentence(text), 120, break_long_words=False, break_on_hyphens=False)


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


if __name__ == "__main__":
    sys.exit(main())
