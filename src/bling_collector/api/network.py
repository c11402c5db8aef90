"""A rede: o transporte por baixo das camadas, para a API e para os tokens."""

import ssl
from functools import cache
from typing import Final

import httpx2

_LIMITS: Final = httpx2.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=30)


def network() -> httpx2.AsyncHTTPTransport:
    """Um transporte novo; quem o recebe o fecha."""
    return httpx2.AsyncHTTPTransport(verify=_trusted(), limits=_LIMITS)


@cache
def _trusted() -> ssl.SSLContext:
    """As autoridades em que se confia, as de SSL_CERT_FILE se ela é dada; lê-las custa 18 ms, e uma vez basta."""
    return httpx2.create_ssl_context()
