"""Successions proposed by a reviewer, with a paper that shows why."""

from io import BytesIO
from uuid import UUID

from app.identity.models import Person
from app.successions import service
from app.successions.models import Succession
from app.successions.rules import Proposal
from app.successions.workflow import Fate, Ground
from app.traders.models import Trader
from app.work import Work
from tests.factories.casework import staff_actor
from tests.factories.documents import pdf


def proposal(**changes: object) -> Proposal:
    """The officers have left; Nia Castell is to come."""
    values: dict[str, object] = {
        "ground": Ground.LEFT,
        "fate": Fate.END,
        "reason": "The owner wrote to us; we called back.",
        "officer_name": "Nia Castell",
        "officer_email": "nia.castell@example.com",
    }
    return Proposal(**{**values, **changes})  # type: ignore[arg-type]


def as_staff(work: Work, person: Person) -> Work:
    """The same unit of work with somebody of the agency for its actor."""
    return Work(work.session, staff_actor(work, person), work.now, work.new_id, work.reactions)


def propose_officer(
    work: Work, trader_id: UUID, by: Person, *, text: str = "The owner's letter", **changes: object
) -> Succession:
    """Propose a new officer as `by`."""
    return service.propose(
        as_staff(work, by),
        work.session.get_one(Trader, trader_id),
        proposal(**changes),
        key=work.new_id(),
        filename="letter.pdf",
        stream=BytesIO(pdf(text)),
    )


def approve_officer(work: Work, succession: Succession, by: Person) -> list[str]:
    """Approve it as `by`; gives the tokens of the invitations that went out."""
    tokens: list[str] = []
    service.approve(
        as_staff(work, by),
        succession,
        link=lambda token: tokens.append(token) or f"http://localhost/invitations/{token}",  # type: ignore[func-returns-value]
    )
    return tokens
