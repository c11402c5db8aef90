"""O que se escreve numa variável de ambiente, e como se lê. ValueError se não serve."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from bling_collector.config.companies import PRINCIPAL, company

EXPORT_FORMATS = ("parquet", "csv", "xlsx")
PLACEHOLDER = re.compile(
    r"(seu|sua|your|my)[_\- ].*|x{3,}|<.*>|\[.*\]|change[_\- ]?me|.*placeholder.*|troque.*|preencha.*|\.{3}|…|todo|"
    r"(bling[_\- ]?)?(client[_\- ]?)?(id|secret)|string|none|null|example|exemplo",
    re.IGNORECASE,
)


class Secret:
    """Um texto que não se mostra sem querer: nem num log, nem num erro, nem na pilha de uma falha."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __bool__(self) -> bool:
        return bool(self._text)


def joined(written: str) -> str:
    """Uma credencial, que é uma palavra só: uma linha partida ao colar, ou um branco no meio, não são dela."""
    return written if PLACEHOLDER.fullmatch(written) else "".join(written.split())


def one_line(written: str) -> Secret:
    """Um endereço que a colagem partiu em linhas."""
    return Secret("".join(line.strip() for line in written.splitlines()))


def number(least: float, most: float, kind: Callable[[str], float] = int) -> Callable[[str], float]:
    """Um número de `least` a `most`, inteiro se não se diz outra coisa."""

    def read(written: str) -> float:
        try:
            number = kind(written)
        except ValueError:
            what = "inteiro" if kind is int else "com ponto decimal"
            raise ValueError(f"precisa ser um número{' ' if kind is int else ', '}{what}") from None
        if not least <= number <= most:  # também recusa NaN
            raise ValueError(f"o máximo é {most}" if number > most else f"o mínimo é {least}")
        return number

    return read


def switch(written: str) -> bool:
    """Verdadeiro ou falso, por extenso."""
    known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if (choice := known.get(written.lower())) is None:
        raise ValueError("use true ou false")
    return choice


def log_level(written: str) -> str:
    """O nível do log, como se escreveu."""
    if written.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("use DEBUG, INFO, WARNING ou ERROR")
    return written


def export_format(written: str) -> str:
    """O formato dos arquivos, em minúsculas."""
    if written.lower() not in EXPORT_FORMATS:
        raise ValueError("use parquet, csv ou xlsx")
    return written.lower()


def address(written: str) -> str:
    """Um endereço que se possa chamar, e a que se possa juntar um caminho: http ou https, com servidor, sem `?` nem
    `#`."""
    try:
        parts = urlsplit(written)
        reachable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        reachable = reachable and not (parts.query or parts.fragment)
    except ValueError:
        reachable = False
    if not reachable:
        raise ValueError("precisa ser um endereço, como https://api.bling.com.br/Api/v3")
    return written


def header(written: str) -> Secret:
    """Um segredo que cabe num cabeçalho HTTP."""
    if not re.fullmatch(r"[!-~]+", written):
        raise ValueError("só letras, números e sinais do ASCII, sem espaços")
    return Secret(written)


def hosts(written: str) -> tuple[str, ...]:
    """Nomes, sem porta; `*.nome` é qualquer um abaixo dele, e `*` é qualquer um."""
    hosts = tuple(host.lower() for host in re.split(r"[\s,;]+", written.strip(" \t,;")))
    for host in hosts:
        if not re.fullmatch(r"\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", host):
            raise ValueError(
                "precisam ser nomes sem porta nem http://, como coletor.empresa.com.br, separados por vírgula"
            )
    return hosts


def names(written: str) -> tuple[str, ...]:
    """Nomes, separados por vírgula ou espaço; ValueError se não há nenhum."""
    found = tuple(name.lower() for name in re.split(r"[\s,;]+", written) if name)
    if not found:
        raise ValueError("diga ao menos um nome")
    return found


def proxies(written: str) -> str:
    """Endereços IP, ou faixas deles, separados por vírgula; `*` são todos."""
    import ipaddress

    for each in filter(None, map(str.strip, written.split(","))):
        try:
            _ = each == "*" or ipaddress.ip_network(each, strict=False)
        except ValueError:
            raise ValueError(f"«{each[:80]}» não é um endereço IP, nem uma faixa como 10.0.0.0/8") from None
    return written


def company_or_principal(written: str) -> str | None:
    return None if (name := company(written)) == PRINCIPAL else name


def keys(written: str) -> Secret:
    for key in split(Secret(written)):
        if not re.fullmatch(r"[\w-]{43}=?", key, re.ASCII):
            raise ValueError(
                "uma chave tem 44 caracteres, como `bling-collector auth --gerar-chave` a dá; várias se separam "
                "com vírgula"
            )
    return Secret(written)


def split(keys: Secret | None) -> list[str]:
    return re.split(r"[\s,;]+", keys.get_secret_value().strip(" \t,;")) if keys else []
