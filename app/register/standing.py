"""What a trader is told about its own standing: in words, with reasons, dates and what is next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.register import rules
from app.register.programme import Benefit, Programme, Reason, StatusText, Tier
from app.register.rules import Standing


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something that the trader can do until an instant; `what` is an English source text."""

    what: str
    until: datetime
    over: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One span of the history, in words. `reason` is the programme's, `words` the agency's own."""

    standing: Standing
    status: StatusText
    tier: Tier | None
    reason: Reason | None
    reference: str


@dataclass(frozen=True, slots=True)
class ProgrammeStanding:
    """Everything about one programme; `now` is `None` for a trader without a standing in it."""

    programme: Programme
    now: Line | None
    grants: bool
    benefits: tuple[Benefit, ...]
    restricted: tuple[Benefit, ...]
    to_return_to: Tier | None
    deadlines: tuple[Deadline, ...]
    coming: tuple[Line, ...]
    past: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """Of a determination, what its standing's page tells: which move, and its reference."""

    move: str
    reference: str


def describe(
    programme: Programme,
    history: Sequence[Standing],
    grounds: Mapping[object, Ground],
    at: datetime,
) -> ProgrammeStanding:
    """Put a programme's part of the page together.

    `history` is the trader's in this programme as it is now known, the newest first; `grounds`
    are the determinations behind it, by id.
    """
    lines = [_line(programme, one, grounds) for one in history]
    now = next((line for line in lines if _in_force(line.standing, at)), None)
    present = now.standing if now else None
    grants = rules.grants(programme, present)
    held = rules.benefits(programme, present) if present else ()
    return ProgrammeStanding(
        programme=programme,
        now=now,
        grants=grants,
        benefits=tuple(programme.benefit(code) for code in held),
        restricted=tuple(programme.benefit(code) for code in present.restrictions)
        if present
        else (),
        to_return_to=programme.tier(present.tier) if present and not grants else None,
        deadlines=_deadlines(programme, present, grounds, at) if present else (),
        coming=tuple(line for line in reversed(lines) if line.standing.effective_from > at),
        past=tuple(line for line in lines if line.standing.effective_from <= at),
    )


def _in_force(standing: Standing, at: datetime) -> bool:
    until = standing.effective_until
    return standing.effective_from <= at and (until is None or at < until)


def _line(programme: Programme, standing: Standing, grounds: Mapping[object, Ground]) -> Line:
    ground = grounds.get(standing.determination_id)
    move = programme.move(ground.move) if ground else None
    return Line(
        standing=standing,
        status=programme.status(standing.status),
        tier=programme.tier(standing.tier) if rules.grants(programme, standing) else None,
        reason=move.reason(standing.reason_code) if move else None,
        reference=ground.reference if ground else "",
    )


def _deadlines(
    programme: Programme, standing: Standing, grounds: Mapping[object, Ground], at: datetime
) -> tuple[Deadline, ...]:
    """Until when the trader can answer and appeal, counted from when the standing began."""
    ground = grounds.get(standing.determination_id)
    move = programme.move(ground.move) if ground else None
    if move is None:
        return ()
    reason = move.reason(standing.reason_code)
    clocks = [
        ("Answer the agency", move.notice),
        ("Appeal against this", (reason.appeal if reason else None) or move.appeal),
    ]
    found = []
    for what, clock in clocks:
        if clock is not None:
            until = standing.effective_from + programme.clock(clock).period
            found.append(Deadline(what, until, over=until <= at))
    return tuple(found)
