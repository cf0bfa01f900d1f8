"""Who looks after which section: one page for all of them."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date

from flask import Response, flash, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.assessments import queries, service
from app.assessments.errors import SectionLockedError
from app.assessments.forms import read_id
from app.assessments.models import Assessment
from app.assessments.service.sharing import DUE, OWNER, SectionTask
from app.assessments.views.frame import ADDRESS, blueprint, go, own
from app.authz.permissions import Permission
from app.kernel.errors import NotReadyError, Problem
from app.web.access import requires
from app.web.fragments import render
from app.web.requests import current_work

WAS = "was."


@blueprint.get(f"{ADDRESS}/owners")
@requires(Permission.APPLICATION_PREPARE)
def owners(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> Response:
    """Who looks after each section, and until when."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    present = _present(assessment)
    return _page(assessment, shown=present, typed=_texts(present))


@blueprint.post(f"{ADDRESS}/owners")
@requires(Permission.APPLICATION_PREPARE)
def share_out(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> BaseResponse:
    """Give sections to colleagues; whoever is given one is told by letter."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    typed = {
        section_id: (
            request.form.get(f"{OWNER}{section_id}", ""),
            request.form.get(f"{DUE}{section_id}", ""),
        )
        for section_id in _present(assessment)
    }
    shown = {
        section_id: _task(*request.form.get(f"{WAS}{section_id}", " ").partition(" ")[::2])
        for section_id in typed
    }
    problems = [
        Problem(
            "Write the date as year, month and day, for example 2026-11-24.",
            field=f"{DUE}{section_id}",
        )
        for section_id, (_, due) in typed.items()
        if due.strip() and _day(due) is None
    ]
    try:
        if not problems:
            wanted = {section_id: _task(*texts) for section_id, texts in typed.items()}
            with current_work().session.begin_nested():
                service.share_out(current_work(), assessment, shown=shown, wanted=wanted)
    except NotReadyError as refusal:
        problems = list(refusal.problems)
    except SectionLockedError as refusal:
        problems = [Problem(refusal.message)]
    if problems:
        # What somebody else decided meanwhile is what this page shows from now on.
        return _page(assessment, shown=_present(assessment), typed=typed, problems=problems)
    flash(gettext("Saved: who looks after which section"), "success")
    return go("overview", assessment)


def _present(assessment: Assessment) -> dict[str, SectionTask]:
    rows = queries.sections_of(current_work().session, assessment.id)
    return {
        one.id: SectionTask(rows[one.id].owner_id, rows[one.id].due_on)
        for one in queries.catalogue_of(assessment).sections_in(assessment.profile_id)
    }


def _texts(tasks: Mapping[str, SectionTask]) -> dict[str, tuple[str, str]]:
    return {
        section_id: (str(task.owner_id or ""), task.due_on.isoformat() if task.due_on else "")
        for section_id, task in tasks.items()
    }


def _task(owner: str, due: str) -> SectionTask:
    return SectionTask(read_id(owner), _day(due))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _page(
    assessment: Assessment,
    *,
    shown: Mapping[str, SectionTask],
    typed: Mapping[str, tuple[str, str]],
    problems: Sequence[Problem] = (),
) -> Response:
    catalogue = queries.catalogue_of(assessment)
    return render(
        "assessments/owners.html",
        status=422 if problems else 200,
        assessment=assessment,
        catalogue=catalogue,
        sections=catalogue.sections_in(assessment.profile_id),
        colleagues=queries.colleagues(current_work().session, assessment),
        shown=_texts(shown),
        typed=typed,
        problems=problems,
        form_errors=problems,
    )
