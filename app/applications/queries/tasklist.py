"""The task list of an application, from what the features below say about their parts."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.applications.models import Application, ApplicationReturn, ReturnedPoint, TaskReply
from app.applications.queries import rows
from app.applications.queries.content import assessment_of
from app.applications.rules import tasks as rules
from app.applications.workflow import ApplicationState
from app.assessments import queries as assessments
from app.assessments.carrying_queries import pending_gaps
from app.assessments.models import AssessmentSection
from app.assessments.rules import Standing as CriterionStanding
from app.assessments.rules import gap_of, standings
from app.kernel.errors import Problem
from app.traders import queries as traders
from app.traders.models import Trader
from app.work import Work


@dataclass(frozen=True, slots=True)
class TaskList:
    """How an application stands: its task list, what is unmet, and what the agency asked for."""

    facts: rules.TaskFacts
    groups: tuple[rules.TaskGroup, ...]
    unmet: tuple[Problem, ...]
    returned: ApplicationReturn | None
    points: Sequence[ReturnedPoint]
    replies: dict[str, TaskReply]

    @property
    def ready(self) -> bool:
        """Whether nothing but the officer's declaration is missing."""
        return not self.unmet


def tasks(work: Work, application: Application) -> TaskList:
    """How the application stands now. The number of statements does not depend on its size."""
    returned = rows.current_return(work.session, application)
    replies = rows.replies_of(work.session, returned)
    facts, gaps = task_facts(work, application, frozenset(replies))
    return TaskList(
        facts=facts,
        groups=rules.groups(facts),
        unmet=tuple(rules.submit_problems(facts, gaps)),
        returned=returned,
        points=rows.points_of(work.session, returned),
        replies=replies,
    )


def unmet(work: Work, application: Application) -> tuple[Problem, ...]:
    """Every point that stands in the way of submitting; `field` is the key of its task."""
    return tasks(work, application).unmet


def task_facts(
    work: Work, application: Application, replied: frozenset[str]
) -> tuple[rules.TaskFacts, list[Problem]]:
    """What decides about the task list, and the gaps of the profile as problems."""
    session = work.session
    trader = session.get_one(Trader, application.trader_id)
    profile = traders.profile_facts(session, trader)
    gaps = traders.profile_gaps_of(session, trader, work.now.date())
    answered = section_facts(session, application)
    agreement = rows.agreement_of(session, application)
    begun = {rules.COMPANY}
    if profile.schemes or profile.bonds:
        begun.add(rules.IDENTIFIERS)
    if profile.primary_contacts:
        begun.add(rules.CONTACTS)
    if profile.sites:
        begun.add(rules.SITES)
    facts = rules.TaskFacts(
        state=ApplicationState(application.state),
        reopened=frozenset(application.reopened_tasks),
        gaps=frozenset(gap.field or "" for gap in gaps),
        begun=frozenset(begun),
        sections=answered.sections,
        evidence_needed=answered.evidence_needed,
        evidence_given=answered.evidence_given,
        signed=agreement is not None and _counts(application, agreement.for_snapshot),
        replied=replied,
    )
    return facts, gaps


@dataclass(frozen=True, slots=True)
class AssessmentFacts:
    """How far the assessment is. `evidence` are the criteria that need documents, in order."""

    sections: tuple[rules.SectionFacts, ...]
    evidence: tuple[CriterionStanding, ...]

    @property
    def evidence_needed(self) -> int:
        """How many criteria need documents."""
        return len(self.evidence)

    @property
    def evidence_given(self) -> int:
        """How many of them have enough."""
        return sum(one.files >= one.wanted for one in self.evidence)


def section_facts(session: Session, application: Application) -> AssessmentFacts:
    """How far each section is, and which musts need documents: three statements."""
    assessment = assessment_of(session, application)
    attached = assessments.usable(assessments.evidence_of(session, assessment.id))
    saved = assessments.sections_of(session, assessment.id)
    found = standings(
        assessments.catalogue_of(assessment),
        assessment.profile_id,
        assessments.contents_of(session, assessment.id),
        attached,
    )
    by_section: dict[str, list[CriterionStanding]] = {}
    for one in found:
        by_section.setdefault(one.section.id, []).append(one)
    pending = pending_gaps(session, assessment) if assessment.carried_from else {}
    return AssessmentFacts(
        sections=tuple(
            _section(several, saved[section_id], pending.get(section_id, ()))
            for section_id, several in by_section.items()
        ),
        evidence=tuple(one for one in found if one.must and one.applies and one.wanted),
    )


def _section(
    criteria: Sequence[CriterionStanding], saved: AssessmentSection, pending: Sequence[Problem]
) -> rules.SectionFacts:
    asked = [one for one in criteria if one.applies]
    section = criteria[0].section
    return rules.SectionFacts(
        section.id,
        section.title,
        answered=sum(one.answered for one in asked),
        total=len(asked),
        begun=bool(saved.version) or any(one.files for one in asked),
        completed=saved.completed_at is not None,
        gaps=(*(gap for one in asked for gap in gap_of(one)), *pending),
    )


def _counts(application: Application, for_snapshot: int) -> bool:
    """Whether a signature holds for the next snapshot: it must be new once it was asked for."""
    if rules.AGREEMENT in application.reopened_tasks:
        return for_snapshot > application.snapshot_count
    return True
