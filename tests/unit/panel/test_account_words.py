"""A situação de uma conta, dita igual em todas as páginas."""

from datetime import date

import pytest

from bling_collector.web.panel.tables.accounts import state

HOJE = date(2026, 2, 20)


@pytest.mark.parametrize(
    ("code", "due", "gone", "said"),
    [
        (1, date(2026, 2, 20), False, ("Em aberto", "neutral")),
        (1, date(2026, 2, 19), False, ("Em aberto, vencida", "bad")),
        (1, None, False, ("Em aberto", "neutral")),
        (3, date(2026, 2, 19), False, ("Paga em parte, vencida", "bad")),
        (3, date(2026, 3, 1), False, ("Paga em parte", "warning")),
        (2, date(2020, 1, 1), False, ("Paga", "good")),
        (6, date(2020, 1, 1), False, ("Devolvida em parte", "bad")),
        (1, date(2020, 1, 1), True, ("Excluída no Bling", "warning")),
        (None, None, False, ("Sem situação", "neutral")),
        (12, None, False, ("Situação 12", "neutral")),
    ],
)
def test_an_account_in_words(code: int | None, due: date | None, *, gone: bool, said: tuple[str, str]) -> None:
    assert state(code, due, HOJE, gone=gone) == said
