"""For whom a broker's people act now, and what is open for each client."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from app.advance_data import wording
from app.advance_data.models import Batch
from app.advance_data.queries import still_open
from app.applications.models import Application, ApplicationReturn
from app.applications.workflow import ApplicationState
from app.authz.actor import Actor, Grant
from app.authz.permissions import Permission
from app.authz.policy import may
from app.traders.models import Trader
from app.work import Work

# The state column is private so that only `app.work.move` writes it; reading it is free.
STATE = Application._state  # noqa: SLF001


@dataclass(frozen=True, slots=True)
class Served:
    """One client of a broker, and what is open there as far as the delegation shows it.

    `batch` is the newest that came through the broker, `stage` how it stands; `requests` are the
    agency's questions that wait for an answer, the most urgent first.
    """

    grant: Grant
    batch: Batch | None
    stage: wording.Stage | None
    requests: Sequence[tuple[Application, ApplicationReturn]]


def grants_through(actor: Actor, broker_id: uuid.UUID) -> list[Grant]:
    """The delegations that reach the actor through this broker, by the client's name."""
    found = (one for one in actor.grants.values() if one.broker_id == broker_id)
    return sorted(found, key=lambda one: (one.trader_name.casefold(), one.trader_id))


def clients_of(work: Work, broker: Trader, grants: Sequence[Grant]) -> list[Served]:
    """What is open for these clients, in three statements however many they are."""
    batches = _newest_batches(work, broker, grants)
    left = still_open(work.session, batches.values())
    asked = _requests(work, grants)
    return [
        Served(
            grant=one,
            batch=(batch := batches.get(one.trader_id)),
            stage=None
            if batch is None
            else wording.stage_of(
                batch.state,
                accepted=batch.accepted,
                rejected=batch.rejected,
                still_open=left[batch.id],
            ),
            requests=asked.get(one.trader_id, []),
        )
        for one in grants
    ]


def _newest_batches(work: Work, broker: Trader, grants: Sequence[Grant]) -> dict[uuid.UUID, Batch]:
    shown = [one.trader_id for one in grants if may(work.actor, Permission.FILING_VIEW, one)]
    found = work.session.scalars(
        select(Batch)
        .where(
            Batch.trader_id.in_(shown),
            Batch.acting_trader_id == broker.id,
            Batch.corrects_row.is_(None),
        )
        .ext(distinct_on(Batch.trader_id))
        .order_by(Batch.trader_id, Batch.received_at.desc(), Batch.id.desc())
    )
    return {one.trader_id: one for one in found}


def _requests(
    work: Work, grants: Sequence[Grant]
) -> dict[uuid.UUID, list[tuple[Application, ApplicationReturn]]]:
    shown = [one.trader_id for one in grants if may(work.actor, Permission.APPLICATION_VIEW, one)]
    rows = work.session.execute(
        select(Application, ApplicationReturn)
        .join(
            ApplicationReturn,
            onclause=(ApplicationReturn.application_id == Application.id)
            & (ApplicationReturn.round == Application.snapshot_count),
        )
        .where(Application.trader_id.in_(shown), STATE == ApplicationState.RETURNED)
        .order_by(ApplicationReturn.due_on, Application.id)
    )
    found: dict[uuid.UUID, list[tuple[Application, ApplicationReturn]]] = {}
    for application, returned in rows:
        found.setdefault(application.trader_id, []).append((application, returned))
    return found
