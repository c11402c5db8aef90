"""A configuração, lida do ambiente e do arquivo `.env`."""

import base64
import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bling_collector.errors import ConfigurationError

API = "https://api.bling.com.br/Api/v3"
SCHEDULE = "0 6 * * * run; */15 * * * * look; 0 3 * * 0 reconcile"
_PLACEHOLDER = re.compile(
    r"(seu|sua|your|my)[_\- ].*|x{3,}|<.*>|\[.*\]|change[_\- ]?me|.*placeholder.*|troque.*|preencha.*|\.{3}|…|todo|"
    r"(bling[_\- ]?)?(client[_\- ]?)?(id|secret)|string|none|null|example|exemplo",
    re.IGNORECASE,
)


_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "`": "`"}


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


def _joined(written: str) -> str:
    """Uma credencial, que é uma palavra só: uma linha partida ao colar, ou um branco no meio, não são dela."""
    return written if _PLACEHOLDER.fullmatch(written) else "".join(written.split())


def _one_line(written: str) -> Secret:
    """Um endereço que a colagem partiu em linhas."""
    return Secret("".join(line.strip() for line in written.splitlines()))


def _number(least: float, most: float, kind: Callable[[str], float] = int) -> Callable[[str], float]:
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


def _switch(written: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if (choice := known.get(written.lower())) is None:
        raise ValueError("use true ou false")
    return choice


def _log_level(written: str) -> str:
    if written.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("use DEBUG, INFO, WARNING ou ERROR")
    return written


def _address(written: str) -> str:
    """Um endereço que se possa chamar: http ou https, com servidor."""
    try:
        parts = urlsplit(written)
        reachable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        reachable = False
    if not reachable:
        raise ValueError("precisa ser um endereço, como https://api.bling.com.br/Api/v3")
    return written


def _header(written: str) -> Secret:
    if not re.fullmatch(r"[!-~]+", written):
        raise ValueError("só letras, números e sinais do ASCII, sem espaços")
    return Secret(written)


def _hosts(written: str) -> tuple[str, ...]:
    """Nomes, sem porta; `*.nome` é qualquer um abaixo dele, e `*` é qualquer um."""
    hosts = tuple(host.lower() for host in re.split(r"[\s,;]+", written.strip(" \t,;")))
    for host in hosts:
        if not re.fullmatch(r"\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", host):
            raise ValueError(
                "precisam ser nomes sem porta nem http://, como coletor.empresa.com.br, separados por vírgula"
            )
    return hosts


def names(written: str) -> tuple[str, ...]:
    """Nomes, separados por vírgula ou espaço."""
    return tuple(name.lower() for name in re.split(r"[\s,;]+", written.strip(" \t,;")))


def _keys(written: str) -> Secret:
    for key in _split(Secret(written)):
        if not re.fullmatch(r"[\w-]{43}=?", key, re.ASCII):
            raise ValueError(
                "uma chave tem 44 caracteres, como `bling-collector auth --gerar-chave` a dá; várias se separam "
                "com vírgula"
            )
    return Secret(written)


def _variable(
    default: Any, read: Callable[[str], Any], meaning: str, limits: str = "", *, may_be_empty: bool = False
) -> Any:
    """Uma variável: o padrão, como se lê o que nela está escrito, o que ela é e entre que valores fica. De uma que
    `may_be_empty`, vazia diz algo; das outras, é como se não estivesse."""
    about = {"read": read, "meaning": meaning, "limits": limits, "may_be_empty": may_be_empty}
    return field(default=default, metadata=about)


def _between(default: float, least: float, most: float, meaning: str, kind: Callable[[str], float] = int) -> Any:
    return _variable(default, _number(least, most, kind), meaning, f"de {least} a {most}")


@dataclass(frozen=True)
class Settings:
    """As variáveis de ambiente do coletor; as obrigatórias só são cobradas por quem precisa delas."""

    bling_client_id: str | None = _variable(None, _joined, "Client ID do aplicativo no Bling")
    bling_client_secret: Secret | None = _variable(
        None, lambda written: Secret(_joined(written)), "Client Secret do aplicativo no Bling"
    )
    database_url: Secret | None = _variable(
        None, _one_line, "Endereço do PostgreSQL; sem ele, o PostgreSQL embutido guarda os dados na pasta do usuário"
    )
    bling_api_base_url: str = _variable(API, _address, "Endereço da API do Bling")
    bling_oauth_url: str = _variable(f"{API}/oauth/token", _address, "Endereço dos tokens do Bling")
    bling_authorize_url: str = _variable(f"{API}/oauth/authorize", _address, "Página de autorização do Bling")
    extraction_days_back: int = _between(1, 0, 3650, "Dias para trás quando não há execução anterior")
    extraction_lookback_days: int = _between(
        30, 0, 3650, "Dias relidos em cada execução, para ver o que mudou depois da emissão"
    )
    recursos: tuple[str, ...] | None = _variable(
        None,
        names,
        "O que se coleta do Bling: nomes de recursos, separados por vírgula, ou `todos`, menos o que só se pede "
        "pelo nome; sem ela, as notas e os cadastros que elas citam",
    )
    api_rate_limit_delay: float = _between(
        0.35,
        0,
        60,
        "Segundos entre os inícios de duas requisições; 0 desliga o ritmo, menos diante do próprio Bling",
        float,
    )
    api_daily_reserve: int = _between(
        20_000, 0, 119_000, "Requisições da cota diária de 120.000 da conta que ficam para os outros aplicativos dela"
    )
    api_page_size: int = _between(100, 1, 100, "Linhas por página nas listagens")
    log_level: str = _variable("INFO", _log_level, "Nível do log: DEBUG, INFO, WARNING ou ERROR")

    schedule: str = _variable(
        SCHEDULE,
        str,
        "A que horas o worker faz o quê: linhas de cron, no horário de Brasília, separadas por `;`, cada uma com o "
        "nome do que faz no fim (`run`, `look` ou `reconcile`); vazia, nada",
        may_be_empty=True,
    )

    token_encryption_key: Secret | None = _variable(
        None, _keys, "Chaves que cifram os tokens guardados, separadas por vírgula: a primeira cifra, todas decifram"
    )
    api_token: Secret | None = _variable(
        None, _header, "O que o serviço exige de quem o chama, em `Authorization: Bearer`"
    )
    allow_unauthenticated: bool = _variable(
        False, _switch, "Sem `API_TOKEN`, atende a outras máquinas: outro confere quem chama"
    )
    allowed_hosts: tuple[str, ...] | None = _variable(
        None,
        _hosts,
        "Os nomes por que se chama o serviço, separados por vírgula (`*.empresa.com.br` são todos os de um domínio, e "
        "`*` é qualquer um); sem ela, com `API_TOKEN` qualquer um, e sem ele só `localhost`, `127.0.0.1` e `[::1]`",
    )
    forwarded_allow_ips: str = _variable(
        "127.0.0.1,::1", str, "Os endereços dos proxies cujos `X-Forwarded-*` valem, separados por vírgula"
    )

    alert_urls: Secret | None = _variable(
        None, Secret, "A quem avisar (e-mail, Slack, Telegram…): URLs do Apprise, separadas por espaço ou vírgula"
    )
    alert_digest: bool = _variable(
        False,
        _switch,
        "Manda também a eles, uma vez por dia, o resumo de ontem: vendas, contas, o que pede atenção e a conferência",
    )
    alert_no_run_hours: int = _between(26, 1, 8760, "Horas sem uma execução que dê certo até que um alarme soe")

    @property
    def token_keys(self) -> list[str]:
        """As chaves de TOKEN_ENCRYPTION_KEY, a que cifra primeiro."""
        return [key.ljust(44, "=") for key in _split(self.token_encryption_key)]

    @property
    def secrets(self) -> list[str]:
        """Tudo o que nenhum log pode repetir."""
        hidden = [self.bling_client_secret, self.database_url, self.token_encryption_key, self.api_token]
        secrets = [secret.get_secret_value() for secret in hidden if secret] + self.token_keys
        secrets += split_urls(self.alert_urls.get_secret_value()) if self.alert_urls else []
        if self.bling_client_secret:
            pair = f"{self.bling_client_id}:{self.bling_client_secret.get_secret_value()}"
            secrets.append(base64.b64encode(pair.encode()).decode())
        # Um segredo de três letras esconderia pedaços de palavras comuns.
        return [secret for secret in secrets if len(secret) > 5] + _database_password(self.database_url)

    @cached_property
    def credentials(self) -> tuple[str, Secret]:
        """O par (client id, client secret). ConfigurationError se falta ou se ainda é o do modelo."""
        secret = self.bling_client_secret.get_secret_value() if self.bling_client_secret else None
        for name, value in (("BLING_CLIENT_ID", self.bling_client_id), ("BLING_CLIENT_SECRET", secret)):
            if not value:
                raise ConfigurationError(
                    f"Falta {name}. Copie-o da página do seu aplicativo em developer.bling.com.br e coloque-o no "
                    "ambiente ou no arquivo .env."
                )
            if _PLACEHOLDER.fullmatch(value.strip()):
                raise ConfigurationError(
                    f"{name} ainda tem o valor do modelo. Troque-o pelo da página do seu aplicativo em "
                    "developer.bling.com.br."
                )
        return str(self.bling_client_id), Secret(str(secret))


def split_urls(urls: str) -> list[str]:
    """As URLs de ALERT_URLS, separadas por espaço, vírgula ou linha; uma vírgula dentro de uma URL não a parte."""
    parts = re.split(r"[\s,;]+(?=[A-Za-z][A-Za-z0-9+.-]*://)", urls)
    return [part for part in (part.strip(" \t\r\n,;") for part in parts) if part]


def _split(keys: Secret | None) -> list[str]:
    return re.split(r"[\s,;]+", keys.get_secret_value().strip(" \t,;")) if keys else []


def _database_password(url: Secret | None) -> list[str]:
    """A senha, como está no endereço e como se lê; uma curta ou óbvia esconderia palavras comuns."""
    try:
        parts = urlsplit(url.get_secret_value() if url else "")
    except ValueError:
        return []
    password = parts.password or ""
    obvious = len(password) < 8 or password in {parts.username, parts.path.strip("/")}
    return [] if obvious else sorted({password, unquote(password)})


def load_settings() -> Settings:
    """As configurações do ambiente e, no que ele não diz, as do arquivo `.env` da pasta presente.

    Uma variável vazia é como se não estivesse, menos SCHEDULE; os espaços e as linhas em volta de um valor colado não
    contam. ConfigurationError, com o nome da variável ou do arquivo, se algo não serve.
    """
    speaks_empty = {variable.name for variable in fields(Settings) if variable.metadata["may_be_empty"]}
    given = {
        name.lower(): pasted
        for name, value in [*_env_file().items(), *os.environ.items()]
        if (pasted := _pasted(value)) or name.lower() in speaks_empty
    }
    values, problems = {}, []
    for variable in fields(Settings):
        if (value := given.get(variable.name)) is None:
            continue
        try:
            value.encode()  # um byte solto do ambiente, de outra codificação, só falharia quando alguém o usasse
            values[variable.name] = variable.metadata["read"](value)
        except UnicodeEncodeError:
            problems.append(f"{variable.name.upper()}: tem letras que não estão em UTF-8")
        except ValueError as error:
            problems.append(f"{variable.name.upper()}: {error}")
    if problems:
        raise ConfigurationError(f"Configuração inválida — {'; '.join(problems)}.")
    return Settings(**values)


def _pasted(value: str) -> str:
    """O que se quis escrever: sem o que não se vê (largura zero, marca de ordem, sentido do texto), sem os brancos e as
    linhas em volta e sem as aspas que alguém deixou."""
    seen = "".join(c for c in value if unicodedata.category(c) != "Cf").strip()
    quoted = len(seen) > 1 and _QUOTES.get(seen[0]) == seen[-1]
    return seen[1:-1].strip() if quoted else seen


def _env_file() -> dict[str, str]:
    """O que o arquivo `.env` diz. ConfigurationError se ele não se deixa ler."""
    path = Path(".env")
    if path.is_dir():  # um ambiente virtual também se chama .env
        return {}
    try:
        content = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        content = "\0"
    except OSError as error:
        raise ConfigurationError(
            f"O arquivo {path.absolute()} não pôde ser lido ({error.strerror}). Dê permissão de leitura a quem roda o "
            "coletor, ou ponha as variáveis no ambiente e apague-o."
        ) from error
    if "\0" in content:  # também UTF-16 sem a marca: cada letra com um nulo ao lado
        raise ConfigurationError(
            f"O arquivo {path.absolute()} não está em UTF-8. Abra-o num editor e salve-o com essa codificação."
        )
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(stream=StringIO(content)).items() if value is not None}
