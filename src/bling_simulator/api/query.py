"""Os parâmetros de uma consulta, lidos com as manias do Bling.

Um parâmetro desconhecido é ignorado em silêncio (medido); um vazio vale como ausente.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from starlette.datastructures import QueryParams

from bling_simulator.answers import invalid
from bling_simulator.clock import Clock, local_now
from bling_simulator.company.invoices.invoice import STAMP
from bling_simulator.settings import SimulatorSettings

_LARGEST_PAGE = 100


@dataclass(frozen=True)
class Interval:
    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment <= self.end


class Query:
    def __init__(self, params: QueryParams, now: datetime, most_values: int | None = None) -> None:
        self._params = params
        self._now = now
        self._most_values = most_values

    def text(self, name: str) -> str | None:
        return self._params.get(name) or None

    def integer(self, name: str) -> int | None:
        """O inteiro dado; 400 se não é inteiro."""
        raw = self.text(name)
        if raw is None:
            return None
        try:
            return int(raw)
        except ValueError:
            raise invalid(name, f"O valor de {name} deve ser um número inteiro.") from None

    def choice(self, name: str, allowed: range, default: int | None = None) -> int | None:
        """Um inteiro entre os permitidos; 400 se é outro."""
        value = self.integer(name)
        if value is None:
            return default
        if value not in allowed:
            raise invalid(name, f"O valor de {name} é inválido.")
        return value

    def letter(self, name: str, allowed: str, default: str) -> str:
        """Uma letra entre as permitidas; 400 se é outra coisa."""
        value = self.text(name) or default
        if len(value) != 1 or value not in allowed:
            raise invalid(name, f"O valor de {name} é inválido.")
        return value

    def many(self, name: str) -> frozenset[str]:
        """Os valores repetidos de `nome[]`; 400 se são demais."""
        given = self._params.getlist(name)
        if self._most_values is not None and len(given) > self._most_values:
            raise invalid(name, f"O máximo de valores de {name} é {self._most_values}.")
        return frozenset(value for value in given if value)

    def page(self) -> tuple[int, int]:
        """(`pagina`, `limite`), conferidos: `limite` acima de 100 é recusado (medido)."""
        pagina, limite = self.integer("pagina"), self.integer("limite")
        pagina = 1 if pagina is None else pagina
        limite = _LARGEST_PAGE if limite is None else limite
        if pagina < 1:
            raise invalid("pagina", "O valor mínimo de pagina é 1.")
        if not 1 <= limite <= _LARGEST_PAGE:
            raise invalid("limite", f"O valor de limite deve estar entre 1 e {_LARGEST_PAGE}.")
        return pagina, limite

    def interval(self, prefix: str, *, bare_dates_get_time_of_day: bool) -> Interval | None:
        """O período `prefixInicial`..`prefixFinal`, com as duas pontas dentro.

        Sem uma das pontas o filtro é ignorado (medido em /produtos, suposto nos outros). Uma data sem
        hora vale o dia inteiro ou, com `bare_dates_get_time_of_day`, ganha a hora do momento (medido em
        /nfe). Mais de um ano entre as pontas é 400.
        """
        first, last = self.text(f"{prefix}Inicial"), self.text(f"{prefix}Final")
        if first is None or last is None:
            return None
        of_day = self._now.time() if bare_dates_get_time_of_day else None
        start = _moment(f"{prefix}Inicial", first, of_day or time())
        end = _moment(f"{prefix}Final", last, of_day or time(23, 59, 59))
        if end > _a_year_after(start):
            raise invalid(f"{prefix}Final", "O período não pode ser maior que 1 ano.")
        return Interval(start, end)


def days_asked(settings: SimulatorSettings, clock: Clock, query: Query) -> tuple[str, str]:
    """O primeiro e o último dia de `data` que um pedido ou uma proposta pode ter; sem período, o que abraça tudo."""
    interval = query.interval("data", bare_dates_get_time_of_day=False)
    if interval is None or settings.order_filters_are_ignored:
        return "", "~"
    first, last, today = interval.start.date(), interval.end.date(), local_now(clock).date()
    if last == today and settings.order_list_final_date_excludes_today:
        last -= timedelta(days=1)
    return first.isoformat(), last.isoformat()


def _moment(name: str, raw: str, time_of_day: time) -> datetime:
    try:
        if len(raw) == 10:
            return datetime.combine(datetime.strptime(raw, "%Y-%m-%d"), time_of_day)  # noqa: DTZ007 - Brasília
        return datetime.strptime(raw, STAMP)  # noqa: DTZ007 - hora de Brasília, sem fuso
    except ValueError:
        raise invalid(name, f"A data informada em {name} é inválida.") from None


def _a_year_after(moment: datetime) -> datetime:
    try:
        return moment.replace(year=moment.year + 1)
    except ValueError:  # 29 de fevereiro
        return moment.replace(year=moment.year + 1, month=3, day=1)
