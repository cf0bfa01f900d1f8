"""How a case can end: what can be recommended, what stands in the way, what the trader will read."""

import uuid

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.casework import queries, service
from app.casework.forms import ReasonForm
from app.casework.views import preview
from app.casework.views.case import frame, opened
from app.casework.views.frame import back_to, blueprint, is_me, may_here, page
from app.casework.views.words import determination_tag, move_name, reason_words
from app.kernel.errors import NotFoundError
from app.register.programme import PROGRAMMES
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_work

SEND = "send"


@blueprint.get("/cases/<uuid:case_id>/decision")
@requires(Permission.CASE_VIEW)
def decision(case_id: uuid.UUID) -> Response:
    """What can be recommended and what is missing for it; what was recommended before."""
    work, found = current_work(), opened(case_id, "decision")
    proposals = queries.proposals_of(work.session, found.case)
    waiting = next((one for one in proposals if "approve" in one.available()), None)
    return render(
        "casework/decision.html",
        **frame(found, "decision"),
        choices=queries.choices(work, found.case, found.gates),
        may_recommend=found.offers("recommend"),
        undecided=found.case.closed_at is None and waiting is None,
        waiting=waiting,
        signs=waiting is not None
        and not is_me(waiting.proposed_by)
        and may_here(waiting, Permission.DETERMINATION_APPROVE),
        history=[
            {
                "determination": one,
                "name": move_name(one),
                "tag": determination_tag(one),
                "reason": reason_words(PROGRAMMES[one.programme], one.move, one.reason_code),
            }
            for one in proposals
        ],
    )


@blueprint.route("/cases/<uuid:case_id>/decision/<move_id>", methods=["GET", "POST"])
@requires(Permission.DETERMINATION_PROPOSE)
def recommend(case_id: uuid.UUID, move_id: str) -> Response | BaseResponse:
    """Recommend one way to end the case: reason, date, a look at the letter, then send it on."""
    work = current_work()
    found = opened(case_id, f"decision {move_id}", Permission.DETERMINATION_PROPOSE)
    case = found.case
    move = PROGRAMMES[case.programme].move(move_id)
    if move is None:
        raise NotFoundError
    choice = next(
        (one for one in queries.choices(work, case, found.gates) if one.move == move), None
    )
    form = ReasonForm().of(move)
    if "tier" in form:
        # The tier is the one that the trader applied for.
        del form["tier"]
    shown = None

    def act() -> None:
        wish = form.wish(work.now.date())
        service.recommend(
            work,
            case,
            key=form.row_id,
            move_id=move_id,
            reason_code=wish["reason_code"],
            reason_text=wish["reason_text"],
            effective_from=wish["effective_from"],
        )

    if form.validate_on_submit():
        shown = preview.of_application(
            found.application,
            found.trader,
            move,
            form.reason_code.data,
            form.reason_text.data,
        )
        if request.form.get("step") == SEND and form.confirm() and form.attempt(act):
            message = gettext("Recommended. A supervisor now signs or declines it.")
            return back_to("decision", message, case_id=case_id)
    return page(
        "recommend.html",
        form,
        **frame(found, "decision"),
        move=move,
        tier=PROGRAMMES[case.programme].tier(case.tier) if move.needs_tier else None,
        problems=() if choice is None else choice.problems,
        preview=shown,
        can_send=choice is not None and not choice.problems and found.offers("recommend"),
    )
