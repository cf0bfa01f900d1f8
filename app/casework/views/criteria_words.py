"""The words of the pages about criteria: states of a version, classes of change, parts of one."""

from typing import Any, Final

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from app.assessments.rules import spoken
from app.catalogues.comparison import Difference
from app.catalogues.model import Catalogue, ChangeClass, Criterion, Question
from app.publications.models import Publication
from app.publications.workflow import PublicationState

STATES: Final = {
    PublicationState.PROPOSED: (_l("Waits for the second signature"), "warning"),
    PublicationState.PUBLISHED: (_l("Published"), "success"),
    PublicationState.DECLINED: (_l("Declined"), "neutral"),
    PublicationState.WITHDRAWN: (_l("Taken back"), "neutral"),
}
CLASSES: Final[dict[ChangeClass, str]] = {
    "editorial": _l("Editorial: the answer is kept"),
    "clarified": _l("Clarified: the answer is kept, marked as reworded"),
    "substantive": _l("Substantive: the answer must be confirmed"),
    "new": _l("New: to be answered"),
    "split": _l("Split: the old answer is offered as a suggestion"),
    "merged": _l("Merged: the old answer is offered as a suggestion"),
    "withdrawn": _l("Withdrawn: no longer asked, old answers stay readable"),
}
ORDER: Final = tuple(CLASSES)


def state_of(catalogue: Catalogue, publication: Publication | None, today: Any) -> tuple[str, str]:  # noqa: ANN401 - a day.
    """How a version stands in words, and the tone of the words."""
    if publication is not None and publication.state == PublicationState.PROPOSED:
        words, tone = STATES[PublicationState.PROPOSED]
        return str(words), tone
    if publication is None and catalogue.previous is not None:
        return gettext("Not published"), "neutral"
    if catalogue.effective > today:
        return gettext("Published, not in force yet"), "progress"
    if publication is None:
        return gettext("In use as it was shipped"), "success"
    return gettext("Published"), "success"


def sides(one: Difference) -> list[dict[str, str]]:
    """What a part says before and after, line by line, only where the two differ."""
    before, after = _lines(one.before), _lines(one.after)
    return [
        {"label": label, "before": before.get(label, ""), "after": after.get(label, "")}
        for label in dict.fromkeys((*before, *after))
        if before.get(label, "") != after.get(label, "")
    ]


def _lines(part: Criterion | Question | None) -> dict[str, str]:
    if part is None:
        return {}
    if isinstance(part, Criterion):
        return {
            gettext("Title"): part.title,
            gettext("Statement"): part.statement,
            gettext("Weight"): gettext("Must") if part.modality == "must" else gettext("Should"),
            gettext("Why"): part.guidance.why,
            gettext("Good"): part.guidance.good,
            gettext("Not enough"): part.guidance.not_enough,
            gettext("Typical evidence"): "\n".join(part.evidence.examples),
            gettext("Documents needed"): str(part.evidence.min),
            gettext("Oldest evidence, months"): str(part.evidence.max_age_months or ""),
            gettext("Source"): part.source,
        }
    return {
        gettext("Question"): part.text,
        gettext("Type of answer"): part.type,
        gettext("Answers offered"): "\n".join(one.label for one in (*part.choices, *part.columns)),
        gettext("Answers that meet it"): "\n".join(
            sorted(spoken(part, value) for value in part.meeting or ())
        ),
        gettext("Asked only when"): "\n".join(
            f"{other}: {', '.join(one.accepted)}" for other, one in part.show_if.items()
        ),
        gettext("At the yearly review"): part.carry,
    }
