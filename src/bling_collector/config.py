"""A configuração, lida do ambiente e do arquivo `.env`."""

import re
from functools import cached_property
from urllib.parse import urlsplit

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
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
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
        default=0.35, ge=0, le=60, description="Segundos entre os inícios de duas requisições; 0 desliga o ritmo"
    )
    api_page_size: int = Field(default=100, ge=1, le=100, description="Linhas por página nas listagens")
    log_level: str = Field(
        default="INFO",
        pattern="^(?i:DEBUG|INFO|WARNING|ERROR)$",
        description="Nível do log: DEBUG, INFO, WARNING ou ERROR",
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


def load_settings() -> Settings:
    """As configurações do ambiente. ConfigurationError, com o nome da variável, se um valor não serve."""
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(f"{str(e['loc'][0]).upper()}: {_in_portuguese(e)}" for e in error.errors())
        raise ConfigurationError(f"Configuração inválida — {problems}.") from None


def _in_portuguese(error: object) -> str:
    details = dict(error)  # type: ignore[call-overload]  # ErrorDetails é um TypedDict de chaves opcionais
    limits = details.get("ctx") or {}
    match details["type"]:
        case "greater_than_equal":
            return f"o mínimo é {limits['ge']}"
        case "less_than_equal":
            return f"o máximo é {limits['le']}"
        case "int_parsing" | "int_from_float" | "int_type":
            return "precisa ser um número inteiro"
        case "float_parsing" | "float_type":
            return "precisa ser um número, com ponto decimal"
        case "string_pattern_mismatch":
            return "use DEBUG, INFO, WARNING ou ERROR"
    return str(details["msg"])
