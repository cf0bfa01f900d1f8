"""A trader's programs, for its officers."""

import uuid

from flask import Blueprint, Response
from werkzeug.wrappers import Response as BaseResponse

from app.api_access.views import pages
from app.api_access.views.pages import Owner
from app.authz.permissions import Permission
from app.traders.queries import visible_trader
from app.web.access import requires
from app.web.requests import current_work

blueprint = Blueprint("api_access", __name__, url_prefix="/traders/<uuid:trader_id>/api-access")
Answer = Response | BaseResponse


def own(trader_id: uuid.UUID) -> Owner:
    """The trader in the address, when the actor manages its clients."""
    return Owner(
        blueprint.name, visible_trader(current_work(), trader_id, Permission.CLIENT_MANAGE)
    )


@blueprint.get("")
@requires(Permission.CLIENT_MANAGE)
def index(trader_id: uuid.UUID) -> Response:
    """The company's programs."""
    return pages.index(own(trader_id))


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.CLIENT_MANAGE)
def register(trader_id: uuid.UUID) -> Answer:
    """Register a program."""
    return pages.register(own(trader_id))


@blueprint.get("/<uuid:api_client_id>")
@requires(Permission.CLIENT_MANAGE)
def show(trader_id: uuid.UUID, api_client_id: uuid.UUID) -> Response:
    """One program."""
    return pages.show(own(trader_id), api_client_id)


@blueprint.route("/<uuid:api_client_id>/rotate", methods=["GET", "POST"])
@requires(Permission.CLIENT_MANAGE)
def rotate(trader_id: uuid.UUID, api_client_id: uuid.UUID) -> Answer:
    """A new secret or key."""
    return pages.rotate(own(trader_id), api_client_id)


@blueprint.route("/<uuid:api_client_id>/revoke/<uuid:credential_id>", methods=["GET", "POST"])
@requires(Permission.CLIENT_MANAGE)
def revoke_credential(
    trader_id: uuid.UUID, api_client_id: uuid.UUID, credential_id: uuid.UUID
) -> Answer:
    """End one secret or key."""
    return pages.revoke_credential(own(trader_id), api_client_id, credential_id)


@blueprint.route("/<uuid:api_client_id>/revoke", methods=["GET", "POST"])
@requires(Permission.CLIENT_MANAGE)
def revoke(trader_id: uuid.UUID, api_client_id: uuid.UUID) -> Answer:
    """End a program."""
    return pages.revoke(own(trader_id), api_client_id)


@blueprint.route("/<uuid:api_client_id>/wake", methods=["GET", "POST"])
@requires(Permission.CLIENT_MANAGE)
def wake(trader_id: uuid.UUID, api_client_id: uuid.UUID) -> Answer:
    """Wake a suspended program."""
    return pages.wake(own(trader_id), api_client_id)
