"""What both pages on the record share: their filters, the link to what is older, the CSV file."""

import csv
import io
from collections.abc import Iterable
from typing import Any, BinaryIO

from flask import Response, request, url_for

from app.activity.forms import RecordForm
from app.activity.queries import Cursor, Found, Wanted, subjects_of
from app.activity.sentences import Line
from app.activity.wording import Side
from app.advance_data.csv_export import formula_safe
from app.web.attachments import written
from app.web.requests import current_work


def wanted_of(form: RecordForm, **more: Any) -> Wanted:  # noqa: ANN401 - members of `Wanted`.
    """What a valid form asks for."""
    about = form.about.data or ""
    who = form.who.data if form.who is not None else ""
    return Wanted(
        since=form.since.data,
        until=form.until.data,
        side=Side(who) if who in set(Side) else None,
        name=form.name.data or "",
        area=form.kind.data or "",
        about=about,
        subjects=subjects_of(current_work().session, about, more.get("trader_id"))
        if about
        else None,
        before=Cursor.parse(request.args.get("before", "")),
        **more,
    )


def kept(form: RecordForm) -> dict[str, str]:
    """The filters in the address, for links that keep them."""
    return {
        name: value
        for name, value in request.args.items()
        if name in form and value and name != "before"
    }


def links(form: RecordForm, found: Found, endpoint: str, csv_endpoint: str) -> dict[str, Any]:
    """Where the page's links lead."""
    here = {**(request.view_args or {}), **kept(form)}
    return {
        "older_href": url_for(endpoint, **here, before=str(found.next)) if found.next else None,
        "newest_href": url_for(endpoint, **here) if request.args.get("before") else None,
        "csv_href": url_for(csv_endpoint, **here),
        "clear_href": url_for(endpoint, **(request.view_args or {})),
        "filtered": bool(kept(form)),
    }


def as_csv(name: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Response:
    """A CSV file whose cells no spreadsheet takes for a formula, whole before its first byte."""

    def write(into: BinaryIO) -> None:
        text = io.TextIOWrapper(into, encoding="utf-8-sig", newline="")
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows([formula_safe(one) for one in row] for row in rows)
        text.detach()

    return written(write, content_type="text/csv; charset=utf-8", filename=name)


def common_cells(line: Line) -> tuple[str, ...]:
    """The cells that both files have."""
    return (line.at.isoformat(), line.who, line.capacity, line.under, line.what)
