"""The assessment as a workbook: download it, upload it, look at the differences, take them."""

import re
import uuid
from typing import BinaryIO, cast

from flask import Response, flash, request
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from app.assessments import queries, service
from app.assessments.errors import WorkbookOvertakenError
from app.assessments.models import AnswerWorkbook, Assessment
from app.assessments.rules import spoken
from app.assessments.views.frame import (
    ADDRESS,
    application_address,
    blueprint,
    go,
    may_prepare,
    own,
)
from app.assessments.workbook.preview import by_section, differences
from app.assessments.workbook.writing import Sources, write_workbook
from app.assessments.workflow import WorkbookState
from app.authz.permissions import Permission
from app.documents.rules import KINDS
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.web.access import requires
from app.web.attachments import written
from app.web.errors import translate
from app.web.fragments import render
from app.web.requests import current_work
from app.web.strict import repeats

WORKBOOK = f"{ADDRESS}/workbook"
SEEN = "seen."


@blueprint.get(WORKBOOK)
@requires(Permission.APPLICATION_VIEW)
def workbook(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> Response:
    """Where the workbook is downloaded and comes back."""
    return _page(own(trader_id, assessment_id, Permission.APPLICATION_VIEW))


@blueprint.get(f"{ADDRESS}/workbook.xlsx")
@requires(Permission.APPLICATION_VIEW)
def download_workbook(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> Response:
    """The whole assessment as it stands, to be filled in elsewhere."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_VIEW)
    work = current_work()
    sources = Sources(
        assessment=assessment,
        catalogue=queries.catalogue_of(assessment),
        company=queries.company_of(work.session, assessment),
        contents=queries.contents_of(work.session, assessment.id),
        versions={
            section_id: row.version
            for section_id, row in queries.sections_of(work.session, assessment.id).items()
        },
        files={
            criterion_id: [one.revision.filename for one in attached]
            for criterion_id, attached in queries.evidence_of(work.session, assessment.id).items()
        },
        at=work.now,
    )
    return written(
        lambda into: write_workbook(sources, translate, into),
        content_type=KINDS["xlsx"].media_type,
        filename=f"self-assessment-{assessment.catalogue_id}-{work.now:%Y-%m-%d}.xlsx",
    )


@blueprint.post(WORKBOOK)
@requires(Permission.APPLICATION_PREPARE)
def upload_workbook(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> BaseResponse:
    """Read a workbook and show what it would change; nothing is changed yet."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    chosen = request.files.get("file")
    if chosen is None or not chosen.filename:
        missing = Problem("Choose the workbook that you filled in.", field="file")
        return _page(assessment, [missing], status=422)
    try:
        received = service.receive_workbook(
            current_work(),
            assessment,
            filename=chosen.filename,
            stream=cast("BinaryIO", chosen.stream),
        )
    except NotReadyError as refusal:
        return _page(assessment, refusal.problems, status=422)
    return go("workbook_differences", assessment, workbook_id=received.id)


@blueprint.get(f"{WORKBOOK}/<uuid:workbook_id>")
@requires(Permission.APPLICATION_PREPARE)
def workbook_differences(
    trader_id: uuid.UUID, assessment_id: uuid.UUID, workbook_id: uuid.UUID
) -> BaseResponse:
    """What the workbook would change, old and new words side by side."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    received = queries.visible_workbook(current_work(), assessment, workbook_id)
    if received.state != WorkbookState.RECEIVED:
        return go("workbook", assessment)
    return _differences(assessment, received)


@blueprint.post(f"{WORKBOOK}/<uuid:workbook_id>")
@requires(Permission.APPLICATION_PREPARE)
@repeats("take")
def apply_workbook(
    trader_id: uuid.UUID, assessment_id: uuid.UUID, workbook_id: uuid.UUID
) -> BaseResponse:
    """Take the chosen answers."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    work = current_work()
    received = queries.visible_workbook(work, assessment, workbook_id)
    chosen = request.form.getlist("take")
    if not chosen:
        missing = Problem("Choose at least one answer, or put the workbook away.", field="take")
        return _differences(assessment, received, [missing], status=422)
    try:
        with work.session.begin_nested():
            count = service.apply_workbook(work, assessment, received, chosen=chosen, seen=_seen())
    except WorkbookOvertakenError as overtaken:
        problem = Problem(overtaken.message, field="take")
        return _differences(assessment, received, [problem], status=409)
    except ConflictError as refusal:
        problem = Problem(refusal.message, field="file", params=refusal.params)
        return _page(assessment, [problem], status=409)
    words = ngettext(
        "Taken from the workbook: %(num)s answer.",
        "Taken from the workbook: %(num)s answers.",
        count,
    )
    flash(words, "success")
    return go("overview", assessment)


@blueprint.post(f"{WORKBOOK}/<uuid:workbook_id>/discard")
@requires(Permission.APPLICATION_PREPARE)
def discard_workbook(
    trader_id: uuid.UUID, assessment_id: uuid.UUID, workbook_id: uuid.UUID
) -> BaseResponse:
    """Put the workbook away without taking anything."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    received = queries.visible_workbook(current_work(), assessment, workbook_id)
    service.discard_workbook(current_work(), assessment, received)
    flash(gettext("The workbook was put away. No answer was changed."), "info")
    return go("workbook", assessment)


def _seen() -> dict[str, int]:
    """The versions of the sections on the page; a tampered one is 0, before everything."""
    return {
        name.removeprefix(SEEN): int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
        for name, text in request.form.items()
        if name.startswith(SEEN)
    }


def _page(
    assessment: Assessment, problems: tuple[Problem, ...] | list[Problem] = (), status: int = 200
) -> Response:
    session = current_work().session
    prepares = may_prepare(assessment)
    sections = queries.catalogue_of(assessment).sections_in(assessment.profile_id)
    return render(
        "assessments/workbook.html",
        status=status,
        assessment=assessment,
        catalogue=queries.catalogue_of(assessment),
        may_prepare=prepares,
        may_upload=prepares and any(assessment.editable(one.id) for one in sections),
        waiting=queries.waiting_workbooks(session, assessment.id) if prepares else (),
        problems=problems,
        form_errors=problems,
        application_address=application_address(assessment),
    )


def _differences(
    assessment: Assessment,
    received: AnswerWorkbook,
    problems: list[Problem] | None = None,
    status: int = 200,
) -> Response:
    session = current_work().session
    found = differences(session, assessment, received)
    rows = queries.sections_of(session, assessment.id)
    return render(
        "assessments/differences.html",
        status=status,
        assessment=assessment,
        catalogue=queries.catalogue_of(assessment),
        workbook=received,
        spoken=spoken,
        differences=found,
        groups=by_section(found),
        versions={section_id: row.version for section_id, row in rows.items()},
        chosen=request.form.getlist("take") if problems else None,
        problems=problems or (),
        form_errors=problems or (),
    )
