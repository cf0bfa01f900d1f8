"""The queue: what waits, for whom, and for how long; taking a case and giving it back."""

import uuid
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from app.authz.actor import Actor
from app.authz.permissions import Permission
from app.authz.policy import may_ever
from app.casework import queries, service
from app.casework.models import Case
from app.casework.views.frame import back_to, blueprint, is_me, may_here
from app.casework.views.words import age, ball, due_tag, state_tag, who
from app.kernel.errors import NotFoundError
from app.publications import queries as publications
from app.register.programme import PROGRAMMES
from app.successions import queries as successions
from app.traders.models import Trader
from app.web.access import requires
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_work

LABELS = {
    "mine": _l("Mine"),
    "unassigned": _l("Unassigned"),
    "responses": _l("Responses received"),
    "waiting": _l("Waiting for the trader"),
    "countersign": _l("Countersign"),
    "all": _l("All"),
}
EMPTY = {
    "mine": (_l("You hold no case"), _l("Take one from the unassigned cases.")),
    "unassigned": (_l("Every case is taken"), _l("New applications appear here.")),
    "responses": (
        _l("No answer is waiting"),
        _l("When a trader answers a request, its case appears here."),
    ),
    "waiting": (_l("No trader has been asked for anything"), ""),
    "countersign": (
        _l("Nothing waits for a second signature"),
        _l("Recommended cases appear here."),
    ),
    "all": (_l("There is no case yet"), _l("A case opens when a trader submits an application.")),
}


@blueprint.get("/")
@requires(Permission.CASE_VIEW)
def queue() -> Response:
    """The queue at the tab that fits the person."""
    return _queue(_first_tab(current_work().actor))


@blueprint.get("/queue/<tab>")
@requires(Permission.CASE_VIEW)
def queue_tab(tab: str) -> Response:
    """One tab of the queue."""
    if tab not in queries.TABS:
        raise NotFoundError
    return _queue(tab)


def _first_tab(actor: Actor) -> str:
    """Reviewers look for their own work first, supervisors for what they have to sign."""
    if may_ever(actor, Permission.DETERMINATION_APPROVE):
        return "countersign"
    return "mine" if may_ever(actor, Permission.CASE_REVIEW) else "all"


def _queue(tab: str) -> Response:
    work = current_work()
    words = request.args.get("q", "").strip()[:100]
    person_id = work.actor.person_id
    found = paginate(work.session, queries.queue(tab, person_id, words), page_number())
    held = queries.counts(work.session, person_id)
    here = url_for("casework.queue_tab", tab=tab)
    return render(
        "casework/queue.html",
        fragment="cases",
        tab=tab,
        label=LABELS[tab],
        here=here,
        words=words,
        page=found,
        rows=[_row(case, trader, work.actor) for case, trader in found.items],
        tabs_of_queue=[
            {
                "label": label,
                "href": url_for("casework.queue_tab", tab=name),
                "current": name == tab,
                "count": held[name],
            }
            for name, label in LABELS.items()
        ],
        new_officers=successions.waiting_count(work.session),
        new_criteria=publications.waiting_count(work.session),
        empty_words=EMPTY[tab],
        unassigned=held["unassigned"],
    )


def _row(case: Case, trader: Trader, actor: Actor) -> dict[str, Any]:
    today = current_work().now.date()
    available = case.available()
    reviews = may_here(case, Permission.CASE_REVIEW)
    return {
        "case": case,
        "trader": trader.name,
        "programme": PROGRAMMES[case.programme].name,
        "state": state_tag(case),
        "answered": case.answered_at is not None and "release" in available,
        "ball": ball(case, actor),
        "holder": who(case, actor),
        "age": age(case, today),
        "due": due_tag(case, today),
        "may_take": reviews and case.assignee_id is None and "take" in available,
        "may_release": reviews and is_me(case.assignee_id) and "release" in available,
    }


@blueprint.post("/cases/<uuid:case_id>/take")
@requires(Permission.CASE_REVIEW)
def take(case_id: uuid.UUID) -> BaseResponse:
    """Take a case, and see it."""
    work = current_work()
    case = queries.visible_case(work, case_id, Permission.CASE_REVIEW)
    service.take(work, case)
    return back_to("case", gettext("The case is yours."), case_id=case.id)


@blueprint.post("/cases/<uuid:case_id>/release")
@requires(Permission.CASE_REVIEW)
def release(case_id: uuid.UUID) -> BaseResponse:
    """Give a case back to the queue."""
    work = current_work()
    case = queries.visible_case(work, case_id, Permission.CASE_REVIEW)
    service.release(work, case)
    message = gettext(
        "Released. Case %(reference)s is open to any reviewer.", reference=case.reference
    )
    return back_to("queue_tab", message, tab="unassigned")
