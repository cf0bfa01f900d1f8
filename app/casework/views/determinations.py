"""Second signatures: what waits for one, what is overdue, and signing or declining."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Response
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.casework import queries
from app.casework.forms import ApproveForm, ConfirmForm, DeclineForm
from app.casework.models import Case
from app.casework.views import preview
from app.casework.views.case import Opened, looked_up
from app.casework.views.frame import back_to, blueprint, is_me, may_here, note_file, page
from app.casework.views.words import (
    STATUS_TONES,
    Tag,
    determination_tag,
    move_name,
    reason_words,
    standing_words,
)
from app.register import queries as register
from app.register import rules
from app.register import service as register_service
from app.register.models import Determination
from app.register.programme import PROGRAMMES, Move, Programme, Status
from app.register.receipts import entered_events
from app.register.rules import Standing, Wish
from app.register.workflow import DeterminationState
from app.traders.models import Trader
from app.web.access import requires
from app.web.fragments import render
from app.web.receipts import hand_out, is_sealed
from app.web.requests import current_work


@blueprint.get("/determinations")
@requires(Permission.CASE_VIEW)
def determinations() -> Response:
    """Everything that waits for a second signature; what is overdue stands on top."""
    work = current_work()
    waiting = register.determinations_open(work.session)
    traders = queries.traders_by_id(work.session, {one.trader_id for one in waiting})
    rows = [_row(one, traders[one.trader_id]) for one in waiting]
    return render(
        "casework/determinations.html",
        overdue=[one for one in rows if one["overdue"]],
        urgent=[one for one in rows if one["determination"].urgent and not one["overdue"]],
        proposed=[one for one in rows if not one["determination"].urgent],
    )


def _row(one: Determination, trader: Trader) -> dict[str, Any]:
    now = current_work().now
    due = one.countersign_due_at
    return {
        "determination": one,
        "trader": trader,
        "name": move_name(one),
        "programme": PROGRAMMES[one.programme].name,
        "to": standing_words(PROGRAMMES[one.programme], one.status, one.tier),
        "overdue": due is not None and due <= now,
        "mine": is_me(one.proposed_by),
    }


@dataclass(frozen=True, slots=True)
class Shown:
    """A determination with everything that a second person needs to decide."""

    determination: Determination
    trader: Trader
    programme: Programme
    move: Move | None
    standing: Standing | None
    case: Opened | None


def _opened(determination_id: uuid.UUID, permission: Permission) -> Shown:
    work = current_work()
    found = register.visible_determination(work, determination_id, permission)
    note_file(found, "determination", found.reference)
    programme = PROGRAMMES[found.programme]
    case = None if found.case_id is None else work.session.get(Case, found.case_id)
    return Shown(
        determination=found,
        trader=work.session.get_one(Trader, found.trader_id),
        programme=programme,
        move=programme.move(found.move),
        standing=register.standing_of(
            work.session, found.trader_id, found.programme, valid_at=work.now
        ),
        case=None if case is None else looked_up(case),
    )


@blueprint.get("/determinations/<uuid:determination_id>")
@requires(Permission.CASE_VIEW)
def determination(determination_id: uuid.UUID) -> Response:
    """One determination: what is proposed, on what grounds, and what the trader will read."""
    return _page(_opened(determination_id, Permission.CASE_VIEW))


@blueprint.get("/determinations/<uuid:determination_id>/receipt.tlog-proof")
@requires(Permission.CASE_VIEW)
def determination_receipt(determination_id: uuid.UUID) -> Response:
    """The receipt of a determination that took effect, to be checked without the console."""
    session = current_work().session
    found = _opened(determination_id, Permission.CASE_VIEW).determination
    event = entered_events(session, found.trader_id, [found.id]).get(found.id)
    return hand_out(session, event, found.reference)


@blueprint.post("/determinations/<uuid:determination_id>/approve")
@requires(Permission.DETERMINATION_APPROVE)
def approve(determination_id: uuid.UUID) -> Response | BaseResponse:
    """Give the second signature, to a proposal or to an urgent suspension."""
    work = current_work()
    shown = _opened(determination_id, Permission.DETERMINATION_APPROVE)
    found, form = shown.determination, ApproveForm(prefix="approve")
    if _signed_by_me(found):
        # A second click on the same button is no second signature, and no mistake either.
        return back_to("determination", determination_id=determination_id)
    sign = register_service.countersign if found.urgent else register_service.approve
    if form.done(lambda: sign(work, found)):
        message = gettext("Signed. The register and the trader know of it now.")
        return back_to("determination", message, determination_id=determination_id)
    return _page(shown, approving=form)


@blueprint.post("/determinations/<uuid:determination_id>/decline")
@requires(Permission.DETERMINATION_APPROVE)
def decline(determination_id: uuid.UUID) -> Response | BaseResponse:
    """Refuse the second signature, with a reason for the reviewer."""
    work = current_work()
    shown = _opened(determination_id, Permission.DETERMINATION_APPROVE)
    found, form = shown.determination, DeclineForm(prefix="decline")

    def act() -> None:
        register_service.decline(work, found, reason=form.reason.data or "")

    if form.done(act):
        message = gettext("Declined. The reviewer sees your reason.")
        return back_to("determination", message, determination_id=determination_id)
    return _page(shown, declining=form)


@blueprint.post("/determinations/<uuid:determination_id>/withdraw")
@requires(Permission.DETERMINATION_PROPOSE)
def withdraw_proposal(determination_id: uuid.UUID) -> Response | BaseResponse:
    """Take back one's own proposal while nobody has decided on it."""
    work = current_work()
    shown = _opened(determination_id, Permission.DETERMINATION_PROPOSE)
    register_service.withdraw_proposal(work, shown.determination)
    message = gettext("Taken back. Nothing was changed in the register.")
    return back_to("determination", message, determination_id=determination_id)


def _signed_by_me(found: Determination) -> bool:
    signed = {DeterminationState.APPROVED, DeterminationState.COUNTERSIGNED}
    return found.state in signed and is_me(found.decided_by)


def _page(
    shown: Shown,
    *,
    approving: ApproveForm | None = None,
    declining: DeclineForm | None = None,
) -> Response:
    found, work = shown.determination, current_work()
    available = found.available()
    signs = may_here(found, Permission.DETERMINATION_APPROVE) and not is_me(found.proposed_by)
    sent = approving or declining
    case = shown.case
    entered = entered_events(work.session, found.trader_id, [found.id]).get(found.id)
    return page(
        "determination.html",
        sent if sent is not None else ConfirmForm(None),
        determination=found,
        trader=shown.trader,
        programme=shown.programme,
        name=move_name(found),
        state=determination_tag(found),
        from_standing=_standing(shown),
        to_standing=Tag(
            standing_words(shown.programme, found.status, found.tier),
            STATUS_TONES[Status(found.status)],
        ),
        restrictions=[shown.programme.benefit(code).name for code in found.restrictions],
        reason=reason_words(shown.programme, found.move, found.reason_code),
        overdue=found.countersign_due_at is not None and found.countersign_due_at <= work.now,
        case=None if case is None else case.case,
        gates=None if case is None else case.gates,
        answered_since=case is not None
        and case.case.answered_at is not None
        and case.case.answered_at > found.proposed_at,
        withdrawn=case is not None and case.case.outcome == "withdrawn",
        letter=_letter(shown),
        approve_form=approving or ApproveForm(None, prefix="approve"),
        decline_form=declining or DeclineForm(None, prefix="decline"),
        may_approve=signs and bool({"approve", "countersign"} & set(available)),
        may_decline=signs and "decline" in available,
        may_withdraw=is_me(found.proposed_by) and "withdraw" in available,
        open_to_others=bool({"approve", "countersign"} & set(available)),
        mine=is_me(found.proposed_by),
        entered=entered is not None,
        sealed=is_sealed(work.session, entered),
    )


def _standing(shown: Shown) -> Tag | None:
    standing = shown.standing
    if standing is None:
        return None
    return Tag(
        standing_words(shown.programme, standing.status, standing.tier),
        STATUS_TONES[standing.status],
    )


def _letter(shown: Shown) -> preview.Letter | None:
    """The letter that follows from a proposal that waits; nothing once it is decided."""
    found, move, work = shown.determination, shown.move, current_work()
    if move is None or "approve" not in found.available():
        return None
    if shown.case is not None:
        return preview.of_application(
            shown.case.application, shown.trader, move, found.reason_code, found.reason_text
        )
    wish = Wish(
        tier=found.tier,
        restrictions=tuple(found.restrictions),
        status=Status(found.status),
        reason_code=found.reason_code,
        reason_text=found.reason_text,
        effective_from=found.effective_from,
        effective_until=found.effective_until,
    )
    if move not in rules.available_moves(shown.standing, shown.programme):
        return None
    return preview.of_standing(shown.trader, shown.programme, move, shown.standing, wish, work.now)
