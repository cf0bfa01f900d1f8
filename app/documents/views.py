"""Handing out files, and the list of a trader's own."""

import uuid

from flask import Blueprint, Response, flash, redirect, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.audit.access import Seen
from app.authz.permissions import Permission
from app.authz.policy import may
from app.documents import queries, service
from app.documents.downloads import hand_out, is_handed_out
from app.documents.files import equip_files
from app.web.access import note_access, requires
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_actor, current_work

blueprint = Blueprint("documents", __name__)


@blueprint.record
def _equip(state: BlueprintSetupState) -> None:
    equip_files(state.app.extensions["fairway"].settings)


@blueprint.get("/documents/<uuid:revision_id>")
@requires(Permission.DOCUMENT_READ)
def download(revision_id: uuid.UUID) -> Response:
    """Hand out a file, or say why not; the agency's and a broker's looking is recorded."""
    revision = queries.visible_revision(current_work(), revision_id, Permission.DOCUMENT_READ)
    actor = current_actor()
    if is_handed_out(revision) and (actor.is_agency or revision.trader_id in actor.grants):
        note_access(
            Seen(
                "document_revision",
                str(revision.id),
                answer=revision.scan_state,
                trader_id=revision.trader_id,
            )
        )
    return hand_out(revision)


@blueprint.get("/traders/<uuid:trader_id>/documents")
@requires(Permission.APPLICATION_VIEW)
def index(trader_id: uuid.UUID) -> Response:
    """The trader's documents, the newest first."""
    work = current_work()
    queries.check_reach(work, trader_id, Permission.APPLICATION_VIEW)
    page = paginate(work.session, queries.live_revisions(trader_id), page_number())
    return render(
        "documents/index.html",
        fragment="documents",
        page=page,
        trader_id=trader_id,
        may_remove=may(work.actor, Permission.APPLICATION_PREPARE, queries.OfTrader(trader_id)),
    )


@blueprint.post("/traders/<uuid:trader_id>/documents/<uuid:document_id>/remove")
@requires(Permission.APPLICATION_PREPARE)
def remove(trader_id: uuid.UUID, document_id: uuid.UUID) -> BaseResponse:
    """Remove a document that no submitted application cites."""
    work = current_work()
    document = queries.visible_document(
        work, trader_id, document_id, Permission.APPLICATION_PREPARE
    )
    service.remove(work, document)
    flash(gettext("Removed: %(title)s", title=document.title), "success")
    return redirect(url_for("documents.index", trader_id=trader_id), code=303)
