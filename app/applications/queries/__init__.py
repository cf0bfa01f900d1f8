"""What is read of applications; row access is `visible_application`."""

from app.applications.queries.content import present_content
from app.applications.queries.rows import (
    agreement_of,
    application_of_assessment,
    applications_of,
    current_return,
    latest_check,
    latest_checks,
    open_application,
    open_for,
    points_of,
    replies_of,
    returned_comments,
    returns_of,
    snapshot_of,
    snapshots_of,
    submitted_event,
    visible_application,
    visible_check,
)
from app.applications.queries.tasklist import (
    AssessmentFacts,
    TaskList,
    section_facts,
    task_facts,
    tasks,
    unmet,
)
from app.traders.queries import officers_of

__all__ = [
    "AssessmentFacts",
    "TaskList",
    "agreement_of",
    "application_of_assessment",
    "applications_of",
    "current_return",
    "latest_check",
    "latest_checks",
    "officers_of",
    "open_application",
    "open_for",
    "points_of",
    "present_content",
    "replies_of",
    "returned_comments",
    "returns_of",
    "section_facts",
    "snapshot_of",
    "snapshots_of",
    "submitted_event",
    "task_facts",
    "tasks",
    "unmet",
    "visible_application",
    "visible_check",
]
