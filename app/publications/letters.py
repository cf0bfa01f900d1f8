"""Who at the agency is told of a publication: who can sign it, then who proposed it.

The traders whose drafts a publication touches are told by the applications' own letters.
"""

from collections.abc import Iterable

from app.authz.actor import AgencyRole
from app.identity.models import Person
from app.identity.queries import staff_with
from app.notifications.service import send
from app.publications.models import Publication
from app.work import Work

SIGNS = (AgencyRole.PROGRAMME_MANAGER, AgencyRole.SUPERVISOR)
OUTCOMES = {
    "published": "It was published.",
    "declined": "It was declined, and nothing changes.",
}


def tell_signers(work: Work, publication: Publication) -> None:
    """Write to everybody who could give the second signature."""
    people = {one.id: one for role in SIGNS for one in staff_with(work.session, role)}
    people.pop(publication.proposed_by, None)
    _tell(
        work,
        publication,
        people.values(),
        "waits for a second signature",
        f"{publication.proposed_by_name} proposes it. Look at what changes, and for whom, first.",
    )


def tell_proposer(work: Work, publication: Publication) -> None:
    """Tell who proposed it what became of it, and why."""
    proposer = work.session.get_one(Person, publication.proposed_by)
    said = f" {publication.decision_note}" if publication.decision_note else ""
    outcome = OUTCOMES[publication.state]
    _tell(
        work,
        publication,
        [proposer],
        f"was {publication.state}",
        f"{publication.decided_by_name} has decided. {outcome}{said}",
    )


def _tell(
    work: Work, publication: Publication, people: Iterable[Person], subject: str, happened: str
) -> None:
    for person in people:
        if person.ended_at is None:
            send(
                work,
                to=person.email,
                template="catalogue",
                person_id=person.id,
                name=person.name,
                subject=subject,
                happened=happened,
                catalogue=publication.catalogue_id,
                version=publication.version,
                reference=publication.reference,
                effective=publication.effective.isoformat(),
            )
