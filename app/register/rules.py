"""What may be done to a standing, what comes of it, and from when; pure decisions.

Source: the programme's own data (`app/register/programmes/*.yaml`) and design, section 4. Every
doubt resolves downward: nothing is granted backwards in time, and a later entry that takes away
outlives whatever is entered before it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.kernel.errors import Problem
from app.register.programme import Kind, Move, Programme, Status

# How far a clock on a form may lag behind ours without the date being "in the past".
GRACE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a trader is in one programme over one span of time, as known at one instant.

    `effective_until` is `None` while no end is known. `tier` of a suspended partner is the tier
    to return to.
    """

    programme: str
    status: Status
    tier: int | None
    restrictions: tuple[str, ...]
    effective_from: datetime
    effective_until: datetime | None
    reason_code: str
    reason_text: str
    determination_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Outcome:
    """The standing that a move leads to."""

    status: Status
    tier: int | None
    restrictions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for. `status` is only for corrections; instants are aware."""

    tier: int | None = None
    restrictions: tuple[str, ...] = ()
    status: Status | None = None
    reason_code: str = ""
    reason_text: str = ""
    effective_from: datetime | None = None
    effective_until: datetime | None = None


def grants(programme: Programme, standing: Standing | None) -> bool:
    """Whether the standing gives its holder anything."""
    return standing is not None and programme.grants(standing.status, standing.tier)


def benefits(programme: Programme, standing: Standing) -> tuple[str, ...]:
    """The codes of the benefits that the standing gives: its tier's, less the restricted ones."""
    if not grants(programme, standing):
        return ()
    return tuple(
        code for code in programme.benefits_of(standing.tier) if code not in standing.restrictions
    )


def available_moves(standing: Standing | None, programme: Programme) -> tuple[Move, ...]:
    """The moves that can be proposed for this standing, in the order of the programme's table."""
    return tuple(move for move in programme.moves if _open(move, standing, programme))


def open_tiers(move: Move, standing: Standing | None, programme: Programme) -> tuple[int, ...]:
    """The tiers that can be named: a grant goes up from the present tier, a taking goes down."""
    if standing is None or standing.tier is None or not grants(programme, standing):
        return move.tiers
    present = standing.tier
    if move.kind is Kind.TAKES:
        return tuple(number for number in move.tiers if number < present)
    return tuple(number for number in move.tiers if number > present)


def open_restrictions(
    move: Move, standing: Standing | None, programme: Programme
) -> tuple[str, ...]:
    """The benefits that can be named: those held, to restrict; those restricted, to give back."""
    if move.restrictions is None or standing is None:
        return ()
    match move.restrictions:
        case "add":
            return benefits(programme, standing)
        case "remove":
            return standing.restrictions
        case "set":
            return tuple(one.code for one in programme.benefits)


def _open(move: Move, standing: Standing | None, programme: Programme) -> bool:
    if ("none" if standing is None else standing.status) not in move.sources:
        return False
    if move.needs_tier and not open_tiers(move, standing, programme):
        return False
    if move.needs_restrictions and not open_restrictions(move, standing, programme):
        return False
    # Without a tier to return to there is nothing that the move could lead to.
    return not (
        move.to == "tier" and not move.needs_tier and (standing is None or standing.tier is None)
    )


def outcome(move: Move, standing: Standing | None, programme: Programme, wish: Wish) -> Outcome:
    """The standing that the move leads to. Only for a wish in which `problems` found none."""
    kept = standing.tier if standing else None
    tier = wish.tier if move.needs_tier or move.to == "given" else kept
    status = _status(move, standing, programme, wish, tier)
    granting = programme.grants(status, tier)
    if not granting and not move.keeps_tier and move.to not in {"same", "given"}:
        return Outcome(status, None, ())
    return Outcome(status, tier, _restrictions(move, standing, wish))


def _status(
    move: Move, standing: Standing | None, programme: Programme, wish: Wish, tier: int | None
) -> Status:
    found: Status | None
    match move.to:
        case "given":
            found = wish.status
        case "same":
            found = standing.status if standing else None
        case "tier":
            belongs = programme.tier(tier)
            found = belongs.status if belongs else None
        case _:
            found = move.to
    if found is None:
        msg = f"{move.id} leads nowhere from here; its problems were not looked at."
        raise ValueError(msg)
    return found


def _restrictions(move: Move, standing: Standing | None, wish: Wish) -> tuple[str, ...]:
    present = set(standing.restrictions) if standing else set()
    match move.restrictions:
        case "add":
            present |= set(wish.restrictions)
        case "remove":
            present -= set(wish.restrictions)
        case "set":
            present = set(wish.restrictions)
        case None:
            pass
    return tuple(sorted(present))


def problems(
    move: Move, standing: Standing | None, programme: Programme, wish: Wish, *, now: datetime
) -> list[Problem]:
    """Everything that stands in the way of proposing the move, each with the field it is about."""
    if not _open(move, standing, programme):
        status = programme.status(standing.status).name if standing else "none"
        return [
            Problem(
                "“%(move)s” cannot be done while the standing is “%(status)s”.",
                field="move",
                code="move",
                params={"move": move.name, "status": status},
            )
        ]
    return [
        *_tier_problems(move, standing, programme, wish),
        *_restriction_problems(move, standing, programme, wish),
        *_reason_problems(move, wish),
        *_date_problems(move, wish, now),
    ]


def _tier_problems(
    move: Move, standing: Standing | None, programme: Programme, wish: Wish
) -> list[Problem]:
    if move.to == "given":
        return _given_problems(programme, wish)
    if move.needs_tier and wish.tier is None:
        return [Problem("Choose a tier.", field="tier", code="tier")]
    allowed = open_tiers(move, standing, programme)
    if wish.tier is not None and wish.tier not in allowed:
        return [
            Problem(
                "Tier %(tier)s is not open to this move.",
                field="tier",
                code="tier",
                params={"tier": wish.tier},
            )
        ]
    return []


def _given_problems(programme: Programme, wish: Wish) -> list[Problem]:
    if wish.status is None:
        return [Problem("Choose the status that is right.", field="status", code="status")]
    tier = programme.tier(wish.tier)
    fits = tier is not None and tier.status is wish.status
    if programme.status(wish.status).grants and not fits:
        return [Problem("This status needs a tier that it belongs to.", field="tier", code="tier")]
    if wish.tier is not None and tier is None:
        return [Problem("The programme has no such tier.", field="tier", code="tier")]
    return []


def _restriction_problems(
    move: Move, standing: Standing | None, programme: Programme, wish: Wish
) -> list[Problem]:
    if move.restrictions == "set":
        allowed = tuple(one.code for one in programme.benefits)
    else:
        allowed = open_restrictions(move, standing, programme)
    if move.needs_restrictions and not wish.restrictions:
        return [Problem("Choose at least one benefit.", field="restrictions", code="restrictions")]
    if set(wish.restrictions) - set(allowed):
        return [
            Problem(
                "One of the benefits is not open to this move.",
                field="restrictions",
                code="restrictions",
            )
        ]
    return []


def _reason_problems(move: Move, wish: Wish) -> list[Problem]:
    found = []
    if move.reason(wish.reason_code) is None:
        found.append(Problem("Choose a reason.", field="reason_code", code="reason"))
    if not wish.reason_text.strip():
        found.append(
            Problem(
                "Explain the reason in words that the trader understands.",
                field="reason_text",
                code="reason",
            )
        )
    return found


def _date_problems(move: Move, wish: Wish, now: datetime) -> list[Problem]:
    asked, until = wish.effective_from, wish.effective_until
    found = []
    if move.kind is Kind.CORRECTS:
        if asked is None:
            found.append(
                Problem("Say from when this is right.", field="effective_from", code="date")
            )
        elif until is not None and until <= asked:
            found.append(
                Problem("The end must be after the start.", field="effective_until", code="date")
            )
        return found
    if until is not None:
        found.append(Problem("This move has no end date.", field="effective_until", code="date"))
    if asked is not None and asked < now - GRACE:
        found.append(
            Problem("The start cannot lie in the past.", field="effective_from", code="date")
        )
    if asked is not None and move.starts == "at-once" and asked > now + GRACE:
        found.append(Problem("This takes effect at once.", field="effective_from", code="date"))
    return found


def start(move: Move, asked: datetime | None, now: datetime) -> datetime:
    """The instant from which the entry is valid: never before `now` but for a correction."""
    if asked is None or move.starts == "at-once":
        return now
    return asked if move.kind is Kind.CORRECTS else max(asked, now)


def end(
    programme: Programme, later: Sequence[Standing], from_: datetime, outcome: Outcome
) -> datetime | None:
    """The instant until which a new entry is valid; `None` is "until further notice".

    `later` are the standings that are known to begin after `from_`, in order of time. An outcome
    that grants lasts up to the next entry that takes away, so that none of those is forgotten;
    what would have been granted before then is superseded, so that no older promise comes back
    by itself. An outcome that grants nothing gives way only to entries after which nothing is
    granted any more: whatever would be granted later has to be decided anew.
    """
    following = [one for one in later if one.effective_from > from_]
    if programme.grants(outcome.status, outcome.tier):
        takings = [one.effective_from for one in following if not grants(programme, one)]
        return takings[0] if takings else None
    until = None
    for one in reversed(following):
        if grants(programme, one):
            break
        until = one.effective_from
    return until
