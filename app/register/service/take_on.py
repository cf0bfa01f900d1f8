"""Standings that come from another system, with their file and its hash as the grounds."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.dialects.postgresql import Range

from app.db.references import next_reference
from app.kernel.errors import NotReadyError, Problem
from app.register.ledger import ChangeKind, known_now, next_change
from app.register.models import Determination
from app.register.programme import Programme, Status
from app.register.rules import Outcome
from app.register.service.signatures import (
    enter,
    facts,
    flush,
    programme_named,
    refuse,
    trader_of,
)
from app.register.workflow import Origin
from app.work import Work, move


@dataclass(frozen=True, slots=True)
class TakeOn:
    """One row of a take-on from another system; `valid_until` is `None` without a known end.

    `file_sha256` and `os_account` say which file it stood in and who ran the import.
    """

    programme: str
    status: Status
    tier: int | None
    valid_from: datetime
    valid_until: datetime | None
    reason: str
    file_sha256: str
    os_account: str
    restrictions: tuple[str, ...] = ()


def import_entry(work: Work, trader_id: uuid.UUID, row: TakeOn) -> Determination:
    """Take a standing on from another system: the one entry that needs no two signatures here.

    Takes the register's next number; adds a determination of origin `take-on`; lays the entry;
    records `register:imported` with file hash and operating-system account. `NotReadyError` lists
    what is wrong with the row, among it an overlap with what the register already knows: a
    take-on never overwrites. Source: design, section 4; contract, `register import`.
    """
    found = programme_named(row.programme)
    trader_of(work, trader_id)
    refuse(_take_on_problems(found, row))
    change = next_change(work.session, trader_id, ChangeKind.STANDING, work.now)
    span = Range(row.valid_from, row.valid_until)
    if known_now(work.session, trader_id, found.id, span):
        raise NotReadyError(
            [Problem("The register already has a standing for this time.", "valid_from", "overlap")]
        )
    outcome = Outcome(row.status, row.tier, tuple(sorted(set(row.restrictions))))
    determination = Determination(
        id=work.new_id(),
        reference=next_reference(work.session, "DT", work.now.year),
        trader_id=trader_id,
        programme=found.id,
        programme_version=found.version,
        move="take-on",
        origin=Origin.TAKE_ON,
        status=row.status.value,
        tier=row.tier,
        restrictions=list(outcome.restrictions),
        reason_code="take-on",
        reason_text=row.reason.strip(),
        effective_from=row.valid_from,
        effective_until=row.valid_until,
        proposed_by_name=work.actor.name,
        proposed_at=work.now,
        file_sha256=row.file_sha256,
        os_account=row.os_account,
        seq=change.seq,
    )
    enter(work, change, determination, outcome, span)
    work.session.add(determination)
    move(work, determination, "take-on", **facts(determination))
    flush(work)
    return determination


def _take_on_problems(programme: Programme, row: TakeOn) -> list[Problem]:
    tier = programme.tier(row.tier)
    found = []
    if row.tier is not None and tier is None:
        found.append(Problem("The programme has no such tier.", "tier", "tier"))
    if programme.status(row.status).grants and (tier is None or tier.status is not row.status):
        found.append(Problem("This status needs a tier that it belongs to.", "tier", "tier"))
    if row.valid_until is not None and row.valid_until <= row.valid_from:
        found.append(Problem("The end must be after the start.", "valid_until", "date"))
    if set(row.restrictions) - {one.code for one in programme.benefits}:
        found.append(Problem("The programme has no such benefit.", "restrictions", "benefit"))
    if not row.reason.strip():
        found.append(Problem("Say where the standing comes from.", "reason", "reason"))
    return found
