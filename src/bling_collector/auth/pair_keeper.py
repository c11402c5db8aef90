"""Gravar o par que o Bling acaba de dar: o velho já não vale, e perder o novo é perder a autorização.

Se o banco não o aceita, ele vai na hora para um arquivo, e é oferecido ao banco outra vez: já, algumas vezes; depois,
sempre que alguém precisar de um token, neste processo ou noutro desta máquina.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bling_collector.auth.set_aside import SetAside
from bling_collector.auth.tokens import LockedTokens, Token
from bling_collector.clock import Clock
from bling_collector.errors import DatabaseError, os_cause

logger = logging.getLogger(__name__)

SAVE_WAITS: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Segundos antes de oferecer outra vez ao banco o par que ele não aceitou; depois disso, fica para a próxima vez."""


@dataclass(frozen=True)
class _Unsaved:
    spent: str = field(repr=False)
    """O refresh token que o par substitui; vazio antes da primeira autorização."""
    token: Token
    where: Path | None


class PairKeeper:
    """Guarda o par que espera pelo banco, na memória e no arquivo."""

    def __init__(self, aside: SetAside, clock: Clock, on_unsaved: Callable[[bool], None]) -> None:
        """`on_unsaved` recebe True quando o banco não aceita um par já trocado no Bling, e False quando isso passa."""
        self._aside = aside
        self._clock = clock
        self._on_unsaved = on_unsaved
        self._unsaved: _Unsaved | None = None

    def waiting(self, stored: Token | None) -> Token | None:
        """O par que já substituiu no Bling o que o banco tem. ConfigurationError se está num arquivo que não se lê."""
        spent = _refresh_of(stored)
        if self._unsaved and self._unsaved.spent == spent:
            return self._unsaved.token
        if self._unsaved:
            self._settled(self._unsaved.spent)  # alguém autorizou de novo: o par que esperava não faz falta
        return self._aside.find(spent) if spent else None

    async def save(self, tokens: LockedTokens, fresh: Token, *, instead_of: Token | None) -> Token:
        """Grava `fresh`, insistindo, e devolve o que ficou gravado.

        DatabaseError se o banco não o aceita: o par espera na memória e no arquivo.
        """
        spent = _refresh_of(instead_of)
        failure: DatabaseError | None = None
        for wait in (0.0, *SAVE_WAITS):
            try:
                if failure is not None:
                    await self._clock.sleep(wait)
                    stored = await tokens.read()
                    if _refresh_of(stored) != spent and stored is not None:
                        fresh = stored  # a gravação tinha chegado, ou alguém autorizou de novo nesse meio tempo
                        break
                await tokens.save(fresh)
                break
            except DatabaseError as error:
                failure = error
                self._set_aside(spent, fresh, error)  # já: o processo pode morrer enquanto insiste
        else:
            raise DatabaseError(
                f"O Bling trocou o par de tokens e o banco não aceitou o novo. {self._place()} {failure}"
            ) from failure
        self._settled(spent)
        return fresh

    def _set_aside(self, spent: str, fresh: Token, error: DatabaseError) -> None:
        before = self._unsaved
        another = before is None or before.token != fresh  # uma autorização nova, com outro par ainda à espera
        if another or (before and before.where is None):
            self._unsaved = _Unsaved(spent, fresh, self._put(spent, fresh))
        if another:
            logger.critical("O Bling trocou o par de tokens e o novo não foi gravado. %s %s", self._place(), error)
        if before is None:
            self._on_unsaved(True)

    def _put(self, spent: str, fresh: Token) -> Path | None:
        try:
            return self._aside.put(spent, fresh) if spent else None
        except OSError as error:
            logger.error("O par novo não pôde ser guardado num arquivo: %s.", os_cause(error))
            return None

    def _place(self) -> str:
        where = self._unsaved.where if self._unsaved else None
        if where:
            return f"Ele está guardado em {where} e é gravado assim que o banco o aceitar."
        return "Ele está só na memória deste processo: não o encerre antes de o banco voltar."

    def _settled(self, spent: str) -> None:
        taken_up = self._aside.drop(spent)  # o par pode ter ficado de outro processo, e o alarme dele também
        if self._unsaved or taken_up:
            self._unsaved = None
            logger.warning("O banco tem outra vez o par de tokens que vale.")
            self._on_unsaved(False)


def _refresh_of(token: Token | None) -> str:
    return token.refresh_token if token else ""
