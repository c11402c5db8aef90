"""Números, dinheiro e tempo como as pessoas os dizem."""

from datetime import datetime
from decimal import Decimal

from bling_collector.clock import BRASILIA


def number(value: int) -> str:
    """1234567 → 1.234.567."""
    return f"{value:,}".replace(",", ".")


def money(value: Decimal) -> str:
    """1234.5 → 1.234,50."""
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def duration(seconds: float) -> str:
    """O tempo como as pessoas o dizem: 45 s, 3 min 20 s, 1 h 05 min."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def moment(iso: str | None) -> str:
    """Uma hora em UTC, no relógio de Brasília."""
    return f"{datetime.fromisoformat(iso).astimezone(BRASILIA):%d/%m/%Y %H:%M}" if iso else "—"
