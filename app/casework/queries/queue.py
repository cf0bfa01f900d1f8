"""The queue: which cases a tab shows, in one statement, and how many each tab holds, in one more."""

import uuid
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Select, case, func, or_, select, true
from sqlalchemy.orm import Session

from app.casework.models import Case
from app.casework.workflow import CaseState
from app.traders.models import Trader

# The state column is private so that only `app.work.move` writes it; reading it is free.
CASE_STATE: Final = Case._state  # noqa: SLF001
TABS: Final = ("mine", "unassigned", "responses", "waiting", "countersign", "all")
_OPEN: Final = CASE_STATE != CaseState.CLOSED


def _condition(tab: str, person_id: uuid.UUID | None) -> ColumnElement[bool]:
    match tab:
        case "mine":
            return _OPEN & (Case.assignee_id == person_id)
        case "unassigned":
            return CASE_STATE.in_((CaseState.OPEN, CaseState.WAITING_ON_TRADER)) & (
                Case.assignee_id.is_(None)
            )
        case "responses":
            return CASE_STATE.in_((CaseState.OPEN, CaseState.IN_REVIEW)) & (
                Case.answered_at.is_not(None)
            )
        case "waiting":
            return CASE_STATE == CaseState.WAITING_ON_TRADER
        case "countersign":
            return CASE_STATE == CaseState.RECOMMENDED
        case _:
            return true()


def _matches(words: str) -> ColumnElement[bool]:
    wanted = words.strip()
    if not wanted:
        return true()
    return or_(
        Trader.name.icontains(wanted, autoescape=True),
        Case.reference.icontains(wanted, autoescape=True),
    )


def queue(tab: str, person_id: uuid.UUID | None, words: str = "") -> Select[Any]:
    """The cases of a tab with their traders, the most pressing first; for `paginate`.

    `words` filters by a part of the trader's name or of the reference. Closed cases stand last,
    the newest of them first.
    """
    closed = case((_OPEN, 0), else_=1)
    statement = (
        select(Case, Trader)
        .join(Trader, Trader.id == Case.trader_id)
        .where(_condition(tab, person_id), _matches(words))
        .order_by(closed, Case.closed_at.desc(), Case.due_on, Case.opened_at, Case.id)
    )
    return cast("Select[Any]", statement)


def counts(session: Session, person_id: uuid.UUID | None) -> dict[str, int]:
    """How many cases each tab holds, without any filter."""
    columns = [func.count().filter(_condition(tab, person_id)).label(tab) for tab in TABS]
    row = session.execute(select(*columns).select_from(Case)).one()
    return {tab: getattr(row, tab) for tab in TABS}
