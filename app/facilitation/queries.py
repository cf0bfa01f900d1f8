"""What is read of past decisions."""

import uuid
from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.authz.permissions import Permission
from app.authz.policy import may_ever
from app.facilitation.models import Decision, PolicyVersion
from app.kernel.errors import NotFoundError
from app.work import Work


def visible_decision(work: Work, decision_id: uuid.UUID) -> Decision:
    """The decision, for any of the agency's own programs that may read decisions.

    `NotFoundError` for an absent one, and for a trader's program, whatever its scopes.
    """
    actor = work.actor
    found = work.session.get(Decision, decision_id)
    if (
        found is None
        or actor.trader_id is not None
        or not may_ever(actor, Permission.DECISIONS_READ)
    ):
        raise NotFoundError
    return found


def given(
    session: Session, client_id: uuid.UUID, transaction_ids: Iterable[str]
) -> Mapping[str, Decision]:
    """The client's decisions on these transactions, by transaction id."""
    rows = session.scalars(
        select(Decision).where(
            Decision.client_id == client_id,
            Decision.transaction_id.in_(list(transaction_ids)),
        )
    )
    return {one.transaction_id: one for one in rows}


def stored_policy(session: Session, sha256: str) -> PolicyVersion | None:
    """The texts of the policy with this checksum."""
    return session.get(PolicyVersion, sha256)
