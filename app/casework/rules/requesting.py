"""What makes a request for information one that a trader can answer."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from app.kernel.errors import Problem

USUAL_PERIOD: Final = timedelta(days=30)
"""What the form proposes; the reviewer may set another day."""
SHORTEST_PERIOD: Final = timedelta(days=5)
LONGEST_PERIOD: Final = timedelta(days=180)


def problems(
    *,
    tasks: Sequence[str],
    comments: Mapping[str, str],
    message: str,
    due_on: date | None,
    known_tasks: Collection[str],
    known_criteria: Collection[str],
    today: date,
) -> list[Problem]:
    """Everything that is wrong with a request; `comments` are the words on each criterion."""
    found = []
    if not tasks and not comments:
        found.append(
            Problem("Choose at least one task or criterion to reopen.", "criteria", "NOTHING_ASKED")
        )
    if set(tasks) - set(known_tasks):
        found.append(Problem("The application has no such task.", "tasks", "TASK"))
    if set(comments) - set(known_criteria):
        found.append(Problem("The application has no such criterion.", "criteria", "CRITERION"))
    found += [
        Problem(
            "Say what you ask for on criterion %(criterion)s.",
            f"comment-{criterion}",
            "COMMENT_MISSING",
            {"criterion": criterion},
        )
        for criterion, comment in comments.items()
        if not comment.strip()
    ]
    if not message.strip():
        found.append(Problem("Write a message to the trader.", "message", "MESSAGE_MISSING"))
    if due_on is None:
        found.append(Problem("Give the day by which the answer is due.", "due_on", "DATE"))
    elif not today + SHORTEST_PERIOD <= due_on <= today + LONGEST_PERIOD:
        found.append(
            Problem(
                "Give a day that is at least %(shortest)s and at most %(longest)s days away.",
                "due_on",
                "DATE",
                {"shortest": SHORTEST_PERIOD.days, "longest": LONGEST_PERIOD.days},
            )
        )
    return found


def stop_problems(due_on: date, today: date) -> list[Problem]:
    """Why the agency cannot stop waiting yet: it named a day, and keeps it."""
    if today <= due_on:
        return [
            Problem(
                "The trader has until %(day)s to answer. You can stop waiting after that day.",
                code="NOT_DUE",
                params={"day": f"{due_on:%d %B %Y}".lstrip("0")},
            )
        ]
    return []
