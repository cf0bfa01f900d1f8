"""Long lists in pages of equal length, with the total, so that nobody wonders what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request, url_for
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

Row = TypeVar("Row")
PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list: `number` counts from 1, `pages` is at least 1."""

    items: Sequence[Row]
    number: int
    pages: int
    total: int

    def url(self, number: int) -> str:
        """The address of another page of the same list, with the same filters."""
        values: dict[str, Any] = {**(request.view_args or {}), **request.args.to_dict()}
        values["page"] = number
        return url_for(request.endpoint or "", **values)


def page_number() -> int:
    """The page that the address asks for; anything odd is page 1."""
    return max(1, request.args.get("page", 1, type=int))


def paginate(
    session: Session, statement: Select[Any], number: int, per_page: int = PER_PAGE
) -> Page[Any]:
    """The rows of page `number` of an ordered statement that selects one entity or a tuple."""
    total = session.execute(
        select(func.count()).select_from(statement.order_by(None).subquery())
    ).scalar_one()
    pages = max(1, -(-total // per_page))
    number = min(number, pages)
    result = session.execute(statement.limit(per_page).offset((number - 1) * per_page))
    rows = result.scalars().all() if len(statement.column_descriptions) == 1 else result.all()
    return Page(items=rows, number=number, pages=pages, total=total)


def page_of(rows: Sequence[Row], number: int, per_page: int = PER_PAGE) -> Page[Row]:
    """Page `number` of rows that are all at hand already."""
    pages = max(1, -(-len(rows) // per_page))
    number = min(number, pages)
    items = rows[(number - 1) * per_page : number * per_page]
    return Page(items=items, number=number, pages=pages, total=len(rows))
