"""How long a question waits, who may ask, and how both sides stand: pure decisions."""

from datetime import datetime, timedelta
from typing import Final

from app.kernel.errors import Problem
from app.verifications.workflow import ConsentState, VerificationState

WAITS: Final = timedelta(days=30)
"""After this a question that nobody said yes to is over: refused, unread and to nobody look alike."""
MUTED: Final = timedelta(days=180)
"""For so long a company that said no is not asked again by the same one; who asks is not told."""
MOST_WAITING: Final = 20
MOST_NUMBER: Final = 100


def verification_state(state: str, lapses_at: datetime, now: datetime) -> VerificationState:
    """How a question stands now; that its time has passed needs no job to be so."""
    found = VerificationState(state)
    if found is VerificationState.WAITING and lapses_at <= now:
        return VerificationState.LAPSED
    return found


def consent_state(state: str, lapses_at: datetime, now: datetime) -> ConsentState:
    """How a consent stands now."""
    found = ConsentState(state)
    if found is ConsentState.ASKED and lapses_at <= now:
        return ConsentState.LAPSED
    return found


def asking_problems(*, asker_is_active: bool, waiting: int, sensitive: bool) -> list[Problem]:
    """Why nothing can be asked. All of it is about the asker and the form of the number alone."""
    problems = []
    if not asker_is_active:
        problems.append(Problem("Only a company that is an active partner itself can ask."))
    if waiting >= MOST_WAITING:
        problems.append(
            Problem(
                "%(most)s questions wait already. Take one back, or wait for its end.",
                params={"most": MOST_WAITING},
            )
        )
    if sensitive:
        problems.append(
            Problem("A number of a private person cannot be asked for. Use another.", "number")
        )
    return problems
