"""Os limites do Bling numa linha do banco, para todos os processos que os dividem: os da conta, que são o ritmo, a cota
do dia e o disjuntor, e o do IP, que é o dos pedidos de token.

Um comando só reserva a vez, com a linha trancada e a hora do banco: quem chega depois vê a vez de quem chegou antes.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row as SqlRow
from sqlalchemy import TextClause
from sqlalchemy.dialects.postgresql import insert

from bling_collector.api import limit_statements as statements
from bling_collector.api import pace
from bling_collector.api.rate_limit import Turn
from bling_collector.clock import BRASILIA, Clock, SystemClock
from bling_collector.db.connection.core import AsyncEngine
from bling_collector.db.connection.patience import patiently
from bling_collector.db.models import limites_bling
from bling_collector.errors import BlingPausedError, DailyLimitError
from bling_collector.words import number

log = logging.getLogger(__name__)

LEASE: Final = 100
"""Requisições que um processo sem ritmo toma da cota de cada vez; as que não usa, devolve."""
LEASE_LIFE: Final = 5.0
"""Segundos depois dos quais um processo sem ritmo volta a olhar o que os outros fizeram."""
_AHEAD_FOR: Final = 30.0
"""Segundos por que vale o que se viu da diferença entre a hora do banco e a daqui."""
_REASONS: Final = {
    "falhas": "falhou muitas vezes seguidas",
    "erros": "respondeu com erros demais em poucos segundos",
    "bloqueio": "respondeu como a um IP bloqueado por excesso de requisições",
}


class _Limits:
    """A linha, e quem a muda."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._clock = clock
        self._now: Callable[[], datetime | None] = (lambda: None) if isinstance(clock, SystemClock) else clock.now
        """None: a hora é a do banco, que é a mesma para todos os processos."""
        self._fixed: dict[str, object] = {}

    async def _execute(self, statement: TextClause, values: Mapping[str, object]) -> SqlRow[Any]:
        async def once() -> SqlRow[Any]:
            async with self._engine.connect() as connection:
                parameters = {**self._fixed, **values, "now": self._now()}
                found = (await connection.execute(statement, parameters)).one_or_none()
                if found is None:  # a linha nasce com o primeiro que a procura
                    await connection.execute(insert(limites_bling).values(id=1).on_conflict_do_nothing())
                    found = (await connection.execute(statement, parameters)).one()
                return found

        return await patiently(once)


class IpLimits(_Limits):
    """O que o Bling conta por IP, de todas as contas que nele se coletam."""

    async def token_call(self) -> None:
        """Conta um pedido de token. BlingPausedError se já foram muitos no último minuto; nada deve ser enviado."""
        row = await self._execute(statements.TOKEN_CALL, {})
        if not row.dado:
            raise BlingPausedError(
                f"Já foram {pace.MOST_TOKEN_CALLS} pedidos de token no último minuto, e com mais alguns o Bling "
                "bloquearia este IP por uma hora. Este não foi enviado; espere um minuto. Se há um agendamento que "
                "repete o comando sem parar, desligue-o.",
                wait=row.espera,
            )

    async def lease(self, wanted: int, each: float) -> float:
        """Toma `wanted` das requisições do IP, `each` segundos cada uma; devolve quantos esperar por elas."""
        row = await self._execute(statements.IP_LEASE, {"wanted": wanted, "each": each})
        return max(float(row.espera), 0.0)

    async def erred(self) -> None:
        """Conta uma resposta de erro, de uma conta qualquer."""
        await self._execute(statements.IP_ERROR, {})


class PgRateLimiter(_Limits):
    """O limitador dos processos que dividem uma conta: uma janela deslizante estrita, numa linha do banco.

    Uma requisição nunca começa antes de um segundo, e da margem, depois da que está `limit` posições atrás, nem antes
    de `spacing` depois da anterior. A margem existe porque o Bling conta as chegadas, e a rede as aproxima (medido).
    Um 429 corta o ritmo à metade, e as respostas aceitas o devolvem aos poucos.

    `spacing=0` desliga o ritmo: a cota ainda é contada, aos lotes, e o disjuntor ainda vale.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        *,
        spacing: float = pace.SPACING,
        limit: int = pace.PER_SECOND,
        per_day: int = pace.PER_DAY,
        reserve: int = 0,
        margin: float = pace.MARGIN,
    ) -> None:
        super().__init__(engine, clock)
        self._fixed = {"spacing": spacing, "limit": limit, "margin": margin, "per_day": per_day, "kept": reserve}
        self._paced = spacing > 0
        self._turn = asyncio.Lock()
        self._left = 0
        self._lease_until = float("-inf")
        self._held_until = float("-inf")
        self._recovering = True
        self._ahead = self._ahead_before = float("inf")
        """Quanto a hora daqui está adiante da do banco."""
        self._ahead_until = float("-inf")
        self._alone = False

    async def reserve(self) -> Turn:
        async with self._turn:
            if self._left and self._clock.monotonic() < self._lease_until:
                self._left -= 1
                self._alone = False
                return Turn(max(self._held_until - self._clock.monotonic(), 0.0))
            turn = await self._ask()
        if turn.wait >= -pace.LATENESS or not self._paced:
            return replace(turn, wait=max(turn.wait, 0.0))
        return replace(await self.reserve_again(), alone=turn.alone)

    async def _ask(self) -> Turn:
        wanted = {"wanted": 1 if self._paced else LEASE, "unused": self._left}
        row = await self._execute(statements.RESERVE, wanted)
        self._left = 0
        self._recovering = row.recuperando
        self._alone = row.sozinha
        if row.recusa in ("esgotada", "reserva"):
            raise DailyLimitError(_day_is_over(row))
        if row.recusa:
            raise self._paused(row)
        self._left = row.dadas - 1
        now = self._clock.monotonic()
        self._lease_until, self._held_until = now + LEASE_LIFE, now + row.espera
        return Turn(self._until(row) if self._paced else float(row.espera), alone=row.sozinha)

    async def reserve_again(self) -> Turn:
        if not self._paced:
            return Turn(0.0)
        for _try in range(pace.MOST_LOST_TURNS):
            wait = self._until(await self._execute(statements.RESERVE, {"wanted": 0, "unused": 0}))
            if wait >= -pace.LATENESS:
                break
        return Turn(max(wait, 0.0))

    def _until(self, row: SqlRow[Any]) -> float:
        """Segundos até à vez, que o banco diz na hora dele; negativos se ela já passou.

        Contados da chegada da resposta, e não da hora do banco, uma máquina ocupada por um décimo de segundo, com a
        resposta já no soquete, bastava para quatro chegadas num segundo (medido). A diferença entre as duas horas é a
        menor que se viu há pouco, que é a da resposta mais rápida: o banco pode estar longe.
        """
        now = self._clock.monotonic()
        if now >= self._ahead_until:
            self._ahead_before, self._ahead, self._ahead_until = self._ahead, float("inf"), now + _AHEAD_FOR
        self._ahead = min(self._ahead, now - row.agora)
        # A um microssegundo, que é até onde a hora do banco vai: o resto é do arredondamento.
        return round(float(row.agora + row.espera + min(self._ahead, self._ahead_before) - now), 6)

    async def accepted(self, *, error: bool = False) -> None:
        if error or self._recovering or self._alone:
            await self._answered(errors=int(error))

    async def throttled(self) -> None:
        await self._answered(errors=1, throttled=True)

    async def failed(self, *, blocked: bool = False, probe: bool = False, again: bool = False) -> None:
        failures = pace.BLOCKED_WEIGHT if blocked else int(not again)
        await self._answered(errors=1, failed=True, failures=failures, blocked=blocked, probe=probe)

    async def exhausted(self) -> None:
        await self._answered(errors=1, exhausted=True)

    async def aclose(self) -> None:
        """Devolve à cota o que não foi usado."""
        if self._left:
            await self._execute(statements.GIVE_BACK, {"unused": self._left})
            self._left = 0

    async def _answered(
        self,
        *,
        errors: int,
        failed: bool = False,
        failures: int = 0,
        throttled: bool = False,
        blocked: bool = False,
        probe: bool = False,
        exhausted: bool = False,
    ) -> None:
        facts = {
            "errors": errors,
            "failed": failed,
            "failures": failures,
            "throttled": throttled,
            "blocked": blocked,
            "probe": probe,
            "exhausted": exhausted,
        }
        async with self._turn:
            row = await self._execute(statements.ANSWERED, facts)
        self._recovering = row.recuperando
        if throttled or failed or exhausted:
            self._lease_until = float("-inf")  # o que se sabia antes não vale mais
        if row.abriu:
            log.error("%s", self._paused(row))

    def _paused(self, row: SqlRow[Any]) -> BlingPausedError:
        until = row.pausada_ate.astimezone(BRASILIA)
        return BlingPausedError(
            f"O Bling {_REASONS[row.pausa_motivo]}, e por isso nada mais lhe é pedido até as {until:%H:%M:%S} de "
            "Brasília, quando uma requisição só, de prova, dirá se já se pode continuar. O que faltou fica devido.",
            wait=row.espera,
        )


def _day_is_over(row: SqlRow[Any]) -> str:
    tomorrow = "Nada mais é pedido até a meia-noite de Brasília; o que faltou fica devido e é coletado depois dela."
    if row.recusa == "esgotada":
        return f"O Bling disse que a cota diária da conta acabou. {tomorrow}"
    return (
        f"O coletor já fez hoje {number(row.usadas)} das {number(row.limite)} requisições da cota da conta, e deixa "
        f"{number(row.reserva)} para os outros aplicativos dela (API_DAILY_RESERVE). {tomorrow}"
    )
