"""A duty in words: what it is about, by when, and the page on which it is done."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from app.home.duties import Duty, Kind

WORDS = {
    Kind.BOND: (
        _l("Continuous bond %(name)s"),
        _l("Record the bond that follows it."),
        "traders.bonds",
    ),
    Kind.LICENCE: (
        _l("Licence or filer code %(name)s, and no other is left"),
        _l("Add the one that is in force."),
        "traders.identifiers",
    ),
    Kind.DEBT: (
        _l("A final debt to the agency is unpaid"),
        _l("Pay it or agree on a plan of payment, then check again whether you can apply."),
        "applications.index",
    ),
    Kind.EVIDENCE: (
        _l("Evidence: %(name)s"),
        _l("Attach a newer document in its place."),
        "documents.index",
    ),
    Kind.CRITERIA: (
        _l("New version of the criteria: %(name)s"),
        _l("See what your answers lack under it at the next review."),
        "gaps.show",
    ),
    Kind.ACTION: (
        _l("Promised improvement: %(name)s"),
        _l("Show that it is done, or change the day."),
        "plans.show",
    ),
}
WHEN = {
    Kind.BOND: (_l("Binds until"), _l("Ended on")),
    Kind.LICENCE: (_l("Ends on"), _l("Ended on")),
    Kind.DEBT: (_l("Known since"), _l("Known since")),
    Kind.EVIDENCE: (_l("Counts until"), _l("Counted until")),
    Kind.CRITERIA: (_l("In force from"), _l("In force since")),
    Kind.ACTION: (_l("Due on"), _l("Was due on")),
}
"""What its day means, before and after it."""
OF_ASSESSMENT = frozenset({Kind.CRITERIA, Kind.ACTION})
TOLD = frozenset({Kind.CRITERIA})
"""These are news: their day passes without anybody being late."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """One line of the page."""

    text: str
    when: str
    on: date
    advice: str
    tag: str
    tone: str
    href: str


def deadline(one: Duty, trader_id: UUID) -> Deadline:
    """The line of one duty."""
    words, advice, endpoint = WORDS[one.kind]
    values = {"assessment_id": str(one.subjects[0])} if one.kind in OF_ASSESSMENT else {}
    before, after = WHEN[one.kind]
    late = one.late and one.kind not in TOLD
    return Deadline(
        text=str(words) % {"name": one.name},
        when=str(after if one.late else before),
        on=one.on,
        advice=str(advice),
        tag=gettext("Overdue") if late else gettext("To do"),
        tone="danger" if late else "warning",
        href=url_for(endpoint, trader_id=trader_id, **values),  # type: ignore[arg-type]
    )
