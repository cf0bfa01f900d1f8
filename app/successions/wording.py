"""Successions in words: grounds, fates, states. English source texts, which the page translates."""

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.successions.workflow import Fate, Ground, SuccessionState

GROUNDS: Final[Mapping[Ground, str]] = {
    Ground.LEFT: "has left the company",
    Ground.DIED: "has died",
    Ground.UNREACHABLE: "cannot be reached",
    Ground.NO_AUTHORITY: "may no longer sign for the company",
    Ground.NOBODY: "there was no officer",
}
"""As a letter says it."""
GROUND_CHOICES: Final[Mapping[Ground, object]] = {
    Ground.LEFT: _l("They have left the company"),
    Ground.DIED: _l("They have died"),
    Ground.UNREACHABLE: _l("They cannot be reached"),
    Ground.NO_AUTHORITY: _l("They work on, and may no longer sign for the company"),
    Ground.NOBODY: _l("There is no officer"),
}
FATES: Final[Mapping[Fate, object]] = {
    Fate.END: _l("They end at once"),
    Fate.PREPARE: _l("They go on as preparer: they prepare, and sign nothing"),
}
STATES: Final[Mapping[SuccessionState, tuple[object, str]]] = {
    SuccessionState.PROPOSED: (_l("Waits for the second signature"), "warning"),
    SuccessionState.APPROVED: (_l("Approved"), "success"),
    SuccessionState.DECLINED: (_l("Declined"), "neutral"),
    SuccessionState.WITHDRAWN: (_l("Taken back"), "neutral"),
}
