"""The agency's own programs, on the console: looked at by some, managed by programme managers."""

import uuid

from flask import Blueprint, Response
from werkzeug.wrappers import Response as BaseResponse

from app.api_access.views import pages
from app.api_access.views.pages import Owner
from app.authz.permissions import Permission
from app.authz.policy import may_ever
from app.web.access import requires
from app.web.requests import current_actor

blueprint = Blueprint("agency_clients", __name__, url_prefix="/console/api-clients")
Answer = Response | BaseResponse


def own() -> Owner:
    """The agency; the route has asked who may come."""
    manages = may_ever(current_actor(), Permission.AGENCY_CLIENT_MANAGE)
    return Owner(blueprint.name, None, may_manage=manages)


@blueprint.get("")
@requires(Permission.AGENCY_CLIENT_VIEW)
def index() -> Response:
    """The agency's programs."""
    return pages.index(own())


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.AGENCY_CLIENT_MANAGE)
def register() -> Answer:
    """Register a program."""
    return pages.register(own())


@blueprint.get("/<uuid:api_client_id>")
@requires(Permission.AGENCY_CLIENT_VIEW)
def show(api_client_id: uuid.UUID) -> Response:
    """One program."""
    return pages.show(own(), api_client_id)


@blueprint.route("/<uuid:api_client_id>/rotate", methods=["GET", "POST"])
@requires(Permission.AGENCY_CLIENT_MANAGE)
def rotate(api_client_id: uuid.UUID) -> Answer:
    """A new secret or key."""
    return pages.rotate(own(), api_client_id)


@blueprint.route("/<uuid:api_client_id>/revoke/<uuid:credential_id>", methods=["GET", "POST"])
@requires(Permission.AGENCY_CLIENT_MANAGE)
def revoke_credential(api_client_id: uuid.UUID, credential_id: uuid.UUID) -> Answer:
    """End one secret or key."""
    return pages.revoke_credential(own(), api_client_id, credential_id)


@blueprint.route("/<uuid:api_client_id>/revoke", methods=["GET", "POST"])
@requires(Permission.AGENCY_CLIENT_MANAGE)
def revoke(api_client_id: uuid.UUID) -> Answer:
    """End a program."""
    return pages.revoke(own(), api_client_id)


@blueprint.route("/<uuid:api_client_id>/wake", methods=["GET", "POST"])
@requires(Permission.AGENCY_CLIENT_MANAGE)
def wake(api_client_id: uuid.UUID) -> Answer:
    """Wake a suspended program."""
    return pages.wake(own(), api_client_id)


@blueprint.route("/<uuid:api_client_id>/quota", methods=["GET", "POST"])
@requires(Permission.AGENCY_CLIENT_MANAGE)
def set_quota(api_client_id: uuid.UUID) -> Answer:
    """Set a program's quota."""
    return pages.set_quota(own(), api_client_id)
