"""Handing out files, and the list of a trader's own."""

import unicodedata
import uuid
from urllib.parse import quote

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.audit.access import Seen
from app.authz.permissions import Permission
from app.authz.policy import may
from app.documents import queries, service
from app.documents.files import equip_files, files
from app.documents.models import DocumentRevision
from app.documents.rules import Handing, handing
from app.web.access import note_access, requires
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_actor, current_work

blueprint = Blueprint("documents", __name__)

STATUS_OF = {Handing.WARN_FIRST: 200, Handing.WAIT: 409, Handing.REFUSE: 403}
# The file is untrusted: even opened in a tab it may load, run and reach nothing.
SANDBOX = "sandbox; default-src 'none'"


@blueprint.record
def _equip(state: BlueprintSetupState) -> None:
    equip_files(state.app.extensions["fairway"].settings)


@blueprint.get("/documents/<uuid:revision_id>")
@requires(Permission.DOCUMENT_READ)
def download(revision_id: uuid.UUID) -> Response:
    """Hand out a file, or say why not; an unscanned one only to somebody who was warned."""
    revision = queries.visible_revision(current_work(), revision_id, Permission.DOCUMENT_READ)
    verdict = handing(revision.scan_state)
    warned = verdict is Handing.WARN_FIRST and request.args.get("warned") == "yes"
    if verdict is not Handing.HAND_OUT and not warned:
        return render(
            "documents/held.html",
            status=STATUS_OF[verdict],
            revision=revision,
            verdict=verdict.name,
        )
    if current_actor().is_agency:
        note_access(
            Seen(
                "document_revision",
                str(revision.id),
                answer=revision.scan_state,
                trader_id=revision.trader_id,
            )
        )
    return _hand_out(revision)


def _hand_out(revision: DocumentRevision) -> Response:
    content = files().read(revision.trader_id, revision.sha256)
    response = Response(content, mimetype=revision.media_type)
    response.content_length = revision.size
    # RFC 6266: a plain name for old programs, the real one for all others.
    plain = unicodedata.normalize("NFKD", revision.filename).encode("ascii", "ignore").decode()
    names = {"filename": plain.replace("%", "_") or "file"}
    if plain != revision.filename:
        names["filename*"] = f"UTF-8''{quote(revision.filename, safe='')}"
    response.headers.set("Content-Disposition", "attachment", **names)
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


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
