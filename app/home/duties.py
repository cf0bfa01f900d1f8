"""What a company has to do by a day: pure rules over dated facts that the system has.

No fact is made up: a company of which nothing is known that could lapse has no duty here. Each
rule says which fact it rests on. Source: the interface reference, screen 1 (deadlines), and the
programme's conditions, which hold at every yearly review.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

AHEAD: Final = timedelta(days=60)
DAY: Final = timedelta(days=1)


class Kind(StrEnum):
    """What a duty is about."""

    BOND = "bond"
    LICENCE = "licence"
    DEBT = "debt"
    EVIDENCE = "evidence"
    CRITERIA = "criteria"
    ACTION = "action"


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do by `on`; `name` is what it is about in its own words, `subjects` its ids."""

    kind: Kind
    on: date
    name: str
    subjects: tuple[UUID, ...] = ()
    late: bool = False


@dataclass(frozen=True, slots=True)
class Cover:
    """The days that one continuous bond binds; no last day until it is ended."""

    number: str
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class Licence:
    """A broker's licence or filer code; `ended_on` is when it was withdrawn or refused."""

    shown: str
    ended_on: date | None


@dataclass(frozen=True, slots=True)
class Proof:
    """A document that supports an assessment, and the day after which it does so no more."""

    title: str
    document_id: UUID
    last: date


@dataclass(frozen=True, slots=True)
class NewCriteria:
    """Another version of the criteria than the one that was answered, in force from a day on."""

    title: str
    version: str
    effective: date
    assessment_id: UUID


@dataclass(frozen=True, slots=True)
class Promise:
    """An open action of the improvement plan."""

    title: str
    due_on: date
    assessment_id: UUID
    action_id: UUID


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything dated that is known of one company; `debt_told_on` is when it told of a debt."""

    covers: Sequence[Cover] = ()
    licences: Sequence[Licence] = ()
    debt_told_on: date | None = None
    proofs: Sequence[Proof] = ()
    criteria: Sequence[NewCriteria] = ()
    promises: Sequence[Promise] = ()


def duties(facts: Facts, today: date) -> list[Duty]:
    """What is to be done, the earliest first; what lies more than sixty days ahead is left out.

    A debt and criteria that are announced are told at once, whatever their day.
    """
    found = [
        *_bond(facts.covers, today),
        *_licence(facts.licences),
        *([Duty(Kind.DEBT, facts.debt_told_on, "")] if facts.debt_told_on else ()),
        *(Duty(Kind.EVIDENCE, one.last, one.title, (one.document_id,)) for one in facts.proofs),
        *(
            Duty(Kind.CRITERIA, one.effective, f"{one.title} {one.version}", (one.assessment_id,))
            for one in facts.criteria
        ),
        *(
            Duty(Kind.ACTION, one.due_on, one.title, (one.assessment_id, one.action_id))
            for one in facts.promises
        ),
    ]
    near = [
        replace(one, late=one.on < today)
        for one in found
        if one.kind is Kind.CRITERIA or one.on <= today + AHEAD
    ]
    return sorted(near, key=lambda one: (one.on, one.kind, one.name))


def _bond(covers: Sequence[Cover], today: date) -> Iterable[Duty]:
    """The last day on which a continuous bond binds without a gap, from today on.

    When none binds today and one did before, the day on which the last one ended. A bond that
    was never recorded did not lapse.
    """
    begun = [one for one in covers if one.first <= today]
    ended = [(one.last, one.number) for one in begun if one.last is not None]
    if len(ended) < len(begun) or not ended:
        return
    last, number = max(ended)
    if last >= today:
        for one in sorted(covers, key=lambda one: one.first):
            if one.first > last + DAY:
                break
            if one.last is None:
                return
            if one.last > last:
                last, number = one.last, one.number
    yield Duty(Kind.BOND, last, number)


def _licence(licences: Sequence[Licence]) -> Iterable[Duty]:
    """The day on which the last licence or filer code ended, when none is left."""
    ended = [(one.ended_on, one.shown) for one in licences if one.ended_on is not None]
    if ended and len(ended) == len(licences):
        on, shown = max(ended)
        yield Duty(Kind.LICENCE, on, shown)
