"""What holds for API clients: quotas, idle time, the life of credentials. Pure decisions.

The figures stand in `client_rules.toml`, a table for each audience. A quota that the agency has
set for one client goes before them.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.identity.scopes import Audience
from app.kernel.errors import Problem

OVERLAP_MAX = timedelta(days=30)
CREDENTIALS_MAX = 5
CLIENTS_MAX = 20
NAME_MAX = 100
PROOF_LIFE = timedelta(minutes=10)
QUOTA_MAX = 1_000_000_000
FILE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class ClientRules:
    """Requests allowed in a minute and a day (UTC); days without use to the letter, to the end."""

    per_minute: int
    per_day: int
    warn_after: timedelta
    suspend_after: timedelta

    @property
    def notice(self) -> timedelta:
        """How long before the suspension the letter has to be out."""
        return self.suspend_after - self.warn_after


def read_rules(text: str) -> dict[Audience, ClientRules]:
    """The rules of each audience; `ValueError` for a missing, unknown or senseless figure."""
    tables: dict[str, dict[str, Any]] = tomllib.loads(text)
    if set(tables) != {one.value for one in Audience}:
        msg = f"The client rules need one table for each of: {', '.join(Audience)}"
        raise ValueError(msg)
    found = {}
    for name, table in tables.items():
        names = {"per_minute", "per_day", "warn_after_days", "suspend_after_days"}
        whole = all(type(figure) is int and figure > 0 for figure in table.values())
        if set(table) != names or not whole:
            msg = f"{name}: give {', '.join(sorted(names))} as whole numbers above 0"
            raise ValueError(msg)
        if table["warn_after_days"] >= table["suspend_after_days"]:
            msg = f"{name}: the letter has to come before the suspension"
            raise ValueError(msg)
        found[Audience(name)] = ClientRules(
            per_minute=table["per_minute"],
            per_day=table["per_day"],
            warn_after=timedelta(days=table["warn_after_days"]),
            suspend_after=timedelta(days=table["suspend_after_days"]),
        )
    return found


RULES: Mapping[Audience, ClientRules] = read_rules(FILE.read_text("utf-8"))


class IdleStep(StrEnum):
    """What the daily review does about a client."""

    NOTHING = "nothing"
    WARN = "warn"
    SUSPEND = "suspend"


def suspension_due(
    rules: ClientRules, *, idle_since: datetime, warned_at: datetime | None
) -> datetime | None:
    """When a client that stays idle is suspended; `None` while nobody has been warned of it.

    Nobody is suspended unwarned: where the job did not run for a while, the letter goes out
    first and the suspension follows after the whole notice.
    """
    if warned_at is None or warned_at < idle_since:
        return None
    return max(idle_since + rules.suspend_after, warned_at + rules.notice)


def idle_step(
    rules: ClientRules, *, idle_since: datetime, warned_at: datetime | None, now: datetime
) -> IdleStep:
    """What is due for a client that was last used, woken or made at `idle_since`."""
    due = suspension_due(rules, idle_since=idle_since, warned_at=warned_at)
    if due is None:
        return IdleStep.WARN if now >= idle_since + rules.warn_after else IdleStep.NOTHING
    return IdleStep.SUSPEND if now >= due else IdleStep.NOTHING


def name_problems(name: str) -> list[Problem]:
    """What is wrong with a client's name."""
    if name and len(name) <= NAME_MAX and name.isprintable():
        return []
    return [
        Problem(
            "Give a name of at most %(most)s characters.",
            field="name",
            code="name",
            params={"most": NAME_MAX},
        )
    ]


def overlap_problems(overlap: timedelta) -> list[Problem]:
    """What is wrong with the time for which earlier credentials live on beside a new one."""
    if timedelta() <= overlap <= OVERLAP_MAX:
        return []
    return [
        Problem(
            "The earlier ones can live on for %(days)s days at most.",
            field="overlap",
            code="overlap",
            params={"days": OVERLAP_MAX.days},
        )
    ]


def quota_problems(per_minute: int | None, per_day: int | None) -> list[Problem]:
    """What is wrong with a client's own quota; an empty one falls back to the audience's."""
    return [
        Problem(
            "Write a whole number from 1 to %(most)s, or leave it empty.",
            field=name,
            code="quota",
            params={"most": QUOTA_MAX},
        )
        for name, value in (("per_minute", per_minute), ("per_day", per_day))
        if value is not None and not 1 <= value <= QUOTA_MAX
    ]
