"""The task list as a pure function of facts."""

from dataclasses import replace

import pytest

from app.applications.rules import tasks
from app.applications.rules.tasks import (
    AGREEMENT,
    COMPANY,
    CONTACTS,
    EVIDENCE,
    IDENTIFIERS,
    SITES,
    SUBMIT,
    SectionFacts,
    TaskFacts,
    TaskStatus,
    groups,
    reopened_by,
    submit_problems,
)
from app.applications.workflow import ApplicationState
from app.kernel.errors import Problem

DRAFT = ApplicationState.DRAFT
RETURNED = ApplicationState.RETURNED
ONE = SectionFacts("1", "Vision", answered=0, total=4, begun=False, completed=False)
DONE = replace(ONE, id="2", title="Seals", answered=4, begun=True, completed=True)
FRESH = TaskFacts(
    state=DRAFT,
    reopened=frozenset(),
    gaps=frozenset({IDENTIFIERS, CONTACTS, SITES}),
    begun=frozenset({COMPANY}),
    sections=(ONE,),
    evidence_needed=3,
    evidence_given=0,
    signed=False,
)
READY = replace(FRESH, gaps=frozenset(), sections=(DONE,), evidence_given=3, signed=True)


def by_key(facts: TaskFacts) -> dict[str, tasks.Task]:
    return {task.key: task for group in groups(facts) for task in group.tasks}


def status(facts: TaskFacts, key: str) -> TaskStatus:
    return by_key(facts)[key].status


def test_a_fresh_application_has_everything_open_and_little_begun():
    found = by_key(FRESH)
    assert list(found) == [
        *(COMPANY, IDENTIFIERS, CONTACTS, SITES),
        *("assessment:1", EVIDENCE, AGREEMENT, SUBMIT),
    ]
    assert all(task.open for task in found.values())
    assert found[COMPANY].status is TaskStatus.COMPLETED
    assert {found[key].status for key in found if key != COMPANY} == {TaskStatus.NOT_STARTED}


def test_only_five_words_are_used():
    assert len(TaskStatus) == 5


@pytest.mark.parametrize(
    ("facts", "key", "expected"),
    [
        (replace(FRESH, begun=frozenset({IDENTIFIERS})), IDENTIFIERS, TaskStatus.IN_PROGRESS),
        (replace(FRESH, gaps=frozenset()), SITES, TaskStatus.COMPLETED),
        (
            replace(FRESH, sections=(replace(ONE, begun=True),)),
            "assessment:1",
            TaskStatus.IN_PROGRESS,
        ),
        (replace(FRESH, sections=(replace(ONE, total=0),)), "assessment:1", TaskStatus.NOT_NEEDED),
        (replace(FRESH, sections=(DONE,)), "assessment:2", TaskStatus.COMPLETED),
        (replace(FRESH, evidence_given=1), EVIDENCE, TaskStatus.IN_PROGRESS),
        (replace(FRESH, evidence_given=3), EVIDENCE, TaskStatus.COMPLETED),
        (replace(FRESH, evidence_needed=0), EVIDENCE, TaskStatus.NOT_NEEDED),
        (replace(FRESH, signed=True), AGREEMENT, TaskStatus.COMPLETED),
    ],
)
def test_statuses_of_a_draft(facts, key, expected):
    assert status(facts, key) is expected


@pytest.mark.parametrize(
    "state",
    [ApplicationState.SUBMITTED, ApplicationState.GRANTED, ApplicationState.REFUSED],
)
def test_what_is_submitted_is_completed_and_closed_whatever_the_profile_says_now(state):
    found = by_key(replace(FRESH, state=state))
    assert not any(task.open for task in found.values())
    assert {task.status for task in found.values()} == {TaskStatus.COMPLETED}


def test_a_withdrawn_draft_stands_as_it_was_and_is_closed():
    found = by_key(replace(FRESH, state=ApplicationState.WITHDRAWN))
    assert not any(task.open for task in found.values())
    assert found[SITES].status is TaskStatus.NOT_STARTED


def test_a_return_opens_only_what_it_names():
    facts = replace(
        READY, state=RETURNED, reopened=reopened_by(["sites"], ["2"]), sections=(DONE, ONE)
    )
    found = by_key(facts)
    assert {key for key, task in found.items() if task.open} == {
        *(SITES, "assessment:2", EVIDENCE, SUBMIT),
    }
    assert found[SITES].status is TaskStatus.CHANGES_NEEDED
    assert found["assessment:1"].status is TaskStatus.COMPLETED
    assert found[SUBMIT].status is TaskStatus.CHANGES_NEEDED


def test_a_returned_task_of_the_profile_is_settled_by_a_reply_without_a_gap():
    facts = replace(READY, state=RETURNED, reopened=frozenset({SITES, SUBMIT}))
    assert status(facts, SITES) is TaskStatus.CHANGES_NEEDED
    replied = replace(facts, replied=frozenset({SITES}))
    assert status(replied, SITES) is TaskStatus.COMPLETED
    assert status(replace(replied, gaps=frozenset({SITES})), SITES) is TaskStatus.CHANGES_NEEDED


def test_a_returned_agreement_waits_for_a_new_signature():
    facts = replace(READY, state=RETURNED, reopened=frozenset({AGREEMENT}), signed=False)
    assert status(facts, AGREEMENT) is TaskStatus.CHANGES_NEEDED


def test_nothing_is_unmet_when_all_is_ready():
    assert submit_problems(READY, []) == []


def test_every_unmet_point_names_the_task_that_meets_it():
    gap = Problem("Add at least one site.", SITES, "SITE_MISSING")
    problems = submit_problems(FRESH, [gap])
    assert [(one.field, one.code) for one in problems] == [
        (SITES, "SITE_MISSING"),
        ("assessment:1", "SECTION_OPEN"),
        (AGREEMENT, "AGREEMENT_UNSIGNED"),
    ]


def test_a_gap_that_opens_in_a_complete_section_is_a_point_of_its_own():
    gap = Problem(
        "%(criterion)s: attach evidence.", "file.2.1", "evidence-missing", {"criterion": "2.1"}
    )
    (problem,) = submit_problems(replace(READY, sections=(replace(DONE, gaps=(gap,)),)), [])
    assert problem.field == "assessment:2"
    assert problem.params["control"] == "file.2.1"


def test_gaps_outside_the_return_do_not_count():
    facts = replace(READY, state=RETURNED, reopened=frozenset({CONTACTS, SUBMIT}))
    gap = Problem("Add at least one site.", SITES, "SITE_MISSING")
    assert [one.code for one in submit_problems(facts, [gap])] == ["REPLY_MISSING"]
    assert submit_problems(replace(facts, replied=frozenset({CONTACTS})), [gap]) == []


def test_naming_a_criterion_reopens_its_section_the_evidence_and_submitting():
    assert reopened_by([], ["7"]) == {"assessment:7", EVIDENCE, SUBMIT}
    assert reopened_by(["company"], []) == {COMPANY, SUBMIT}


def test_progress_counts_what_is_settled_but_not_submitting():
    assert tasks.progress(groups(FRESH)) == (1, 7)
    assert tasks.progress(groups(READY)) == (7, 7)
