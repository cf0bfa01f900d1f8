"""The pages on which colleagues talk about a question; assessments' pages borrow `talks_of`."""

import uuid
from typing import Any

from flask import Blueprint, Response, flash, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.assessments import queries as assessments
from app.assessments.models import Assessment
from app.assessments.rules import EMPTY, Content, spoken
from app.authz.permissions import Permission
from app.authz.policy import may
from app.comments import queries, service
from app.comments.forms import AnswerForm, SayForm
from app.comments.models import ColleagueComment
from app.comments.pages import comment_rows
from app.comments.queries import Place, Talks
from app.kernel.errors import ConflictError
from app.web.access import requires
from app.web.errors import translate
from app.web.fragments import render
from app.web.requests import current_work

blueprint = Blueprint("comments", __name__)
BASE = "/traders/<uuid:trader_id>/assessments/<uuid:assessment_id>"
ADDRESS = f"{BASE}/talk/on/<question_id>"
ASK = f"{BASE}/talk/<uuid:comment_id>"


@blueprint.app_context_processor
def talk_for_the_assessment() -> dict[str, Any]:
    """Lets the assessment's pages show what colleagues say, of which their package knows nothing.

    `talks_of(assessment)` is nothing for whoever has no part in it; it asks the database only when
    a page calls it.
    """
    return {"talks_of": talks_of}


def talks_of(assessment: Assessment) -> Talks | None:
    """What is said about the assessment's questions, for those who may read it."""
    work = current_work()
    if not may(work.actor, Permission.COMMENT_SHARE, assessment):
        return None
    return queries.talks(work.session, assessment.id, work.actor.person_id)


@blueprint.get(ADDRESS)
@requires(Permission.COMMENT_SHARE)
def show(trader_id: uuid.UUID, assessment_id: uuid.UUID, question_id: str) -> Response:
    """Everything that was said about a question, and the form to say more."""
    assessment, place = _place(trader_id, assessment_id, question_id)
    return _thread(assessment, place, _say_form(assessment))


@blueprint.post(ADDRESS)
@requires(Permission.COMMENT_SHARE)
def say(trader_id: uuid.UUID, assessment_id: uuid.UUID, question_id: str) -> BaseResponse:
    """Say something to all, or ask a colleague."""
    assessment, place = _place(trader_id, assessment_id, question_id)
    form = _say_form(assessment)
    if not form.done(
        lambda: service.say(
            current_work(),
            assessment,
            place,
            key=form.row_id,
            body=form.body.data or "",
            asked_id=form.asked_id,
        )
    ):
        return _thread(assessment, place, form, status=422)
    flash(
        gettext("Asked. Your colleague gets a letter, and finds it on the first page.")
        if form.asked_id
        else gettext("Said. Your colleagues find it beside the question."),
        "success",
    )
    return _to_thread(assessment, place)


@blueprint.get(ASK)
@requires(Permission.COMMENT_SHARE)
def ask(trader_id: uuid.UUID, assessment_id: uuid.UUID, comment_id: uuid.UUID) -> BaseResponse:
    """What was asked, to be answered or closed; the whole thread once it waits no longer."""
    assessment, place, found = _comment(trader_id, assessment_id, comment_id)
    if "answer" not in found.available():
        return _to_thread(assessment, place)
    return _ask_page(assessment, place, found, AnswerForm())


@blueprint.post(ASK)
@requires(Permission.COMMENT_SHARE)
def answer(trader_id: uuid.UUID, assessment_id: uuid.UUID, comment_id: uuid.UUID) -> BaseResponse:
    """Answer what was asked."""
    assessment, place, found = _comment(trader_id, assessment_id, comment_id)
    form = AnswerForm()
    try:
        done = form.done(
            lambda: service.answer(
                current_work(),
                assessment,
                place,
                found,
                key=form.row_id,
                body=form.body.data or "",
            )
        )
    except ConflictError as refusal:
        # What was typed becomes a comment instead, if it is still worth saying.
        again = SayForm(None, body=form.body.data).with_people(
            queries.who_can_be_asked(current_work(), assessment)
        )
        again.form_errors.append(translate(refusal.message, {}))
        return _thread(assessment, place, again, status=409)
    if not done:
        return _ask_page(assessment, place, found, form, status=422)
    flash(gettext("Answered."), "success")
    return _to_thread(assessment, place)


@blueprint.post(f"{ASK}/close")
@requires(Permission.COMMENT_SHARE)
def close(trader_id: uuid.UUID, assessment_id: uuid.UUID, comment_id: uuid.UUID) -> BaseResponse:
    """Close what was asked without an answer."""
    assessment, place, found = _comment(trader_id, assessment_id, comment_id)
    service.close(current_work(), found)
    flash(gettext("Closed. It waits for nobody any more."), "info")
    return _to_thread(assessment, place)


def _place(
    trader_id: uuid.UUID, assessment_id: uuid.UUID, question_id: str
) -> tuple[Assessment, Place]:
    assessment = _assessment(trader_id, assessment_id)
    return assessment, queries.place_of(assessment, question_id)


def _assessment(trader_id: uuid.UUID, assessment_id: uuid.UUID) -> Assessment:
    return assessments.visible_assessment(
        current_work(), trader_id, assessment_id, Permission.COMMENT_SHARE
    )


def _comment(
    trader_id: uuid.UUID, assessment_id: uuid.UUID, comment_id: uuid.UUID
) -> tuple[Assessment, Place, ColleagueComment]:
    assessment = _assessment(trader_id, assessment_id)
    found = queries.visible_comment(current_work(), assessment, comment_id)
    return assessment, queries.place_of(assessment, found.question_id), found


def _say_form(assessment: Assessment) -> SayForm:
    return SayForm().with_people(queries.who_can_be_asked(current_work(), assessment))


def _thread(assessment: Assessment, place: Place, form: SayForm, *, status: int = 200) -> Response:
    return render(
        "comments/thread.html",
        status=status,
        form_errors=status != 200,  # noqa: PLR2004 - refused, for whatever reason.
        form=form,
        can_ask=len(form.asked.choices) > 1,
        **_frame(assessment, place),
    )


def _ask_page(
    assessment: Assessment,
    place: Place,
    found: ColleagueComment,
    form: AnswerForm,
    *,
    status: int = 200,
) -> Response:
    return render(
        "comments/ask.html",
        status=status,
        form_errors=status != 200,  # noqa: PLR2004 - likewise.
        form=form,
        ask=found,
        **_frame(assessment, place),
    )


def _frame(assessment: Assessment, place: Place) -> dict[str, Any]:
    work = current_work()
    given = assessments.answers_of(work.session, assessment.id, [place.question.id])
    row = given.get(place.question.id)
    content = EMPTY if row is None else Content.of(row)
    return {
        "assessment": assessment,
        "place": place,
        "content": content,
        "spoken": spoken(place.question, content.value),
        "comments": comment_rows(queries.thread(work.session, assessment.id, place.question.id)),
        "company": assessments.company_of(work.session, assessment),
        "me": work.actor.person_id,
    }


def _to_thread(assessment: Assessment, place: Place) -> BaseResponse:
    address = url_for(
        "comments.show",
        trader_id=assessment.trader_id,
        assessment_id=assessment.id,
        question_id=place.question.id,
    )
    return redirect(address, code=303)
