"""The console's pages about new officers: what waits, proposing, and the second signature."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, flash, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.audit.access import Seen
from app.authz.permissions import Permission
from app.authz.policy import may
from app.documents.downloads import hand_out
from app.documents.models import DocumentRevision
from app.identity.models import Person
from app.successions import queries, service
from app.successions.forms import ApproveForm, ConfirmForm, DeclineForm, ProposeForm
from app.successions.models import Succession
from app.successions.wording import FATES, GROUND_CHOICES, STATES
from app.successions.workflow import Ground, SuccessionState
from app.traders import queries as traders
from app.traders.models import Trader
from app.traders.queries import visible_trader
from app.web.access import note_access, requires
from app.web.forms import Form
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_work
from app.web.wiring import wiring

blueprint = Blueprint("successions", __name__, url_prefix="/console")


@blueprint.get("/officers")
@requires(Permission.CASE_VIEW)
def index() -> Response:
    """What waits for a second signature, and what was decided."""
    session = current_work().session
    page = paginate(session, queries.decided(), page_number())
    names = queries.traders_of(session, page.items)
    return render(
        "successions/index.html",
        fragment="decided",
        waiting=[_row(one, trader) for one, trader in queries.waiting(session)],
        page=page,
        rows=[_row(one, names[one.trader_id]) for one in page.items],
    )


def _row(one: Succession, trader: Trader) -> dict[str, Any]:
    words, tone = STATES[SuccessionState(one.state)]
    return {
        "succession": one,
        "trader": trader,
        "ground": GROUND_CHOICES[one.ground],
        "state": words,
        "tone": tone,
        "mine": _is_me(one.proposed_by),
    }


@blueprint.route("/register/<uuid:trader_id>/officer", methods=["GET", "POST"])
@requires(Permission.SUCCESSION_PROPOSE)
def propose(trader_id: uuid.UUID) -> Response | BaseResponse:
    """Propose a new officer, which another person has to approve."""
    work = current_work()
    trader = visible_trader(work, trader_id, Permission.SUCCESSION_PROPOSE)
    note_access(Seen("trader", "officers", trader_id=trader.id))
    officers = [person for _, person in traders.officer_appointments(work.session, trader.id)]
    form = ProposeForm()
    if not form.is_submitted() and not officers:
        form.ground.data = Ground.NOBODY.value
    made: list[Succession] = []

    def act() -> None:
        file = form.file.data
        made.append(
            service.propose(
                work,
                trader,
                form.proposal(),
                key=form.row_id,
                filename=file.filename or "",
                stream=file.stream,
            )
        )

    if form.done(act):
        message = gettext("Proposed. Nothing changes until another person has approved it.")
        return _to(made[0], message)
    return _page(
        "propose.html",
        form,
        trader=trader,
        officers=_people(officers),
        open=queries.open_at(work.session, trader.id),
    )


@blueprint.get("/officers/<uuid:succession_id>")
@requires(Permission.CASE_VIEW)
def show(succession_id: uuid.UUID) -> Response:
    """One of them: who goes, who comes, why, and what the second person has to look at."""
    return _shown(_opened(succession_id, Permission.CASE_VIEW))


@blueprint.get("/officers/<uuid:succession_id>/evidence")
@requires(Permission.CASE_VIEW)
def evidence(succession_id: uuid.UUID) -> Response:
    """The paper that shows why."""
    found = _opened(succession_id, Permission.CASE_VIEW)
    return hand_out(current_work().session.get_one(DocumentRevision, found.evidence_id))


@blueprint.post("/officers/<uuid:succession_id>/approve")
@requires(Permission.SUCCESSION_APPROVE)
def approve(succession_id: uuid.UUID) -> Response | BaseResponse:
    """Give the second signature."""
    found = _opened(succession_id, Permission.SUCCESSION_APPROVE)
    form = ApproveForm(prefix="approve")
    if found.state == SuccessionState.APPROVED and _is_me(found.decided_by):
        # A second click on the same button is no second signature, and no mistake either.
        return _to(found)

    def act() -> None:
        service.approve(
            current_work(),
            found,
            link=lambda token: (
                wiring().settings.address + url_for("traders.invitation", token=token)
            ),
        )

    if form.done(act):
        return _to(found, gettext("Approved. It took effect at once."))
    return _shown(found, approving=form)


@blueprint.post("/officers/<uuid:succession_id>/decline")
@requires(Permission.SUCCESSION_APPROVE)
def decline(succession_id: uuid.UUID) -> Response | BaseResponse:
    """Refuse the second signature, with a reason for the proposer."""
    found = _opened(succession_id, Permission.SUCCESSION_APPROVE)
    form = DeclineForm(prefix="decline")

    def act() -> None:
        service.decline(current_work(), found, reason=form.reason.data or "")

    if form.done(act):
        return _to(found, gettext("Declined. Nothing has changed at the company."))
    return _shown(found, declining=form)


@blueprint.post("/officers/<uuid:succession_id>/withdraw")
@requires(Permission.SUCCESSION_PROPOSE)
def withdraw(succession_id: uuid.UUID) -> BaseResponse:
    """Take back one's own proposal while nobody has decided on it."""
    found = _opened(succession_id, Permission.SUCCESSION_PROPOSE)
    service.withdraw(current_work(), found)
    return _to(found, gettext("Taken back. Nothing has changed at the company."))


def _opened(succession_id: uuid.UUID, permission: Permission) -> Succession:
    found = queries.visible_succession(current_work(), succession_id, permission)
    note_access(Seen("succession", found.reference, trader_id=found.trader_id))
    return found


def _shown(
    found: Succession,
    *,
    approving: ApproveForm | None = None,
    declining: DeclineForm | None = None,
) -> Response:
    work = current_work()
    waits = "approve" in found.available()
    mine = _is_me(found.proposed_by)
    signs = waits and not mine and may(work.actor, Permission.SUCCESSION_APPROVE, found)
    people = _people(queries.leaving_people(work.session, found))
    words, tone = STATES[SuccessionState(found.state)]
    made = queries.new_officer_stands(work.session, found)
    sent = approving or declining
    return _page(
        "show.html",
        sent if sent is not None else ConfirmForm(None),
        succession=found,
        trader=work.session.get_one(Trader, found.trader_id),
        state=words,
        tone=tone,
        ground=GROUND_CHOICES[found.ground],
        fate=FATES[found.fate],
        people=people,
        signed_in_since=[
            one for one in people if one["last"] is not None and one["last"] > found.proposed_at
        ],
        waits=waits,
        mine=mine,
        may_sign=signs,
        may_withdraw=waits and mine,
        accepted=made is not None and made.person_id is not None,
        approve_form=approving or ApproveForm(None, prefix="approve"),
        decline_form=declining or DeclineForm(None, prefix="decline"),
    )


def _people(officers: Sequence[Person]) -> list[dict[str, Any]]:
    last = queries.last_sign_ins(current_work().session, [one.id for one in officers])
    return [{"name": one.name, "email": one.email, "last": last.get(one.id)} for one in officers]


def _is_me(person_id: uuid.UUID | None) -> bool:
    return person_id is not None and person_id == current_work().actor.person_id


def _page(template: str, form: Form, **context: Any) -> Response:  # noqa: ANN401
    """A page with a form: 200 as it was asked for, 422 with errors."""
    form.keep_files()
    return render(
        f"successions/{template}",
        form=form,
        form_errors=bool(form.errors),
        status=422 if form.errors else 200,
        **context,
    )


def _to(found: Succession, message: str = "") -> BaseResponse:
    if message:
        flash(message, "success")
    return redirect(url_for("successions.show", succession_id=found.id), code=303)
