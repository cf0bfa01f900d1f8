"""The pages of the self-assessment: one section a page, an overview, all questions for print."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.assessments import forms, pages, queries, service
from app.assessments.errors import AnswersClashError, Clash, SectionLockedError
from app.assessments.models import Assessment
from app.assessments.pages import Typed
from app.assessments.rules import EMPTY, AnswerInput, standings
from app.assessments.views.frame import (
    ADDRESS,
    application_address,
    blueprint,
    go,
    may_prepare,
    own,
    writable,
)
from app.authz.permissions import Permission
from app.authz.policy import may
from app.catalogues.model import Section
from app.documents.queries import reusable
from app.documents.rules import ACCEPT
from app.kernel.errors import NotFoundError, NotReadyError, Problem
from app.web.access import requires
from app.web.fragments import render, wants_fragment
from app.web.requests import current_work
from app.web.strict import repeats

SECTION = f"{ADDRESS}/sections/<section_id>"
FIELDS = repeats("clash", "file.*", silent_controls=True)


@blueprint.get(ADDRESS)
@requires(Permission.APPLICATION_VIEW)
def overview(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> Response:
    """All sections and how far each of them is."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_VIEW)
    return render(
        "assessments/overview.html",
        assessment=assessment,
        catalogue=queries.catalogue_of(assessment),
        progress=queries.progress(current_work().session, assessment),
        owners={one.id: one.name for one in queries.colleagues(current_work().session, assessment)},
        today=current_work().now.date(),
        may_prepare=may_prepare(assessment),
        application_address=application_address(assessment),
    )


@blueprint.get(f"{ADDRESS}/questions")
@requires(Permission.APPLICATION_VIEW)
def questions(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> Response:
    """Every question with what was answered, on one page that prints well."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_VIEW)
    sections = queries.catalogue_of(assessment).sections_in(assessment.profile_id)
    views = _views(assessment)
    return render(
        "assessments/questions.html",
        assessment=assessment,
        catalogue=queries.catalogue_of(assessment),
        sections=[
            (one, [view for view in views if view.standing.section is one]) for one in sections
        ],
    )


@blueprint.get(SECTION)
@requires(Permission.APPLICATION_VIEW)
def section(trader_id: uuid.UUID, assessment_id: uuid.UUID, section_id: str) -> Response:
    """One section: to be filled in, or as it was submitted."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_VIEW)
    found = queries.section_in(assessment, section_id)
    if not writable(assessment, section_id):
        return _locked_page(assessment, found)
    problems: Sequence[Problem] = ()
    if request.args.get("check") == "yes":
        problems = service.section_gaps(current_work(), assessment, section_id)
    return _section_page(
        assessment,
        found,
        typed=Typed(problems=problems),
        opened=request.args.get("open", ""),
        heading=gettext("Saved, but not marked as complete yet") if problems else None,
    )


@blueprint.post(SECTION)
@requires(Permission.APPLICATION_PREPARE)
@FIELDS
def save_section(trader_id: uuid.UUID, assessment_id: uuid.UUID, section_id: str) -> BaseResponse:
    """Save the whole page and go on."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    found = queries.section_in(assessment, section_id)
    page = forms.read_page(request.form, request.files, found.criteria)
    refused, gaps = try_page(assessment, found, page)
    if refused is not None:
        return refused
    if gaps:
        return go("section", assessment, section_id=section_id, check="yes")
    flash(gettext("Saved: %(title)s", title=found.title), "success")
    following = _following(assessment, section_id) if page.completed else None
    if following is None:
        return go("overview", assessment)
    return go("section", assessment, section_id=following)


@blueprint.post(f"{SECTION}/save")
@requires(Permission.APPLICATION_PREPARE)
@FIELDS
def save(trader_id: uuid.UUID, assessment_id: uuid.UUID, section_id: str) -> BaseResponse:
    """Save one criterion in the background and say so beside the button."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    found = queries.section_in(assessment, section_id)
    wanted = request.args.get("criterion", "")
    criteria = [one for one in found.criteria if one.id == wanted]
    if not criteria:
        raise NotFoundError
    if not wants_fragment():
        page = replace(forms.read_page(request.form, request.files, criteria), completed=None)
        return _stay(assessment, found, page, wanted)
    answers, undecided = forms.settled(request.form, forms.read_answers(request.form, criteria))
    if undecided:
        return _status(422, problems=undecided)
    try:
        service.save_answers(
            current_work(),
            assessment,
            section_id,
            answers=answers,
            expected_version=forms.read_version(request.form),
            page_key=forms.read_page_key(request.form),
        )
    except NotReadyError as refusal:
        return _status(422, problems=refusal.problems)
    except AnswersClashError as clash:
        return _status(409, clash=clash.clashes[0])
    except SectionLockedError:
        return _status(409, locked=True)
    # The commit comes after this answer is made and before it is sent (see `FairwayApp`).
    current_work().session.flush()
    view = next(one for one in _views(assessment, section_id) if one.criterion.id == wanted)
    return _status(200, at=current_work().now, view=view)


@blueprint.post(f"{SECTION}/attach")
@requires(Permission.APPLICATION_PREPARE)
@FIELDS
def attach(trader_id: uuid.UUID, assessment_id: uuid.UUID, section_id: str) -> BaseResponse:
    """Upload the chosen files, or attach earlier ones; whatever was typed is saved as well."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    found = queries.section_in(assessment, section_id)
    page = forms.read_page(request.form, request.files, found.criteria)
    criterion_id = request.form.get("criterion", "")
    if not page.uploads and not page.reuse:
        missing = Problem(
            "Choose a file first, then press the button.", field=f"file.{criterion_id}"
        )
        return _again(assessment, found, page, Typed(page.answers, [missing]))
    return _stay(assessment, found, replace(page, completed=None), criterion_id)


@blueprint.post(f"{SECTION}/detach")
@requires(Permission.APPLICATION_PREPARE)
@FIELDS
def detach(trader_id: uuid.UUID, assessment_id: uuid.UUID, section_id: str) -> BaseResponse:
    """Take one file away from its criterion; whatever was typed is saved as well."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    found = queries.section_in(assessment, section_id)
    page = forms.read_page(request.form, request.files, found.criteria)
    evidence_id = forms.read_id(request.form.get("evidence", ""))
    if evidence_id is None:
        raise NotFoundError
    criterion_id = next(
        (
            one.criterion_id
            for attached in queries.evidence_of(current_work().session, assessment.id).values()
            for one in attached
            if one.id == evidence_id
        ),
        "",
    )
    page = replace(page, uploads=(), reuse=(), detach=[evidence_id], completed=None)
    return _stay(assessment, found, page, criterion_id)


@blueprint.post(f"{SECTION}/complete")
@requires(Permission.APPLICATION_PREPARE)
@FIELDS
def complete(trader_id: uuid.UUID, assessment_id: uuid.UUID, section_id: str) -> BaseResponse:
    """Call a section complete, or not any more, without touching its answers."""
    assessment = own(trader_id, assessment_id, Permission.APPLICATION_PREPARE)
    found = queries.section_in(assessment, section_id)
    try:
        if forms.read_completed(request.form):
            service.complete_section(current_work(), assessment, section_id)
            flash(gettext("Marked as complete: %(title)s", title=found.title), "success")
        else:
            service.reopen_section(current_work(), assessment, section_id)
            flash(gettext("No longer marked as complete: %(title)s", title=found.title), "info")
    except NotReadyError:
        return go("section", assessment, section_id=section_id, check="yes")
    return go("overview", assessment)


def try_page(
    assessment: Assessment, found: Section, page: service.PageInput
) -> tuple[Response | None, Sequence[Problem]]:
    """Save a page; the page again with what was typed when it was refused, else the gaps."""
    work = current_work()
    answers, undecided = forms.settled(request.form, page.answers)
    if undecided:
        present = queries.answers_of(work.session, assessment.id)
        clashes = forms.clashes_again(request.form, page.answers, present)
        return _again(assessment, found, page, Typed(page.answers, undecided, clashes)), ()
    try:
        # A file that is refused takes the answers back as well; they are on the page still.
        with work.session.begin_nested():
            return None, service.save_page(
                work, assessment, found.id, replace(page, answers=answers)
            )
    except NotReadyError as refusal:
        return _again(assessment, found, page, Typed(page.answers, refusal.problems)), ()
    except AnswersClashError as clash:
        typed = Typed(clash.merged, [_clash_problem(one) for one in clash.clashes], clash.clashes)
        return _section_page(assessment, found, typed=typed, status=409), ()
    except SectionLockedError:
        return _locked_page(assessment, found, typed=page.answers, status=409), ()


def _again(
    assessment: Assessment, found: Section, page: service.PageInput, typed: Typed
) -> Response:
    """The same open page once more: it keeps its name and the version it was filled from."""
    return _section_page(
        assessment,
        found,
        typed=typed,
        status=422,
        version=page.expected_version,
        page_key=page.page_key,
    )


def _clash_problem(clash: Clash) -> Problem:
    return Problem(
        "%(name)s changed this answer while you were writing. Choose which version to keep.",
        field=forms.keep_field(clash.question_id),
        params={"name": clash.by},
    )


def _stay(
    assessment: Assessment, found: Section, page: service.PageInput, criterion_id: str
) -> BaseResponse:
    refused, _ = try_page(assessment, found, page)
    if refused is not None:
        return refused
    return go(
        "section",
        assessment,
        section_id=found.id,
        open=criterion_id,
        _anchor=f"evidence-{criterion_id}",
    )


def _following(assessment: Assessment, section_id: str) -> str | None:
    """The next section that can be written to and is not complete; none after the last."""
    progress = queries.progress(current_work().session, assessment)
    ids = [one.section.id for one in progress]
    later = progress[ids.index(section_id) + 1 :]
    return next((one.section.id for one in later if one.editable and not one.completed), None)


def _views(
    assessment: Assessment,
    section_id: str | None = None,
    *,
    typed: Typed | None = None,
    opened: str = "",
) -> list[pages.CriterionView]:
    session = current_work().session
    contents = queries.contents_of(session, assessment.id)
    evidence = queries.evidence_of(session, assessment.id)
    catalogue = queries.catalogue_of(assessment)
    found = standings(
        catalogue,
        assessment.profile_id,
        contents,
        queries.usable(evidence),
        section_id=section_id,
    )
    return pages.criterion_views(catalogue, found, contents, evidence, typed=typed, opened=opened)


def _section_page(
    assessment: Assessment,
    found: Section,
    *,
    typed: Typed,
    status: int = 200,
    opened: str = "",
    version: int | None = None,
    page_key: str = "",
    heading: str | None = None,
) -> Response:
    """The page of a section: a new one of the present version, unless it is told otherwise."""
    work = current_work()
    row = queries.sections_of(work.session, assessment.id)[found.id]
    views = _views(assessment, found.id, typed=typed, opened=opened)
    return render(
        "assessments/section.html",
        status=status,
        **_frame(assessment, found),
        views=views,
        reusable=reusable(work.session, assessment.trader_id),
        may_describe=may(work.actor, Permission.DOCUMENT_DESCRIBE, assessment),
        reuse_options=pages.reuse_options,
        version=row.version if version is None else version,
        page_key=page_key or str(work.new_id()),
        completed=row.completed_at is not None,
        problems=typed.problems,
        problem_heading=heading,
        form_errors=typed.problems if status != HTTPStatus.OK else (),
        clashes=typed.clashes,
        accept=ACCEPT,
        cell_field=forms.cell_field,
        keep_field=forms.keep_field,
        reuse_field=forms.reuse_field,
        saved=None,
    )


def _locked_page(
    assessment: Assessment,
    found: Section,
    *,
    typed: Mapping[str, AnswerInput] | None = None,
    status: int = 200,
) -> Response:
    contents = queries.contents_of(current_work().session, assessment.id)
    lost = [
        (question, given)
        for criterion in found.criteria
        for question in criterion.questions
        if (given := (typed or {}).get(question.id))
        and not given.cleaned().agrees_with(contents.get(question.id, EMPTY))
    ]
    return render(
        "assessments/locked.html",
        status=status,
        **_frame(assessment, found),
        views=_views(assessment, found.id),
        lost=lost,
    )


def _frame(assessment: Assessment, found: Section) -> dict[str, Any]:
    catalogue = queries.catalogue_of(assessment)
    sections = catalogue.sections_in(assessment.profile_id)
    number = sections.index(found) + 1
    return {
        "assessment": assessment,
        "catalogue": catalogue,
        "section": found,
        "number": number,
        "count": len(sections),
        "reopened": found.id in assessment.reopened_sections,
        "application_address": application_address(assessment),
    }


def _status(status: int, **saved: Any) -> Response:  # noqa: ANN401 - what the line shows.
    return render("assessments/section.html", fragment="save_status", status=status, saved=saved)
