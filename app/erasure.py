"""Erase a person: what names them goes, what they did stays, and the log stays whole.

It stands above every feature, because what names a person stands in many of them. A name in the log
is a salted commitment (ADR 13): without the salt nobody can tell any more what it was of.
"""

import uuid
from collections.abc import Mapping
from typing import Final

from sqlalchemy import text

from app.audit.sealing import LOCK
from app.audit.tags import EventTag
from app.casework.queries import open_cases_held_by
from app.identity.models import Person
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.traders.queries import appointments_of
from app.work import Work

GONE: Final = "erased.invalid"
"""The domain of the address that an erased person keeps; RFC 2606 lets nobody ever own it."""

ERASED: Final[Mapping[str, str]] = {
    "web_session": "person_id = :person",
    "passkey": "person_id = :person",
    "authenticator": "person_id = :person",
    "recovery_code": "person_id = :person",
    "oidc_subject": "person_id = :person",
    "staff_role": "person_id = :person",
    "one_time_link": "person_id = :person OR email = :email",
    "message": "person_id = :person OR lower(recipient) = lower(:email)",
    "log_salt": "event_id IN (SELECT id FROM audit_event WHERE person_id = :person"
    " UNION ALL SELECT id FROM security_event WHERE person_id = :person)",
}
"""The rows that go as a whole: how the person came in, letters to them, what opens commitments."""

EMPTIED: Final[Mapping[tuple[str, str], str]] = {
    ("audit_event", "actor_name"): "person_id = :person",
    ("security_event", "address"): "person_id = :person",
    ("appointment", "invited_email"): "person_id = :person OR lower(invited_email) = lower(:email)",
    # What colleagues said to each other proves nothing to anybody: the words stay, the names go.
    ("colleague_comment", "written_by_name"): "written_by = :person",
    ("colleague_comment", "asked_name"): "asked_id = :person",
    ("colleague_comment", "ended_by_name"): "ended_by = :person",
    # The name first: it is found by the address.
    ("succession", "officer_name"): "lower(officer_email) = lower(:email)",
    ("succession", "officer_email"): "lower(officer_email) = lower(:email)",
}
"""The columns that are emptied while the row stays."""

KEPT: Final[Mapping[tuple[str, str], str]] = {
    ("agreement", "signed_name"): "signed_by",
    ("answer", "updated_by_name"): "updated_by",
    ("answer_evidence", "attached_by_name"): "attached_by",
    ("answer_revision", "saved_by_name"): "saved_by",
    ("answer_workbook", "received_by_name"): "received_by",
    ("batch", "received_by_name"): "received_by",
    ("carried_answer", "said_by_name"): "said_by",
    ("casework_case", "assignee_name"): "assignee_id",
    ("catalogue_publication", "decided_by_name"): "decided_by",
    ("catalogue_publication", "proposed_by_name"): "proposed_by",
    ("criterion_review", "reviewer_name"): "reviewer_id",
    ("determination", "decided_by_name"): "decided_by",
    ("determination", "proposed_by_name"): "proposed_by",
    ("document_revision", "stored_by_name"): "stored_by",
    ("information_request", "sent_by_name"): "sent_by",
    ("plan_action", "owner_name"): "owner_id",
    ("succession", "decided_by_name"): "decided_by",
    ("succession", "proposed_by_name"): "proposed_by",
}
"""Names under acts of an application or a case, with who did it: the law wants these records kept."""


def erase_person(work: Work, person: Person, *, reason: str) -> Mapping[str, int]:
    """Erase a person for good, and give where their name stands on under acts that are kept.

    In order: keep the sealer out, so that no event is sealed between; end the person's access;
    record `PERSON_ERASED` with the actor and `reason`, without which the database lets no name go;
    empty the account, the log's names and the addresses; delete the rest. `NotReadyError` without a
    reason, `ConflictError` while the person has a role at a trader or holds an open case, or was
    erased already.
    """
    if not reason.strip():
        raise NotReadyError([Problem("An erasure needs its reason.", field="reason")])
    if person.email.endswith(f"@{GONE}"):
        raise ConflictError("This person was erased already.")
    if appointments_of(work.session, person.id):
        raise ConflictError("End the roles of %(email)s at traders first.", email=person.email)
    cases = open_cases_held_by(work.session, person.id)
    if cases:
        raise ConflictError(
            "%(email)s holds open cases. A supervisor releases them first: %(cases)s.",
            email=person.email,
            cases=", ".join(cases),
        )
    session = work.session
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    values = {"person": person.id, "email": person.email}
    person.ended_at = person.ended_at or work.now
    work.record(EventTag.PERSON_ERASED, person, reason=reason.strip())
    session.flush()
    for (table, column), which in EMPTIED.items():
        empty = "NULL" if column == "invited_email" else "''"
        # house: sql-from-parts - constants of the tables above.
        session.execute(text(f"UPDATE {table} SET {column} = {empty} WHERE {which}"), values)  # nosec B608  # noqa: S608 - constants.
    for table, which in ERASED.items():
        # house: sql-from-parts - likewise.
        session.execute(text(f"DELETE FROM {table} WHERE {which}"), values)  # nosec B608  # noqa: S608 - constants.
    person.email, person.name = f"{person.id}@{GONE}", ""
    person.password_hash = person.mail_verified_at = None
    session.flush()
    return {
        f"{table}.{column}": count
        for (table, column), who in KEPT.items()
        if (count := _standing(work, table, who, person.id))
    }


def _standing(work: Work, table: str, who: str, person_id: uuid.UUID) -> int:
    found = work.session.scalar(
        # house: sql-from-parts - likewise.
        text(f"SELECT count(*) FROM {table} WHERE {who} = :person"),  # nosec B608  # noqa: S608 - constants.
        {"person": person_id},
    )
    return int(found or 0)
