"""What a token may be for.

A client's scopes all belong to one audience; each API refuses the other's tokens.
"""

from collections.abc import Iterable
from enum import StrEnum

from app.authz.permissions import Permission


class Audience(StrEnum):
    """Which API a token is for."""

    INTERNAL = "fairway-api"
    TRADER = "fairway-trader"


SCOPES: dict[Audience, frozenset[str]] = {
    Audience.INTERNAL: frozenset(
        {
            Permission.STATUS_READ.value,
            Permission.FEED_READ.value,
            Permission.DECISIONS_WRITE.value,
            Permission.DECISIONS_READ.value,
        }
    ),
    Audience.TRADER: frozenset(
        {
            Permission.TRADER_API_FILE.value,
            Permission.TRADER_API_READ.value,
            Permission.TRADER_API_STATUS.value,
        }
    ),
}

PREFIXES = {Audience.INTERNAL: "/api/", Audience.TRADER: "/trader/"}


def audience_of(scopes: Iterable[str]) -> Audience | None:
    """The one audience that has all of `scopes`; `None` for none, unknown or mixed ones."""
    wanted = frozenset(scopes)
    return next((one for one, known in SCOPES.items() if wanted and wanted <= known), None)


def audience_at(path: str) -> Audience | None:
    """The audience whose tokens are good at this address."""
    return next((one for one, prefix in PREFIXES.items() if path.startswith(prefix)), None)
