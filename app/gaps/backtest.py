"""Whose tier another catalogue version would change: the gates of all partners, evaluated anew."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.applications.models import Application
from app.applications.workflow import ApplicationState
from app.assessments.models import Assessment
from app.catalogues.carrying import Carriage, carry_plan
from app.catalogues.model import Catalogue
from app.gaps.rules.compiled import Said, tier_rules
from app.gaps.rules.tiers import TierOutcome, reached
from app.publications.queries import known_version

CHUNK = 250
COUNTS = frozenset({Carriage.KEPT, Carriage.REWORDED})
"""How an answer must be carried to count before its company has looked at it again."""

# The state column is private so that only `app.work.move` writes it; reading it is free.
STATE = Application._state  # noqa: SLF001

ANSWERS = text(
    "SELECT assessment_id, json_object_agg(question_id,"
    " CASE WHEN not_applicable_reason = '' THEN value END) FROM answer"
    " WHERE assessment_id = ANY(:ids) GROUP BY assessment_id"
)


@dataclass(frozen=True, slots=True)
class Partner:
    """The assessment on which a trader's grant rests, with what it pins."""

    trader_id: uuid.UUID
    assessment_id: uuid.UUID
    catalogue_id: str
    catalogue_version: str
    profile_id: str


@dataclass(frozen=True, slots=True)
class Effect:
    """One partner's gates under its own version and under the other one."""

    partner: Partner
    before: tuple[TierOutcome, ...]
    after: tuple[TierOutcome, ...]

    @property
    def tiers(self) -> tuple[int | None, int | None]:
        """The highest tier that the answers claim, before and after."""
        return _tier(self.before), _tier(self.after)


def _tier(outcomes: Sequence[TierOutcome]) -> int | None:
    return reached([(one.tier, one.result) for one in outcomes])


def partners(session: Session, programme: str, catalogue_id: str) -> list[Partner]:
    """The newest granted application's assessment of each trader that answered this catalogue."""
    rows = session.execute(
        select(
            Application.trader_id,
            Assessment.id,
            Assessment.catalogue_id,
            Assessment.catalogue_version,
            Assessment.profile_id,
        )
        .join(Assessment, Assessment.id == Application.assessment_id)
        .where(
            Application.programme == programme,
            STATE == ApplicationState.GRANTED,
            Assessment.catalogue_id == catalogue_id,
        )
        .ext(distinct_on(Application.trader_id))
        .order_by(Application.trader_id, Application.closed_at.desc(), Application.id.desc())
    )
    return [Partner(*row) for row in rows]


def answers_of(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Said]:
    """The present answers of many assessments, in one statement; one without any is absent."""
    rows = session.execute(ANSWERS, {"ids": list(ids)})
    return {assessment_id: said for assessment_id, said in rows}  # noqa: C416 - rows are no pairs.


def effects(session: Session, found: Sequence[Partner], new: Catalogue) -> Iterator[Effect]:
    """Evaluate each partner's gates under its own version and under `new`.

    Answers move as publishing moves them: what has to be confirmed first is unknown until then.
    Profiles are found by their id, which is kept across versions.
    """
    plans: dict[str, Mapping[str, str]] = {}
    for start in range(0, len(found), CHUNK):
        chunk = found[start : start + CHUNK]
        answers = answers_of(session, [one.assessment_id for one in chunk])
        for one in chunk:
            old = known_version(session, one.catalogue_id, one.catalogue_version)
            plan = plans.get(old.version)
            if plan is None:
                plan = plans[old.version] = carried_from(old, new)
            given = answers.get(one.assessment_id, {})
            moved = {key: given[source] for key, source in plan.items() if source in given}
            yield Effect(
                one,
                tier_rules(old, one.profile_id).outcomes(given),
                tier_rules(new, one.profile_id).outcomes(moved),
            )


def carried_from(old: Catalogue, new: Catalogue) -> Mapping[str, str]:
    """The old question whose answer counts at once, by the new question's id."""
    return {
        key: one.source
        for key, one in carry_plan(old, new, annual=False).items()
        if one.how in COUNTS and one.source is not None
    }


def changed(found: Iterator[Effect]) -> list[Effect]:
    """Those whose claimed tier is another one, or falls into doubt."""
    return [one for one in found if one.tiers[0] != one.tiers[1]]
