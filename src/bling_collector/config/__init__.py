"""As variáveis de ambiente do coletor, lidas dele e do arquivo `.env`: o que cada uma é, o padrão e os limites; as que
são de uma empresa só."""

import base64
import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from bling_collector.config import values
from bling_collector.config.companies import PRINCIPAL, company
from bling_collector.config.values import Secret
from bling_collector.errors import ConfigurationError, os_cause

__all__ = [
    "API",
    "CLOUD_RUN_SECONDS",
    "OF_THE_PROCESS",
    "SCHEDULE",
    "VARIABLES",
    "Secret",
    "Settings",
    "load_settings",
    "split_urls",
]

API = "https://api.bling.com.br/Api/v3"
CLOUD_RUN_SECONDS = 3300
"""O Cloud Run corta um pedido aos 3600 s."""
SCHEDULE = "0 6 * * * run; */15 * * * * look; 0 3 * * 0 reconcile"
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "`": "`"}


def _variable(
    default: Any, read: Callable[[str], Any], meaning: str, limits: str = "", *, may_be_empty: bool = False
) -> Any:
    """Uma variável: o padrão, como se lê o que nela está escrito, o que ela é e entre que valores fica. De uma que
    `may_be_empty`, vazia diz algo; das outras, é como se não estivesse."""
    about = {"read": read, "meaning": meaning, "limits": limits, "may_be_empty": may_be_empty}
    return field(default=default, metadata=about)


def _between(default: float, least: float, most: float, meaning: str, kind: Callable[[str], float] = int) -> Any:
    return _variable(default, values.number(least, most, kind), meaning, f"de {least} a {most}")


@dataclass(frozen=True)
class Settings:
    """As variáveis de ambiente do coletor; as obrigatórias só são cobradas por quem precisa delas."""

    bling_client_id: str | None = _variable(None, values.joined, "Client ID do aplicativo no Bling")
    bling_client_secret: Secret | None = _variable(
        None, lambda written: Secret(values.joined(written)), "Client Secret do aplicativo no Bling"
    )
    database_url: Secret | None = _variable(
        None,
        values.one_line,
        "Endereço do PostgreSQL; sem ele, o PostgreSQL embutido guarda os dados na pasta do usuário",
    )
    empresa: str | None = _variable(
        None, values.company_or_principal, "De que empresa se trata, se há mais de uma; sem ela, da principal"
    )
    bling_api_base_url: str = _variable(API, values.address, "Endereço da API do Bling")
    bling_oauth_url: str = _variable(f"{API}/oauth/token", values.address, "Endereço dos tokens do Bling")
    bling_authorize_url: str = _variable(f"{API}/oauth/authorize", values.address, "Página de autorização do Bling")
    extraction_days_back: int = _between(1, 0, 3650, "Dias para trás quando não há execução anterior")
    extraction_lookback_days: int = _between(
        30, 0, 3650, "Dias relidos em cada execução, para ver o que mudou depois da emissão"
    )
    recursos: tuple[str, ...] | None = _variable(
        None,
        values.names,
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
    api_ip_limit: int = _variable(
        600,
        values.number(0, 100_000),
        "Requisições em 10 segundos que o Bling aceita de um IP, de todas as empresas; 0 não as conta",
        "de 0 a 100000",
    )
    api_page_size: int = _between(100, 1, 100, "Linhas por página nas listagens")
    run_max_seconds: int = _between(
        0,
        0,
        604_800,
        "Segundos que uma execução tem, desde que se pede, até que pare com jeito e deixe o resto para a próxima; 0 "
        f"não põe limite. Sem ela, no Cloud Run (onde há `K_SERVICE` ou `CLOUD_RUN_JOB`) são {CLOUD_RUN_SECONDS}",
    )
    log_level: str = _variable("INFO", values.log_level, "Nível do log: DEBUG, INFO, WARNING ou ERROR")

    schedule: str = _variable(
        SCHEDULE,
        str,
        "A que horas o worker faz o quê: linhas de cron, no horário de Brasília, separadas por `;`, cada uma com o "
        "nome do que faz no fim (`run`, `look`, `reconcile` ou `exportar`); vazia, nada",
        may_be_empty=True,
    )

    export_to: str | None = _variable(
        None, str, "Para onde `exportar` exporta: uma pasta, ou uma URL como `gs://balde/pasta` ou `s3://balde/pasta`"
    )
    export_format: str = _variable("parquet", values.export_format, "Em que formato: `parquet`, `csv` ou `xlsx`")

    token_encryption_key: Secret | None = _variable(
        None,
        values.keys,
        "Chaves que cifram os tokens guardados, separadas por vírgula: a primeira cifra, todas decifram",
    )
    api_token: Secret | None = _variable(
        None, values.header, "O que o serviço exige de quem o chama, em `Authorization: Bearer`"
    )
    allow_unauthenticated: bool = _variable(
        False, values.switch, "Sem `API_TOKEN`, atende a outras máquinas: outro confere quem chama"
    )
    allowed_hosts: tuple[str, ...] | None = _variable(
        None,
        values.hosts,
        "Os nomes por que se chama o serviço, separados por vírgula (`*.empresa.com.br` são todos os de um domínio, e "
        "`*` é qualquer um); sem ela, com `API_TOKEN` qualquer um, e sem ele só `localhost`, `127.0.0.1` e `[::1]`",
    )
    forwarded_allow_ips: str = _variable(
        "127.0.0.1,::1", values.proxies, "Os endereços dos proxies cujos `X-Forwarded-*` valem, separados por vírgula"
    )

    alert_urls: Secret | None = _variable(
        None,
        Secret,
        "A quem dizer os alarmes (e-mail, Slack, Telegram…): URLs do Apprise, separadas por espaço ou vírgula",
    )
    alert_digest: bool = _variable(
        False,
        values.switch,
        "Manda também a eles, uma vez por dia, o resumo de ontem: vendas, contas, o que pede atenção e a conferência",
    )
    alert_no_run_hours: int = _between(26, 1, 8760, "Horas sem ler o que há de novo no Bling até que um alarme soe")

    @property
    def token_keys(self) -> list[str]:
        """As chaves de TOKEN_ENCRYPTION_KEY, a que cifra primeiro."""
        return [key.ljust(44, "=") for key in values.split(self.token_encryption_key)]

    of_companies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """O que se disse de uma empresa só, pelo nome dela: as variáveis e os valores."""

    def of(self, empresa: str | None) -> "Settings":
        """As de uma empresa, tiradas das da principal, que None também diz: as mesmas, com o que se disse só dela."""
        name = None if empresa == PRINCIPAL else empresa
        return replace(self, empresa=name, **self.of_companies.get(name or PRINCIPAL, {}))

    @property
    def company(self) -> str:
        """O nome da empresa de que se trata."""
        return self.empresa or PRINCIPAL

    @property
    def export_place(self) -> str | None:
        """Para onde esta empresa exporta: EXPORT_TO e, se não é a principal nem tem um seu, a pasta dela ali."""
        if self.empresa is None or self.export_to is None or "export_to" in self.of_companies.get(self.empresa, {}):
            return self.export_to
        folder, mark, options = self.export_to.partition("?") if "://" in self.export_to else (self.export_to, "", "")
        return f"{folder.rstrip('/')}/empresa_{self.empresa}{mark}{options}"

    @property
    def secrets(self) -> list[str]:
        """Tudo o que nenhum log pode repetir."""
        hidden = [self.database_url, self.token_encryption_key, self.api_token]
        secrets = [secret.get_secret_value() for secret in hidden if secret] + self.token_keys
        for each in (self, *map(self.of, self.of_companies)):
            secrets += split_urls(each.alert_urls.get_secret_value()) if each.alert_urls else []
            if each.bling_client_secret:
                secret = each.bling_client_secret.get_secret_value()
                pair = f"{each.bling_client_id}:{secret}"
                secrets += [secret, base64.b64encode(pair.encode()).decode()]
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
            if values.PLACEHOLDER.fullmatch(value.strip()):
                raise ConfigurationError(
                    f"{name} ainda tem o valor do modelo. Troque-o pelo da página do seu aplicativo em "
                    "developer.bling.com.br."
                )
        return str(self.bling_client_id), Secret(str(secret))


VARIABLES: Final = {variable.name: variable for variable in fields(Settings) if variable.metadata}
"""As variáveis de ambiente, pelo nome em minúsculas."""
OF_THE_PROCESS: Final = frozenset(
    {
        "allow_unauthenticated",
        "allowed_hosts",
        "api_ip_limit",
        "api_token",
        "database_url",
        "empresa",
        "forwarded_allow_ips",
        "log_level",
        "token_encryption_key",
    }
)
"""As que são de todas as empresas; as outras, cada uma pode ter as suas."""
OF_ONE: Final = "__"
"""Entre o nome de uma variável e o da empresa a que só ela diz respeito: BLING_CLIENT_ID__FILIAL."""


def split_urls(urls: str) -> list[str]:
    """As URLs de ALERT_URLS, separadas por espaço, vírgula ou linha; uma vírgula dentro de uma URL não a parte."""
    parts = re.split(r"[\s,;]+(?=[A-Za-z][A-Za-z0-9+.-]*://)", urls)
    return [part for part in (part.strip(" \t\r\n,;") for part in parts) if part]


def _database_password(url: Secret | None) -> list[str]:
    """A senha, como está no endereço e como se lê; uma curta ou óbvia esconderia palavras comuns."""
    try:
        parts = urlsplit(url.get_secret_value() if url else "")
    except ValueError:
        return []
    password = parts.password or ""
    obvious = len(password) < 8 or password in {parts.username, parts.path.strip("/")}
    return [] if obvious else sorted({password, unquote(password)})


def load_settings(empresa: str | None = None) -> Settings:
    """As configurações do ambiente e, no que ele não diz, as do arquivo `.env` da pasta presente; as de `empresa` ou,
    sem ela, da que EMPRESA diz.

    Uma variável vazia é como se não estivesse, menos SCHEDULE; os espaços e as linhas em volta de um valor colado não
    contam. ConfigurationError, com o nome da variável ou do arquivo, se algo não serve.
    """
    given = {
        name.lower(): pasted
        for name, value in [*_env_file().items(), *os.environ.items()]
        if (known := VARIABLES.get(name.lower().partition(OF_ONE)[0]))
        and ((pasted := _pasted(value)) or known.metadata["may_be_empty"])
    }
    if empresa is not None:
        given["empresa"] = empresa
    said, of_companies, problems = dict[str, Any](), dict[str, dict[str, Any]](), list[str]()
    if _in_cloud_run():
        said["run_max_seconds"] = CLOUD_RUN_SECONDS
    for name, value in given.items():
        variable, of_one, whose = name.partition(OF_ONE)
        try:
            value.encode()  # um byte solto do ambiente, de outra codificação, só falharia quando alguém o usasse
            read = VARIABLES[variable].metadata["read"](value)
            if of_one:
                _check_company(variable, whose)
                of_companies.setdefault(whose, {})[variable] = read
            else:
                said[variable] = read
        except UnicodeEncodeError:
            problems.append(f"{name.upper()}: tem letras que não estão em UTF-8")
        except ValueError as error:
            problems.append(f"{name.upper()}: {error}")
    if problems:
        raise ConfigurationError(f"Configuração inválida — {'; '.join(problems)}.")
    chosen = said.pop("empresa", None)
    common = Settings(**said, of_companies=of_companies)
    return common if chosen is None else common.of(chosen)


def _check_company(variable: str, whose: str) -> None:
    """ValueError se o que se disse de uma empresa só é de todas, ou se não é o nome de uma."""
    if variable in OF_THE_PROCESS:
        raise ValueError("é de todas as empresas; diga-a sem o nome de uma")
    if company(whose) == PRINCIPAL:
        raise ValueError("a principal é a que não tem nome; diga-a sem ele")


def _in_cloud_run() -> bool:
    """As variáveis que só a plataforma põe: de um serviço, e de um Job."""
    return bool(os.environ.get("K_SERVICE") or os.environ.get("CLOUD_RUN_JOB"))


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
            f"O arquivo {path.absolute()} não pôde ser lido ({os_cause(error)}). Dê permissão de leitura a quem roda o "
            "coletor, ou ponha as variáveis no ambiente e apague-o."
        ) from error
    if "\0" in content:  # também UTF-16 sem a marca: cada letra com um nulo ao lado
        raise ConfigurationError(
            f"O arquivo {path.absolute()} não está em UTF-8. Abra-o num editor e salve-o com essa codificação."
        )
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(stream=StringIO(content)).items() if value is not None}
