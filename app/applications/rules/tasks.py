"""The task list: how each task stands and whether it can be opened. Derived, never stored."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.applications.workflow import ApplicationState
from app.kernel.errors import Problem

COMPANY: Final = "company"
IDENTIFIERS: Final = "identifiers"
CONTACTS: Final = "contacts"
SITES: Final = "sites"
EVIDENCE: Final = "evidence"
AGREEMENT: Final = "agreement"
SUBMIT: Final = "submit"
PROFILE: Final = (COMPANY, IDENTIFIERS, CONTACTS, SITES)
ASSESSMENT: Final = "assessment:"

TITLES: Final = {
    COMPANY: "Company details",
    IDENTIFIERS: "Identifiers and bond",
    CONTACTS: "Contacts",
    SITES: "Sites",
    EVIDENCE: "Evidence",
    AGREEMENT: "Partner agreement",
    SUBMIT: "Check and submit",
}
"""English source texts; a section of the assessment has its title from the catalogue."""


class TaskStatus(StrEnum):
    """The five words that a task list uses, and no others."""

    NOT_STARTED = "Not started"
    IN_PROGRESS = "In progress"
    CHANGES_NEEDED = "Changes needed"
    COMPLETED = "Completed"
    NOT_NEEDED = "Not needed"


def assessment_task(section_id: str) -> str:
    """The key of a section's task."""
    return ASSESSMENT + section_id


def section_of(task: str) -> str | None:
    """The section whose task this is, `None` for the other tasks."""
    return task.removeprefix(ASSESSMENT) if task.startswith(ASSESSMENT) else None


@dataclass(frozen=True, slots=True)
class SectionFacts:
    """One section of the assessment: `answered` of `total` criteria that apply now.

    `begun` says that anything was saved there, `completed` that a person called it complete.
    `gaps` are what is still missing in it, as `app.assessments.rules.gaps` says it.
    """

    id: str
    title: str
    answered: int
    total: int
    begun: bool
    completed: bool
    gaps: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """Everything that decides about the task list of one application.

    `gaps` are the profile tasks with something missing, `begun` those that hold anything at all.
    `evidence_needed` counts the criteria that need documents, `evidence_given` those that have
    enough. `signed` says that the agreement is signed for the next snapshot. `replied` are the
    returned profile tasks about which the trader has said what was done.
    """

    state: ApplicationState
    reopened: frozenset[str]
    gaps: frozenset[str]
    begun: frozenset[str]
    sections: tuple[SectionFacts, ...]
    evidence_needed: int
    evidence_given: int
    signed: bool
    replied: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the task list. A task that is not open is shown without a link."""

    key: str
    title: str
    status: TaskStatus
    open: bool
    done: int | None = None
    total: int | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do here."""
        return self.status in {TaskStatus.COMPLETED, TaskStatus.NOT_NEEDED}


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Tasks under one heading; `title` is an English source text."""

    title: str
    tasks: tuple[Task, ...]


def editable(state: ApplicationState, reopened: Collection[str], task: str) -> bool:
    """Whether the task can be changed as part of the application now."""
    if state is ApplicationState.RETURNED:
        return task in reopened or task == SUBMIT
    return state is ApplicationState.DRAFT


def reopened_by(named: Iterable[str], sections: Iterable[str]) -> frozenset[str]:
    """The tasks that a return reopens: those named, and the sections of the named criteria.

    Evidence belongs to criteria, so its list reopens with any section; submitting always does.
    """
    tasks = {*named, *(assessment_task(one) for one in sections)}
    if any(section_of(one) for one in tasks):
        tasks.add(EVIDENCE)
    return frozenset(tasks | {SUBMIT})


def groups(facts: TaskFacts) -> tuple[TaskGroup, ...]:
    """The task list, in the order in which it is read; tasks can be done in any order."""
    return (
        TaskGroup("Prepare", tuple(_task(facts, key, _profile(facts, key)) for key in PROFILE)),
        TaskGroup("Self-assessment", tuple(_section(facts, one) for one in facts.sections)),
        TaskGroup("Evidence", (_evidence(facts),)),
        TaskGroup(
            "Sign and submit",
            (_task(facts, AGREEMENT, _agreement(facts)), _task(facts, SUBMIT, _submit(facts))),
        ),
    )


def progress(found: Sequence[TaskGroup]) -> tuple[int, int]:
    """How many tasks are settled, of how many; submitting itself is not counted."""
    tasks = [task for group in found for task in group.tasks if task.key != SUBMIT]
    return sum(task.settled for task in tasks), len(tasks)


def submit_problems(facts: TaskFacts, profile_gaps: Sequence[Problem]) -> list[Problem]:
    """Every point that is not met yet; `field` is the key of the task that meets it.

    Only what can change now counts. A section that nobody called complete is one point; once it
    was called complete, each gap that opened in it since then is a point of its own, whose params
    hold the control (`control`) beside what the assessment says. Sources: the programme's
    eligibility (security profile completed, agreement signed by an officer).
    """
    problems = [
        one for one in profile_gaps if editable(facts.state, facts.reopened, one.field or "")
    ]
    named = {one.field for one in problems}
    problems += [
        Problem(
            "%(title)s: tell the agency what you changed, or why nothing had to change.",
            key,
            "REPLY_MISSING",
            {"title": TITLES[key]},
        )
        for key in PROFILE
        if facts.state is ApplicationState.RETURNED
        and key in facts.reopened - facts.replied
        and key not in named
    ]
    for section in facts.sections:
        key = assessment_task(section.id)
        if editable(facts.state, facts.reopened, key) and section.total:
            problems += _section_problems(key, section)
    if editable(facts.state, facts.reopened, AGREEMENT) and not facts.signed:
        problems.append(
            Problem("The partner agreement is not signed.", AGREEMENT, "AGREEMENT_UNSIGNED")
        )
    return problems


def _section_problems(key: str, section: SectionFacts) -> list[Problem]:
    if not section.completed:
        return [
            Problem(
                "%(title)s: %(done)s of %(total)s criteria answered, not marked as complete.",
                key,
                "SECTION_OPEN",
                {"title": section.title, "done": section.answered, "total": section.total},
            )
        ]
    return [
        Problem(gap.message, key, gap.code, {**gap.params, "control": gap.field})
        for gap in section.gaps
    ]


def _task(facts: TaskFacts, key: str, status: TaskStatus) -> Task:
    return Task(key, TITLES[key], status, editable(facts.state, facts.reopened, key))


def _under_review(facts: TaskFacts, key: str) -> bool:
    """Whether the task stands as it was submitted."""
    if facts.state in {ApplicationState.DRAFT, ApplicationState.WITHDRAWN}:
        return False
    return not editable(facts.state, facts.reopened, key)


def _returned(facts: TaskFacts) -> bool:
    return facts.state is ApplicationState.RETURNED


def _profile(facts: TaskFacts, key: str) -> TaskStatus:
    if _under_review(facts, key):
        return TaskStatus.COMPLETED
    if _returned(facts) and (key in facts.gaps or key not in facts.replied):
        return TaskStatus.CHANGES_NEEDED
    if key not in facts.gaps:
        return TaskStatus.COMPLETED
    return TaskStatus.IN_PROGRESS if key in facts.begun else TaskStatus.NOT_STARTED


def _section(facts: TaskFacts, section: SectionFacts) -> Task:
    key = assessment_task(section.id)
    if section.total == 0:
        status = TaskStatus.NOT_NEEDED
    elif _under_review(facts, key) or section.completed:
        status = TaskStatus.COMPLETED
    elif _returned(facts):
        status = TaskStatus.CHANGES_NEEDED
    else:
        status = TaskStatus.IN_PROGRESS if section.begun else TaskStatus.NOT_STARTED
    return Task(
        key,
        section.title,
        status,
        editable(facts.state, facts.reopened, key),
        section.answered,
        section.total,
    )


def _evidence(facts: TaskFacts) -> Task:
    if facts.evidence_needed == 0:
        status = TaskStatus.NOT_NEEDED
    elif _under_review(facts, EVIDENCE) or facts.evidence_given >= facts.evidence_needed:
        status = TaskStatus.COMPLETED
    elif _returned(facts):
        status = TaskStatus.CHANGES_NEEDED
    else:
        status = TaskStatus.IN_PROGRESS if facts.evidence_given else TaskStatus.NOT_STARTED
    return Task(
        EVIDENCE,
        TITLES[EVIDENCE],
        status,
        editable(facts.state, facts.reopened, EVIDENCE),
        facts.evidence_given,
        facts.evidence_needed,
    )


def _agreement(facts: TaskFacts) -> TaskStatus:
    if facts.signed or _under_review(facts, AGREEMENT):
        return TaskStatus.COMPLETED
    return TaskStatus.CHANGES_NEEDED if _returned(facts) else TaskStatus.NOT_STARTED


def _submit(facts: TaskFacts) -> TaskStatus:
    if facts.state in {ApplicationState.DRAFT, ApplicationState.WITHDRAWN}:
        return TaskStatus.NOT_STARTED
    return TaskStatus.CHANGES_NEEDED if _returned(facts) else TaskStatus.COMPLETED
