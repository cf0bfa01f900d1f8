"""The way from a section to a page about something in it, with nothing lost on the way."""

import uuid
from dataclasses import replace

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.assessments import forms, queries
from app.assessments.models import Assessment
from app.assessments.views.frame import blueprint, own
from app.assessments.views.sections import FIELDS, SECTION, try_page
from app.authz.permissions import Permission
from app.catalogues.model import Section
from app.kernel.errors import NotFoundError
from app.web.access import requires
from app.web.requests import current_work


@blueprint.post(f"{SECTION}/talk")
@requires(Permission.APPLICATION_PREPARE)
@FIELDS
def talk_about(trader_id: uuid.UUID, assessment_id: uuid.UUID, section_id: str) -> BaseResponse:
    """Go on to the comments on a question, or to a file; whatever was typed is saved first."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    found = queries.section_in(assessment, section_id)
    address = _address(assessment, found)
    page = forms.read_page(request.form, request.files, found.criteria)
    refused, _ = try_page(assessment, found, replace(page, completed=None))
    return redirect(address, code=303) if refused is None else refused


def _address(assessment: Assessment, found: Section) -> str:
    """Of the page that is asked for; `NotFoundError` for what is not of this section."""
    revision_id = forms.read_id(request.form.get("revision", ""))
    if revision_id is not None:
        attached = queries.evidence_of(current_work().session, assessment.id)
        here = [one for criterion in found.criteria for one in attached.get(criterion.id, ())]
        if not any(one.document_revision_id == revision_id for one in here):
            raise NotFoundError
        return url_for("documents.show", trader_id=assessment.trader_id, revision_id=revision_id)
    wanted = request.form.get("question", "")
    if not any(one.id == wanted for criterion in found.criteria for one in criterion.questions):
        raise NotFoundError
    return url_for(
        "comments.show",
        trader_id=assessment.trader_id,
        assessment_id=assessment.id,
        question_id=wanted,
    )
