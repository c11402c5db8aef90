"""De quem são os dados: nada é gravado nos de uma empresa com a autorização de outra."""

import logging
from collections.abc import Mapping
from typing import Final

from bling_collector.api.bling_client import BlingClient
from bling_collector.clock import Clock
from bling_collector.db import empresa as stored
from bling_collector.db import proof
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.documentos import ROOT, masked
from bling_collector.empresa import PATH, Empresa, read_empresa
from bling_collector.errors import (
    AnotherCompanyError,
    BlingError,
    BlingMovedError,
    BlingNotFoundError,
    DailyLimitError,
    UsageError,
)
from bling_collector.payload import text
from bling_collector.streams.notas.nfe import NFE

log = logging.getLogger(__name__)

_CREATE: Final = (
    "Para coletar também a outra, crie uma empresa para ela: `bling-collector empresas add NOME` e `bling-collector "
    "--empresa NOME auth`"
)
_ATTEMPTS: Final = 2
"""Não se espera muito por esta resposta: sem ela a coleta segue, e quem autoriza está diante da tela."""
_WITNESSES: Final = 3
"""Notas guardadas que se pedem ao Bling quando nem o CNPJ delas diz que são desta empresa."""


async def confirm_empresa(engine: AsyncEngine, client: BlingClient, clock: Clock, told: Empresa | None = None) -> None:
    """Pergunta ao Bling de quem é a conta, se ele ainda não o disse (`told`), e a compara com a guardada; da primeira
    vez, guarda-a.

    AnotherCompanyError se é outra, e nada muda. Não saber não é ser outra: se o aplicativo não pode perguntar, ou a
    resposta não vem, fica anotado e a coleta segue. Os erros que dizem respeito a tudo (a autorização, a cota do dia)
    sobem como são.
    """
    found = told or await ask_empresa(client)
    if found is None:
        return
    async with engine.connect() as connection:
        ours = await stored.load(connection)
        if found == ours:
            return
        same = found.is_same(ours) if ours is not None else None
        issuers = await stored.issuers(connection) if ours is None else set()
        witnesses = await proof.living(connection, NFE.table, (), _WITNESSES) if same is None else {}
    if same is None:
        same = await _answers_for(client, found, issuers, witnesses)
    if same is None:
        return
    if not same:
        raise AnotherCompanyError(_another(found, _owner(ours, issuers)))
    if ours is not None and found.cnpj != ours.cnpj:
        log.warning("A conta do Bling é a mesma, e o CNPJ dela mudou: %s é agora %s.", ours.name, found.name)
    async with engine.begin() as connection:
        await stored.save(connection, found, clock.now())


async def forget_empresa(engine: AsyncEngine) -> None:
    """Esquece-se de quem são os dados, se nada foi coletado. UsageError se algo foi."""
    async with engine.begin() as connection:
        if await stored.holds_data(connection):
            ours = await stored.load(connection)
            raise UsageError(
                f"O que já se coletou é de {ours.name if ours else 'uma empresa'}, e não pode passar a ser de outra. "
                f"{_CREATE}."
            )
        await stored.forget(connection)


async def ask_empresa(client: BlingClient) -> Empresa | None:
    """De quem é a conta; None se não se pôde saber."""
    try:
        found = read_empresa(await client.get(PATH, attempts=_ATTEMPTS, patience=0))
    except (DailyLimitError, BlingMovedError):
        raise
    except BlingError as error:
        log.warning("Não se sabe de que empresa é a conta do Bling: %s", error)
        return None
    if found is None:
        log.warning("Não se sabe de que empresa é a conta do Bling: a resposta não traz o id nem o CNPJ.")
    return found


async def _answers_for(
    client: BlingClient, found: Empresa, issuers: set[str], witnesses: Mapping[int, str | None]
) -> bool | None:
    """Se os dados do banco são desta conta; None se não se pôde saber.

    Pelo CNPJ de quem emitiu as notas e, se não é o dela, pelas próprias notas: basta que o Bling responda por uma das
    que se pedem, com o número que o banco tem.
    """
    if not witnesses or (found.cnpj and found.cnpj[:ROOT] in {cnpj[:ROOT] for cnpj in issuers}):
        return True
    for id_, numero in witnesses.items():
        try:
            document = await client.detail(NFE.path, id_)
        except BlingNotFoundError:
            continue
        except DailyLimitError:
            raise
        except BlingError as error:
            log.warning("Não se sabe se os dados que estão aqui são de %s: %s", found.name, error)
            return None
        if text(document.get("numero")) == numero:  # um id pode existir também na conta de outro
            return True
    return False


def _owner(ours: Empresa | None, issuers: set[str]) -> str:
    if ours is not None:
        return ours.name
    return f"quem emitiu as notas dele (CNPJ {', '.join(map(masked, sorted(issuers)))})" if issuers else "outra"


def _another(found: Empresa, ours: str) -> str:
    who = f"de {found.name}, e não de {ours}, de quem são"
    if found.name == ours:
        who = f"outra conta de {found.name}, que não tem"
    return (
        f"A conta do Bling que se autorizou é {who} os dados que estão aqui. Nada foi mudado. Para seguir com eles, "
        f"autorize a conta de quem são (`bling-collector auth`). {_CREATE}. Se nada foi coletado ainda, "
        "`bling-collector auth --trocar-empresa` aceita a conta que se autorizar."
    )
