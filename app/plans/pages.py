"""A plan in words, put together once for its page, the agency's page and exports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import lazy_gettext as _l

from app.catalogues.model import Catalogue, UnknownIdError
from app.plans.models import Action
from app.plans.rules import Urgency, urgency
from app.plans.workflow import ActionState

STATES = {
    ActionState.PROMISED: (_l("Promised"), "neutral"),
    ActionState.BEGUN: (_l("Being worked on"), "progress"),
    ActionState.DONE: (_l("Done"), "success"),
    ActionState.DROPPED: (_l("Given up"), "neutral"),
}
LATE = (_l("Overdue"), "danger")


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action; `late` beside its state where its day has passed."""

    action: Action
    title: str
    state: str
    tone: str
    urgency: Urgency

    @property
    def late(self) -> bool:
        """Whether its day has passed and it is open."""
        return self.urgency is Urgency.OVERDUE


def action_rows(actions: Sequence[Action], catalogue: Catalogue, on: date) -> list[ActionRow]:
    """The actions in words, in their order."""
    return [_row(one, catalogue, on) for one in actions]


def _row(one: Action, catalogue: Catalogue, on: date) -> ActionRow:
    text, tone = STATES[ActionState(one.state)]
    how = urgency(one.state, one.due_on, on)
    if how is Urgency.OVERDUE:
        text, tone = LATE
    return ActionRow(one, title_of(catalogue, one.criterion_id), str(text), tone, how)


def title_of(catalogue: Catalogue, criterion_id: str) -> str:
    """Number and title of a criterion; the number alone where this version does not have it."""
    try:
        return f"{criterion_id} {catalogue.criterion(criterion_id).title}"
    except UnknownIdError:
        return criterion_id
