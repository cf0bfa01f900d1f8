"""What may be proposed, and what may still be signed: pure decisions."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from app.kernel.errors import Problem
from app.successions.workflow import Fate, Ground
from app.traders.rules import email_is_plausible


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed. `email` is in small letters."""

    ground: Ground
    fate: Fate
    reason: str
    officer_name: str
    officer_email: str


@dataclass(frozen=True, slots=True)
class Present:
    """How the trader stands: its officers by appointment, their addresses, and who the new one is."""

    officers: Collection[UUID]
    officer_emails: Collection[str]
    new_is_agency: bool
    new_has_ended: bool


def problems(proposal: Proposal, present: Present) -> list[Problem]:
    """Why this cannot be proposed or signed; empty when it can."""
    found = []
    if (proposal.ground is Ground.NOBODY) != (not present.officers):
        found.append(
            Problem("The company has an officer.", "ground")
            if present.officers
            else Problem("The company has no officer: choose that as the ground.", "ground")
        )
    if proposal.fate is Fate.PREPARE and proposal.ground is not Ground.NO_AUTHORITY:
        found.append(Problem("Only who works on at the company can go on as preparer.", "fate"))
    if not proposal.reason.strip():
        found.append(Problem("Say what the agency knows and from whom.", "reason"))
    if not proposal.officer_name.strip():
        found.append(Problem("Give the new officer's name.", "officer_name"))
    if not email_is_plausible(proposal.officer_email):
        found.append(Problem("Give a mail address, for example name@example.com.", "officer_email"))
    elif proposal.officer_email in present.officer_emails:
        found.append(Problem("This person is an officer of the company now.", "officer_email"))
    elif present.new_is_agency:
        found.append(Problem("People of the agency cannot act for a company.", "officer_email"))
    elif present.new_has_ended:
        found.append(Problem("This person's access to Fairway has ended.", "officer_email"))
    return found
