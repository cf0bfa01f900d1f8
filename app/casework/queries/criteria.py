"""Whom a version of a catalogue touches: open applications, and partners by their own answers."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.applications.models import Application
from app.applications.workflow import OPEN, ApplicationState
from app.assessments.models import Answer, Assessment
from app.catalogues.carrying import carry_plan
from app.catalogues.model import Catalogue
from app.catalogues.rules import Given
from app.catalogues.tiers import Reach, carried_answers, reach
from app.publications.queries import known_version
from app.register.models import RegisterEntry
from app.register.programme import Status
from app.traders.models import Trader

STATE: Final = Application._state  # noqa: SLF001 - read, never written.
PARTNERS: Final = (Status.CERTIFIED, Status.VALIDATED)
AT_ONCE: Final = 100
"""So many partners are judged on one page; the command line judges them all."""


@dataclass(frozen=True, slots=True)
class Touched:
    """An open application whose assessment is pinned to an earlier version."""

    application: Application
    trader: Trader
    version: str

    @property
    def told(self) -> bool:
        """Whether its people are written to; those of a submitted one have nothing to answer."""
        return self.application.state != ApplicationState.SUBMITTED


@dataclass(frozen=True, slots=True)
class Judged:
    """A partner's tier, and what its answers carry under its own version and under the new one."""

    trader: Trader
    held: int
    version: str
    before: Reach
    after: Reach

    @property
    def changes(self) -> bool:
        """Whether the answers carry less than before."""
        return self.after.tier < self.before.tier


def touched(session: Session, catalogue: Catalogue) -> list[Touched]:
    """The open applications on earlier versions of this catalogue, the oldest first."""
    rows = session.execute(
        select(Application, Trader, Assessment.catalogue_version)
        .join(Trader, Trader.id == Application.trader_id)
        .join(Assessment, Assessment.id == Application.assessment_id)
        .where(
            STATE.in_(OPEN),
            Assessment.catalogue_id == catalogue.id,
            Assessment.catalogue_version != catalogue.version,
        )
        .order_by(Application.started_at, Application.id)
    )
    return [Touched(*row) for row in rows]


def partner_ids(session: Session, catalogue: Catalogue, at: datetime) -> Sequence[uuid.UUID]:
    """The partners of the programme at that instant for whom the catalogue is written, in a fixed order."""
    return session.scalars(
        select(RegisterEntry.trader_id)
        .distinct()
        .join(Trader, Trader.id == RegisterEntry.trader_id)
        .where(
            RegisterEntry.programme == catalogue.programme,
            RegisterEntry.status.in_([str(one) for one in PARTNERS]),
            RegisterEntry.valid.contains(at),
            func.upper_inf(RegisterEntry.recorded),
            Trader.entity_type.in_(catalogue.entity),
        )
        .order_by(RegisterEntry.trader_id)
    ).all()


def judged(
    session: Session, catalogue: Catalogue, trader_ids: Sequence[uuid.UUID], at: datetime
) -> list[Judged]:
    """What the last submitted answers of these partners carry; who has none here is left out.

    Three statements, however many there are.
    """
    latest = session.execute(
        select(Application.tier, Assessment, Trader)
        .join(Assessment, Assessment.id == Application.assessment_id)
        .join(Trader, Trader.id == Application.trader_id)
        .where(
            Application.trader_id.in_(trader_ids),
            Application.programme == catalogue.programme,
            STATE == ApplicationState.GRANTED,
            Assessment.catalogue_id == catalogue.id,
        )
        .ext(distinct_on(Application.trader_id))
        .order_by(Application.trader_id, Application.submitted_at.desc())
    ).all()
    held = _tiers(session, catalogue, [trader.id for _, _, trader in latest], at)
    answers = _answers(session, [assessment.id for _, assessment, _ in latest])
    found = []
    for tier, assessment, trader in latest:
        given = answers.get(assessment.id, {})
        old = known_version(session, assessment.catalogue_id, assessment.catalogue_version)
        kind = str(trader.entity_type)
        now = held.get(trader.id, tier)
        carried = carried_answers(carry_plan(old, catalogue, annual=False), given)
        found.append(
            Judged(
                trader,
                now,
                assessment.catalogue_version,
                reach(old, kind, now, given),
                reach(catalogue, kind, now, carried),
            )
        )
    return found


def _tiers(
    session: Session, catalogue: Catalogue, trader_ids: Sequence[uuid.UUID], at: datetime
) -> dict[uuid.UUID, int]:
    rows = session.execute(
        select(RegisterEntry.trader_id, RegisterEntry.tier).where(
            RegisterEntry.trader_id.in_(trader_ids),
            RegisterEntry.programme == catalogue.programme,
            RegisterEntry.tier.is_not(None),
            RegisterEntry.valid.contains(at),
            func.upper_inf(RegisterEntry.recorded),
        )
    )
    return {trader_id: tier for trader_id, tier in rows if tier is not None}


def _answers(
    session: Session, assessment_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, dict[str, Given]]:
    found: dict[uuid.UUID, dict[str, Given]] = {}
    rows = session.execute(
        select(
            Answer.assessment_id,
            Answer.question_id,
            Answer.value,
            Answer.not_applicable_reason,
        ).where(Answer.assessment_id.in_(assessment_ids))
    )
    for assessment_id, question_id, value, reason in rows:
        found.setdefault(assessment_id, {})[question_id] = Given(value, bool(reason))
    return found
