"""What is read of the register."""

from app.register.queries.answers import (
    OLDEST_DATA_MS,
    Head,
    answer,
    answers,
    changes,
    head,
    holdings,
)
from app.register.queries.determinations import (
    STATE,
    breaches,
    determinations_of,
    determinations_open,
    visible_determination,
)
from app.register.queries.standings import (
    described,
    from_on,
    history_of,
    partners,
    standing_of,
    standing_of_entry,
    standings_of,
    versions_of,
)

__all__ = [
    "OLDEST_DATA_MS",
    "STATE",
    "Head",
    "answer",
    "answers",
    "breaches",
    "changes",
    "described",
    "determinations_of",
    "determinations_open",
    "from_on",
    "head",
    "history_of",
    "holdings",
    "partners",
    "standing_of",
    "standing_of_entry",
    "standings_of",
    "versions_of",
    "visible_determination",
]
