"""As empresas de um banco, cada uma com o seu juízo: o que a página que as reúne e `empresas list` mostram."""

import asyncio
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bling_collector import words
from bling_collector.auth.token_cipher import TokenCipher
from bling_collector.config import Settings
from bling_collector.config.companies import PRINCIPAL
from bling_collector.db.companies.schemas import of_company, sharing
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.connection.database import explained
from bling_collector.db.migrations import HEAD
from bling_collector.db.schema import current_revision, up_to_date
from bling_collector.errors import CollectorError, ConfigurationError
from bling_collector.insight.situation import load_judged
from bling_collector.insight.verdict import BAD, GOOD, NEUTRAL, RUNNING, WARNING

_AT_ONCE: Final = 3
"""Empresas que se olham ao mesmo tempo: as conexões são também das outras páginas."""
_WORST_FIRST: Final = (BAD, WARNING, RUNNING, GOOD, NEUTRAL)


@dataclass(frozen=True)
class ShownCompany:
    """Uma empresa: o nome que tem aqui, o que o Bling lhe dá, o juízo, a idade dos dados e o que se deve."""

    nome: str
    titulo: str | None
    cnpj: str | None
    caso: str
    tom: str
    frase: str
    lido_em: datetime | None
    pendencias: int
    janelas: int
    autorizada: bool

    def matches(self, searched: str) -> bool:
        """Se o nome, aqui ou no Bling, tem todas estas palavras, sem ligar a acentos."""
        known = _folded(f"{self.nome} {self.titulo or ''}")
        return all(word in known for word in _folded(searched).split())

    @property
    def is_well(self) -> bool:
        """Se nada pede a atenção de ninguém; a que ainda não começou também não."""
        return self.tom != BAD

    @property
    def asks(self) -> bool:
        """Se alguma coisa se espera de alguém: também a que ainda não começou, que falta autorizar ou carregar."""
        return self.tom not in (GOOD, RUNNING)

    @property
    def owed(self) -> int:
        return self.pendencias + self.janelas


async def load_company(engine: AsyncEngine, settings: Settings, now: datetime) -> ShownCompany:
    """A empresa das configurações, em `now`; um erro do banco dela é o que se mostra dela."""
    (found,) = await load_companies(engine, settings, [settings.company], now)
    return found


_SAME_AS: Final = "A conta do Bling desta empresa é a mesma de"
_TWICE: Final = "coleta-se tudo duas vezes, e as duas gastam a mesma cota."
SAME_ACCOUNT: Final = f"{_SAME_AS} outra empresa daqui: {_TWICE} Diga-o a quem cuida do serviço."
"""O mesmo que `same_account`, para quem só pode saber da sua empresa: que outras há não é com ele."""


def same_account(others: Sequence[str]) -> str:
    """O que se diz de uma empresa cuja conta do Bling é também a destas."""
    return (
        f"{_SAME_AS} {', '.join(others)}: {_TWICE} Autorize a conta certa (`bling-collector auth --trocar-empresa`, se "
        "ainda nada se coletou) ou tire uma com `bling-collector empresas remove`."
    )


def _noting(found: ShownCompany, shared: Mapping[str, Sequence[str]], *, naming: bool) -> ShownCompany:
    """A mesma, dizendo se a conta do Bling dela é também de outra, se não há nada pior que dizer."""
    if found.nome not in shared or found.tom in (BAD, WARNING):
        return found
    said = same_account(shared[found.nome]) if naming else SAME_ACCOUNT
    return replace(found, caso="mesma-conta", tom=WARNING, frase=said)


def _said_of_it(found: ShownCompany) -> ShownCompany:
    """A mesma, com os comandos que a frase manda digitar ditos dela."""
    if found.nome == PRINCIPAL:
        return found
    return replace(found, frase=words.of_company(found.frase, found.nome))


async def _load(engine: AsyncEngine, settings: Settings, now: datetime, *, ready: bool) -> ShownCompany:
    """`ready` é se se sabe que as tabelas estão em dia."""
    ours = of_company(engine, settings.empresa)
    try:
        async with explained(engine.url):
            if not ready and (revision := await current_revision(ours)) != HEAD:
                return _unread(settings, f"As tabelas estão na revisão {revision or 'nenhuma'}, e não na {HEAD}.")
            found = await load_judged(
                ours,
                TokenCipher(settings.token_keys),
                now,
                no_run_hours=settings.alert_no_run_hours,
                missing=_missing(settings),
                recursos=settings.recursos,
            )
    except CollectorError as error:
        return _unread(settings, str(error))
    status, whose = found.standing, found.standing.empresa
    return ShownCompany(
        nome=settings.company,
        titulo=whose.nome if whose else None,
        cnpj=whose.cnpj if whose else None,
        caso=found.verdict.case,
        tom=found.verdict.tone,
        frase=found.verdict.sentence,
        lido_em=status.freshness.read_at,
        pendencias=status.owed.pendencias,
        janelas=status.owed.janelas,
        autorizada=status.oauth.has_token and not status.oauth.needs_authorization,
    )


async def load_companies(
    engine: AsyncEngine, settings: Settings, names: Sequence[str], now: datetime, *, naming: bool = True
) -> list[ShownCompany]:
    """As empresas, a que mais pede atenção primeiro; as configurações são as da principal. Sem `naming`, o que se diz
    de uma não diz o nome de outra."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> ShownCompany:
        async with turns:
            return await _load(engine, settings.of(name), now, ready=name in ready)

    shared, ready = await sharing(engine), await up_to_date(engine, names)
    found = [_said_of_it(_noting(each, shared, naming=naming)) for each in await asyncio.gather(*map(one, names))]
    return sorted(found, key=lambda each: (_WORST_FIRST.index(each.tom), each.nome))


def _folded(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _unread(settings: Settings, why: str) -> ShownCompany:
    return ShownCompany(settings.company, None, None, "banco", BAD, why, None, 0, 0, autorizada=False)


def _missing(settings: Settings) -> str | None:
    try:
        _ = settings.credentials
    except ConfigurationError as error:
        return str(error)
    return None
