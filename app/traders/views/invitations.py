"""The link in an invitation's mail."""

import uuid

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.kernel.errors import NotReadyError
from app.traders import queries, service
from app.traders.forms import ConfirmForm
from app.traders.rules import ROLE_MEANINGS, ROLE_NAMES, InvitationStage
from app.traders.views.frame import address_of, back_to, blueprint
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import by_link, current_work

STATUS_OF = {
    InvitationStage.OTHER_ADDRESS: 403,
    InvitationStage.AGENCY: 403,
    InvitationStage.CLOSED: 410,
}


@blueprint.get("/invitations/<token>")
@requires(Permission.PUBLIC)
@by_link
def invitation(token: str) -> Response:
    """Show the invitation, and what the visitor can do with it."""
    work = current_work()
    found, trader = queries.invitation(work.session, token)
    stage = queries.invitation_stage(work, found)
    return render(
        "traders/invitation.html",
        status=STATUS_OF.get(stage, 200),
        stage=stage.value,
        trader=trader,
        role=ROLE_NAMES[found.role],
        meaning=ROLE_MEANINGS[found.role],
        expires_at=found.expires_at,
        form=ConfirmForm(),
        sign_in=address_of("identity.sign_in", next=request.path),
        sign_up=address_of("identity.sign_up", next=request.path),
        own_email=work.actor.email,
    )


@blueprint.post("/invitations/<token>")
@requires(Permission.SIGNED_IN)
@by_link
def accept_invitation(token: str) -> Response | BaseResponse:
    """Take up the role."""
    work = current_work()
    found, trader = queries.invitation(work.session, token)
    if queries.invitation_stage(work, found) not in {
        InvitationStage.ACCEPT,
        InvitationStage.ACCEPTED,
    }:
        return invitation(token)
    try:
        service.accept_appointment(work, found)
    except NotReadyError:
        # The person has a role there already, so there is nothing left to accept.
        work.session.rollback()
        return back_to("profile", trader_id=trader.id)
    message = gettext("You now act for %(trader)s.", trader=trader.name)
    return back_to("profile", message, trader_id=trader.id)


@blueprint.post("/invitations/own/<uuid:appointment_id>/accept")
@requires(Permission.SIGNED_IN)
@by_link
def accept_own_invitation(appointment_id: uuid.UUID) -> Response | BaseResponse:
    """Take up a role from the start page: whoever has just signed up need not find the letter."""
    work = current_work()
    found, trader = queries.own_invitation(work, appointment_id)
    try:
        service.accept_appointment(work, found)
    except NotReadyError:
        # The person has a role there already, so there is nothing left to accept.
        work.session.rollback()
        return back_to("switch")
    return back_to("switch", gettext("You now act for %(trader)s.", trader=trader.name))
