"""Os destinos das mensagens (e-mail, Slack, Telegram…): uma URL do Apprise cada um. Só os carrega quem as manda."""

import asyncio
import logging
import warnings
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from threading import Lock
from types import ModuleType
from typing import Final

from bling_collector.config import split_urls
from bling_collector.words import of_company

log = logging.getLogger(__name__)

TIMEOUT: Final = 20.0
"""Segundos que um destino tem para receber uma mensagem."""
NAME: Final = "Coletor Bling"
"""Como o coletor se apresenta no título de uma mensagem."""
_LOADING: Final = Lock()


@dataclass(frozen=True)
class Channel:
    """Um destino. Nem o repr nem as mensagens trazem a URL, que costuma ter senha."""

    key: str
    """A impressão da URL: reconhece o destino sem a revelar."""
    name: str
    """O que dele se pode dizer: `slack://…`."""
    _url: str
    _empresa: str | None = None
    """A empresa de que se fala, se não é a principal."""

    def __repr__(self) -> str:
        return f"Channel({self.name})"

    async def is_known(self) -> bool:
        """Se é uma URL que o Apprise conhece; nada se manda."""
        apprise = await asyncio.to_thread(_apprise)
        return bool(apprise.Apprise().add(self._url))

    async def send(self, title: str, body: str, *, level: str = "info") -> bool:
        """Se o destino aceitou a mensagem; `level` é info, success, warning ou failure. Nunca levanta erro."""
        if self._empresa is not None:
            title, body = title.replace(NAME, f"{NAME} ({self._empresa})", 1), of_company(body, self._empresa)
        try:
            apprise = await asyncio.to_thread(_apprise)
            notifier = apprise.Apprise(asset=apprise.AppriseAsset(app_id="bling-collector", app_desc=NAME))
            if not notifier.add(self._url):
                log.error("O destino %s de ALERT_URLS não é uma URL que o Apprise conheça.", self.name)
                return False
            async with asyncio.timeout(TIMEOUT):
                if await notifier.async_notify(title=title, body=body, notify_type=level):
                    return True
            log.error("A mensagem «%s» não foi aceita por %s; fica para a próxima ocasião.", title, self.name)
        except TimeoutError:
            log.error(
                "O destino %s não respondeu em %.0f s; a mensagem fica para a próxima ocasião.", self.name, TIMEOUT
            )
        except Exception as error:  # noqa: BLE001 — cada destino é um programa de outros; uma mensagem nunca derruba a coleta
            log.error("A mensagem a %s falhou (%s); fica para a próxima ocasião.", self.name, type(error).__name__)
        return False


def channels(urls: str, empresa: str | None = None) -> list[Channel]:
    """Os destinos de ALERT_URLS, separados por espaço, vírgula ou linha; cada um uma vez só. O que se lhes diz é da
    `empresa`; None é a principal."""
    found = (_channel(url, empresa) for url in split_urls(urls))
    return list({channel.key: channel for channel in found}.values())


def _channel(url: str, empresa: str | None) -> Channel:
    scheme, found, _ = url.partition("://")
    return Channel(sha256(url.encode()).hexdigest()[:16], f"{scheme}://…" if found else "(sem esquema)", url, empresa)


def _apprise() -> ModuleType:
    with _LOADING:
        return _load()


@cache
def _load() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # ele ainda conhece módulos que o Python está deixando
        import apprise

        apprise.Apprise().add("json://localhost")  # carrega os plugins, que também avisam
    # O que ele e a urllib3 registram em DEBUG traz os endereços inteiros, com as senhas.
    for name in ("apprise", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    module: ModuleType = apprise
    return module
