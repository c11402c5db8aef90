"""O endereço em que se atende, e quem o alcança."""

from ipaddress import ip_address
from typing import Final

from bling_collector.config import Settings
from bling_collector.errors import ConfigurationError

LEAST_TOKEN: Final = 16
"""Caracteres de um API_TOKEN a que outra máquina alcança: um menor se adivinha."""


def check_address(settings: Settings, host: str) -> None:
    """ConfigurationError se o serviço atenderia a outras máquinas sem que ninguém confira, ou bem, quem chama."""
    if is_this_machine(host):
        return
    token = settings.api_token
    if token is None and not settings.allow_unauthenticated:
        raise ConfigurationError(
            f"Sem API_TOKEN o serviço só atende nesta máquina (127.0.0.1), e não em {host}. Defina API_TOKEN; ou, se "
            "outro confere quem chama (o IAM do Cloud Run, um proxy, uma rede fechada), diga-o com todas as letras: "
            "--sem-autenticacao, ou ALLOW_UNAUTHENTICATED=true."
        )
    if token is not None and (size := len(token.get_secret_value())) < LEAST_TOKEN:
        raise ConfigurationError(
            f"API_TOKEN tem {size} caracteres, e outras máquinas alcançam {host}: precisa de {LEAST_TOKEN}, ou mais, "
            'que ninguém adivinhe. Um bom: python3 -c "import secrets; print(secrets.token_urlsafe(32))".'
        )


def is_this_machine(host: str) -> bool:
    """Se o endereço, ou o nome, só é desta máquina."""
    host = host.strip("[]")
    return host == "localhost" or (is_address(host) and ip_address(host).is_loopback)


def is_address(host: str) -> bool:
    """Se é um endereço IP, e não um nome."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
