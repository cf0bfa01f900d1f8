"""What a trader reads about a determination; the preview and the letter come from here alike."""

from dataclasses import dataclass
from datetime import datetime

from app.register.programme import Kind, Move, Programme, Status

NOTHING = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A determination as the trader is told of it: the standing that it leads to, and why.

    `restrictions` are all the benefits that do not apply from then on; `at` is when it begins.
    """

    programme: Programme
    move: Move
    status: Status
    tier: int | None
    restrictions: tuple[str, ...]
    reason_code: str
    reason_text: str
    at: datetime


def reason_in_words(programme: Programme, move_id: str, code: str, text: str) -> str:
    """The reason from the programme's list, then what was written in this case."""
    move = programme.move(move_id)
    known = move.reason(code) if move is not None else None
    return " ".join(one for one in ("" if known is None else known.text, text.strip()) if one)


def values(told: Told) -> dict[str, str]:
    """The values of the letters `casework-determination` and `casework-suspended`."""
    programme, status = told.programme, told.programme.status(told.status)
    tier = programme.tier(told.tier)
    grants = programme.grants(told.status, told.tier)
    standing = status.name
    if grants and tier is not None:
        standing = f"{status.name}, tier {tier.tier} ({tier.name})"
    return {
        "programme": programme.name,
        "standing": standing,
        "since": f"{told.at.day} {told.at:%B %Y, %H:%M} UTC",
        "reason": reason_in_words(programme, told.move.id, told.reason_code, told.reason_text),
        "benefits": _benefits(told) if grants else status.meaning,
        "next": status.next,
        "appeal": _appeal(told) if grants else NOTHING,
    }


def _benefits(told: Told) -> str:
    """The benefits as lines of a letter, and below them those that are held back."""
    programme = told.programme
    of_tier = programme.benefits_of(told.tier)
    held = [programme.benefit(code).name for code in of_tier if code not in told.restrictions]
    kept_back = [programme.benefit(code).name for code in of_tier if code in told.restrictions]
    lines = ["Your benefits:", *(f"- {name}" for name in held)]
    if kept_back:
        lines += ["", "Not for now:", *(f"- {name}" for name in kept_back)]
    return "\n".join(lines)


def _appeal(told: Told) -> str:
    """What a standing that still grants does not say by itself: that a taking can be appealed."""
    if told.move.kind is not Kind.TAKES:
        return NOTHING
    reason = told.move.reason(told.reason_code)
    name = (reason.appeal if reason is not None else None) or told.move.appeal
    if name is None:
        return NOTHING
    return f"You may appeal against this within {told.programme.clock(name).days} days."
