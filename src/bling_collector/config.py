"""A configuração, lida do ambiente e do arquivo `.env`."""

import base64
import re
from functools import cached_property
from typing import Final
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bling_collector.errors import ConfigurationError

API = "https://api.bling.com.br/Api/v3"
_PLACEHOLDER = re.compile(
    r"(seu|sua|your|my)[_\- ].*|x{3,}|<.*>|\[.*\]|change[_\- ]?me|.*placeholder.*|troque.*|preencha.*|\.{3}|…|todo|"
    r"(bling[_\- ]?)?(client[_\- ]?)?(id|secret)|string|none|null|example|exemplo",
    re.IGNORECASE,
)


class Settings(BaseSettings):
    """As variáveis de ambiente do coletor; as obrigatórias só são cobradas por quem precisa delas."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    bling_client_id: str | None = Field(default=None, description="Client ID do aplicativo no Bling")
    bling_client_secret: SecretStr | None = Field(default=None, description="Client Secret do aplicativo no Bling")
    database_url: SecretStr | None = Field(
        default=None,
        description="Endereço do PostgreSQL; sem ele, o PostgreSQL embutido guarda os dados na pasta do usuário",
    )
    bling_api_base_url: str = Field(default=API, description="Endereço da API do Bling")
    bling_oauth_url: str = Field(default=f"{API}/oauth/token", description="Endereço dos tokens do Bling")
    bling_authorize_url: str = Field(default=f"{API}/oauth/authorize", description="Página de autorização do Bling")
    extraction_days_back: int = Field(
        default=1, ge=0, le=3650, description="Dias para trás quando não há execução anterior"
    )
    extraction_lookback_days: int = Field(
        default=30, ge=0, le=3650, description="Dias relidos em cada execução, para ver o que mudou depois da emissão"
    )
    api_rate_limit_delay: float = Field(
        default=0.35,
        ge=0,
        le=60,
        description="Segundos entre os inícios de duas requisições; 0 desliga o ritmo, menos diante do próprio Bling",
    )
    api_daily_reserve: int = Field(
        default=20_000,
        ge=0,
        le=119_000,
        description="Requisições da cota diária de 120.000 da conta que ficam para os outros aplicativos dela",
    )
    api_page_size: int = Field(default=100, ge=1, le=100, description="Linhas por página nas listagens")
    log_level: str = Field(
        default="INFO",
        pattern="^(?i:DEBUG|INFO|WARNING|ERROR)$",
        description="Nível do log: DEBUG, INFO, WARNING ou ERROR",
    )

    token_encryption_key: SecretStr | None = Field(
        default=None,
        description="Chaves que cifram os tokens guardados, separadas por vírgula: a primeira cifra, todas decifram",
    )
    api_token: SecretStr | None = Field(
        default=None, description="O que o serviço exige de quem o chama, em `Authorization: Bearer`"
    )
    allow_unauthenticated: bool = Field(
        default=False, description="Sem `API_TOKEN`, atende a outras máquinas: outro confere quem chama"
    )

    alert_urls: SecretStr | None = Field(
        default=None,
        description="A quem avisar (e-mail, Slack, Telegram…): URLs do Apprise, separadas por espaço ou vírgula",
    )
    alert_no_run_hours: int = Field(
        default=26, ge=1, le=8760, description="Horas sem uma execução que dê certo até que um alarme soe"
    )

    @field_validator("bling_api_base_url", "bling_oauth_url", "bling_authorize_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        """Um endereço que se possa chamar: http ou https, com servidor."""
        try:
            parts = urlsplit(value.strip())
            reachable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            reachable = False
        if not reachable:
            raise PydanticCustomError("address", "precisa ser um endereço, como https://api.bling.com.br/Api/v3")
        return value.strip()

    @field_validator("api_token")
    @classmethod
    def _fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"[!-~]+", value.get_secret_value()):
            raise ValueError("só letras, números e sinais do ASCII, sem espaços")
        return value

    @field_validator("token_encryption_key")
    @classmethod
    def _are_keys(cls, value: SecretStr | None) -> SecretStr | None:
        for key in _split(value):
            if not re.fullmatch(r"[\w-]{43}=?", key, re.ASCII):
                raise ValueError(
                    "uma chave tem 44 caracteres, como `bling-collector auth --gerar-chave` a dá; várias se separam "
                    "com vírgula"
                )
        return value

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
    def credentials(self) -> tuple[str, SecretStr]:
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
        return str(self.bling_client_id), SecretStr(str(secret))


def split_urls(urls: str) -> list[str]:
    """As URLs de ALERT_URLS, separadas por espaço, vírgula ou linha; uma vírgula dentro de uma URL não a parte."""
    parts = re.split(r"[\s,;]+(?=[A-Za-z][A-Za-z0-9+.-]*://)", urls)
    return [part for part in (part.strip(" \t\r\n,;") for part in parts) if part]


def _split(keys: SecretStr | None) -> list[str]:
    return re.split(r"[\s,;]+", keys.get_secret_value().strip(" \t,;")) if keys else []


def _database_password(url: SecretStr | None) -> list[str]:
    """A senha, como está no endereço e como se lê; uma curta ou óbvia esconderia palavras comuns."""
    try:
        parts = urlsplit(url.get_secret_value() if url else "")
    except ValueError:
        return []
    password = parts.password or ""
    obvious = len(password) < 8 or password in {parts.username, parts.path.strip("/")}
    return [] if obvious else sorted({password, unquote(password)})


def load_settings() -> Settings:
    """As configurações do ambiente. ConfigurationError, com o nome da variável, se um valor não serve."""
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(f"{str(e['loc'][0]).upper()}: {_in_portuguese(e)}" for e in error.errors())
        raise ConfigurationError(f"Configuração inválida — {problems}.") from None


_SENTENCES: Final = {
    "greater_than_equal": "o mínimo é {ge}",
    "less_than_equal": "o máximo é {le}",
    "int_parsing": "precisa ser um número inteiro",
    "int_from_float": "precisa ser um número inteiro",
    "int_type": "precisa ser um número inteiro",
    "float_parsing": "precisa ser um número, com ponto decimal",
    "float_type": "precisa ser um número, com ponto decimal",
    "bool_parsing": "use true ou false",
    "bool_type": "use true ou false",
    "string_pattern_mismatch": "use DEBUG, INFO, WARNING ou ERROR",
    "value_error": "{error}",
}


def _in_portuguese(error: object) -> str:
    details = dict(error)  # type: ignore[call-overload]  # ErrorDetails é um TypedDict de chaves opcionais
    sentence = _SENTENCES.get(details["type"], "{msg}")
    return sentence.format(**{"msg": details["msg"]} | (details.get("ctx") or {}))
