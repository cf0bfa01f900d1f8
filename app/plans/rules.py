"""What an action needs, and when it is late: pure decisions."""

from collections.abc import Collection
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from app.kernel.errors import Problem
from app.plans.workflow import OPEN, ActionState

LONGEST_PROMISE: Final = 2000
LONGEST_REASON: Final = 1000
FURTHEST: Final = timedelta(days=2 * 366)
SOON: Final = timedelta(days=14)


class Urgency(StrEnum):
    """How an action stands to its day."""

    ENDED = "ended"
    CALM = "calm"
    SOON = "soon"
    OVERDUE = "overdue"


def urgency(state: str, due_on: date, on: date) -> Urgency:
    """Where an action stands on a day; the due day itself is not late."""
    if ActionState(state) not in OPEN:
        return Urgency.ENDED
    if due_on < on:
        return Urgency.OVERDUE
    return Urgency.SOON if due_on <= on + SOON else Urgency.CALM


def due_problems(due_on: date, on: date) -> list[Problem]:
    """What is wrong with a day that is promised on the day `on`."""
    if due_on < on:
        return [Problem("This day has passed. Promise a day to come.", "due_on", "due")]
    if due_on > on + FURTHEST:
        return [Problem("This is more than two years ahead. Promise it sooner.", "due_on", "due")]
    return []


def promise_problems(promise: str) -> list[Problem]:
    """What is wrong with the words of a promise."""
    if not promise.strip():
        return [Problem("Say what will be done.", "promise", "promise")]
    if len(promise) > LONGEST_PROMISE:
        return [Problem("At most 2,000 characters fit.", "promise", "promise")]
    return []


def reason_problems(reason: str) -> list[Problem]:
    """What is wrong with the reason for giving an action up."""
    if not reason.strip():
        return [Problem("Say why it is given up.", "reason", "reason")]
    if len(reason) > LONGEST_REASON:
        return [Problem("At most 1,000 characters fit.", "reason", "reason")]
    return []


def chosen_problems(chosen: Collection[str], possible: Collection[str]) -> list[Problem]:
    """What is wrong with the criteria that a plan is to be about."""
    if not chosen:
        return [Problem("Choose at least one criterion.", "criteria", "criteria")]
    if set(chosen) - set(possible):
        return [Problem("Choose criteria of this assessment.", "criteria", "criteria")]
    return []
