"""How the plain values of a snapshot read on a page: the same before and after it is frozen."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from app.traders.forms import country_name
from app.web.filters import day, when


@dataclass(frozen=True, slots=True)
class Shown:
    """Turns ISO codes, ISO 8601 texts and decimal texts into words."""

    def country(self, code: str) -> str:
        """The name of a country."""
        return country_name(code)

    def day(self, text: str) -> str:
        """A day from `2026-11-24`."""
        return day(date.fromisoformat(text))

    def instant(self, text: str) -> str:
        """An instant from its ISO 8601 text."""
        return when(datetime.fromisoformat(text))

    def amount(self, text: str) -> str:
        """An amount of dollars with thousands set apart; cents only where there are any."""
        amount = Decimal(text)
        whole = amount == amount.to_integral_value()
        return f"{amount:,.0f}" if whole else f"{amount:,.2f}"
