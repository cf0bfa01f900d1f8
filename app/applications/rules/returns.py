"""What a return can name."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.applications.rules.tasks import AGREEMENT, PROFILE, assessment_task
from app.catalogues.model import Catalogue
from app.kernel.errors import Problem


@dataclass(frozen=True, slots=True)
class Returnable:
    """The tasks that can be given back, and the section of each criterion that applies."""

    tasks: frozenset[str]
    sections: dict[str, str]


def catalogue_tasks(catalogue: Catalogue, profile_id: str) -> Returnable:
    """What of an application can be given back under a catalogue's profile."""
    sections = catalogue.sections_in(profile_id)
    return Returnable(
        tasks=frozenset((*PROFILE, AGREEMENT, *(assessment_task(one.id) for one in sections))),
        sections={
            criterion.id: section.id for section in sections for criterion in section.criteria
        },
    )


def return_problems(
    known: Returnable, tasks: Collection[str], criteria: Sequence[str], message: str
) -> list[Problem]:
    """What is wrong with a return: it says why, and names at least one thing that exists."""
    problems = []
    if not message.strip():
        problems.append(Problem("Say in a sentence what the trader has to do.", "message"))
    if not tasks and not criteria:
        problems.append(Problem("Name at least one task or criterion to reopen.", "tasks"))
    if set(tasks) - known.tasks:
        problems.append(Problem("One of the tasks cannot be reopened.", "tasks", "UNKNOWN_TASK"))
    if set(criteria) - set(known.sections):
        problems.append(
            Problem("One of the criteria is not part of the assessment.", "points", "UNKNOWN")
        )
    return problems
