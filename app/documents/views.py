"""Handing out files, the list of a trader's own, and what is said about one of them."""

import uuid
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Response, flash, g, redirect, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.audit.access import Seen
from app.authz.permissions import Permission
from app.authz.policy import may
from app.documents import queries, service
from app.documents.age import last_day_of
from app.documents.describing import DescribeForm
from app.documents.downloads import hand_out, is_handed_out
from app.documents.files import equip_files
from app.documents.models import DocumentRevision
from app.kernel.errors import NotFoundError
from app.web.access import note_access, requires
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_actor, current_work

blueprint = Blueprint("documents", __name__)
ADDRESS = "/traders/<uuid:trader_id>/documents/<uuid:revision_id>"


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
        may_describe=may(work.actor, Permission.DOCUMENT_DESCRIBE, queries.OfTrader(trader_id)),
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


@dataclass(frozen=True, slots=True)
class Until:
    """The last day on which a file counts, and whether it has passed."""

    day: date
    over: bool


@blueprint.app_template_global()
def can_open(revision: DocumentRevision) -> bool:
    """Whether the reader would be handed the file."""
    return revision.openable and not queries.kept_from(current_actor(), revision)


@blueprint.app_template_global()
def counts_until(revision: DocumentRevision, months: int | None = None) -> Until | None:
    """Until when a file counts where evidence may be `months` old; nothing when nothing ends it."""
    day = last_day_of(revision.stored_at.date(), revision.expires_on, months)
    return None if day is None else Until(day, day < current_work().now.date())


@blueprint.app_template_global()
def marked_confidential(revision_id: str) -> bool:
    """Whether a file of the one trader that a page is about is confidential: one statement a page."""
    if "confidential_revisions" not in g:
        wanted = uuid.UUID(revision_id)
        g.confidential_revisions = queries.confidential_of(current_work().session, wanted)
    return uuid.UUID(revision_id) in g.confidential_revisions


@blueprint.get(ADDRESS)
@requires(Permission.DOCUMENT_DESCRIBE)
def show(trader_id: uuid.UUID, revision_id: uuid.UUID) -> Response:
    """What is known of the file, with the form to say more."""
    found = _revision(trader_id, revision_id)
    form = DescribeForm(None, expires_on=found.expires_on, confidential=found.confidential)
    return _page(found, form)


@blueprint.post(ADDRESS)
@requires(Permission.DOCUMENT_DESCRIBE)
def describe(trader_id: uuid.UUID, revision_id: uuid.UUID) -> BaseResponse:
    """Say until when it holds, and whether it is confidential."""
    found = _revision(trader_id, revision_id)
    form = DescribeForm()
    if not form.done(
        lambda: service.describe(
            current_work(),
            found,
            expires_on=form.expires_on.data,
            confidential=form.confidential.data,
        )
    ):
        return _page(found, form, status=422)
    flash(gettext("Saved: %(name)s", name=found.filename), "success")
    address = url_for("documents.show", trader_id=trader_id, revision_id=revision_id)
    return redirect(address, code=303)


def _revision(trader_id: uuid.UUID, revision_id: uuid.UUID) -> DocumentRevision:
    found = queries.visible_revision(current_work(), revision_id, Permission.DOCUMENT_DESCRIBE)
    if found.trader_id != trader_id or found.document.removed_at is not None:
        raise NotFoundError
    return found


def _page(found: DocumentRevision, form: DescribeForm, *, status: int = 200) -> Response:
    return render(
        "documents/show.html",
        status=status,
        form_errors=bool(form.errors),
        form=form,
        revision=found,
        trader_id=found.trader_id,
    )
