"""The answers as they were frozen: what to judge, section by section, one verdict at a time."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.casework import queries, service
from app.casework.forms import JudgeForm, key_of
from app.casework.models import CriterionReview
from app.casework.rules import dossier as frozen
from app.casework.rules.dossier import FrozenCriterion, FrozenSection
from app.casework.rules.verdicts import Judged, Verdict, judged
from app.casework.views.case import Opened, frame, looked_up, opened
from app.casework.views.frame import blueprint
from app.casework.views.words import Tag, judged_tag
from app.catalogues.model import Criterion, UnknownIdError
from app.kernel.errors import ConflictError, IllegalTransitionError, NotFoundError
from app.publications.queries import known_version
from app.web.access import requires
from app.web.errors import translate
from app.web.fragments import render
from app.web.requests import current_work

Shown = Callable[[FrozenCriterion, Judged], bool]
FILTERS: dict[str, tuple[Any, Shown]] = {
    "all": (_l("All"), lambda _one, _state: True),
    "unjudged": (_l("To judge"), lambda _one, state: state.to_judge),
    "returned": (_l("Returned"), lambda _one, state: state is Judged.RETURNED),
    "changed": (_l("Changed since last time"), lambda _one, state: state is Judged.CHANGED),
    "musts": (_l("Musts"), lambda one, _state: one.must),
    "no-evidence": (_l("Evidence missing"), lambda one, _state: one.evidence_missing),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One criterion in the list of answers."""

    criterion: FrozenCriterion
    state: Judged
    tag: Tag
    href: str


@dataclass(frozen=True, slots=True)
class Block:
    """One criterion with all that a reviewer needs to judge it, and the form to do so."""

    criterion: FrozenCriterion
    key: str
    tag: Tag
    state: Judged
    review: CriterionReview | None
    older: tuple[CriterionReview, ...]
    changes: tuple[frozen.Change, ...]
    guidance: Criterion | None
    form: JudgeForm | None
    announce: str
    previous: Line | None
    following: Line | None


def _section_url(found: Opened, section_id: str, **more: Any) -> str:  # noqa: ANN401
    return url_for("casework.section", case_id=found.case.id, section_id=section_id, **more)


def _lines(found: Opened, reviews: Mapping[str, CriterionReview]) -> list[Line]:
    lines = []
    for one in found.dossier.criteria():
        state = judged(reviews.get(one.id), one.fingerprint)
        href = f"{_section_url(found, one.section_id)}#{_anchor(one.id)}"
        lines.append(Line(one, state, judged_tag(state), href))
    return lines


def _anchor(criterion_id: str) -> str:
    return f"c-{key_of(criterion_id)}"


def _filter() -> tuple[str, Shown]:
    name = request.args.get("show", "all")
    if name not in FILTERS:
        name = "all"
    return name, FILTERS[name][1]


@blueprint.get("/cases/<uuid:case_id>/answers")
@requires(Permission.CASE_VIEW)
def answers(case_id: uuid.UUID) -> Response:
    """How far the judging is, section by section; a filter lists the criteria that it leaves."""
    found = opened(case_id, "answers")
    lines = _lines(found, queries.reviews_of(current_work().session, found.case))
    name, shown = _filter()
    here = url_for("casework.answers", case_id=case_id)
    held = {
        key: sum(fits(one.criterion, one.state) for one in lines)
        for key, (_, fits) in FILTERS.items()
    }
    return render(
        "casework/answers.html",
        **frame(found, "answers"),
        show=name,
        filters=[
            {
                "label": label,
                "href": here if key == "all" else f"{here}?show={key}",
                "current": key == name,
                "count": held[key],
            }
            for key, (label, _) in FILTERS.items()
            if key != "changed" or found.case.snapshot_number > 1
        ],
        lines=[one for one in lines if shown(one.criterion, one.state)],
        sections=[_section_row(found, one, lines) for one in found.dossier.sections],
        to_judge=next((one for one in lines if one.state.to_judge), None),
        judging=found.judging,
    )


def _section_row(found: Opened, section: FrozenSection, lines: Iterable[Line]) -> dict[str, Any]:
    own = [one for one in lines if one.criterion.section_id == section.id]
    return {
        "title": section.title,
        "href": _section_url(found, section.id),
        "total": len(own),
        "to_judge": sum(one.state.to_judge for one in own),
        "returned": sum(one.state is Judged.RETURNED for one in own),
        "musts_open": sum(one.criterion.must and not one.criterion.answered for one in own),
        "no_evidence": sum(one.criterion.evidence_missing for one in own),
    }


@blueprint.get("/cases/<uuid:case_id>/answers/next")
@requires(Permission.CASE_VIEW)
def next_to_judge(case_id: uuid.UUID) -> BaseResponse:
    """Go to the first criterion that is to be judged, or to the list when there is none."""
    found = opened(case_id, "next to judge")
    lines = _lines(found, queries.reviews_of(current_work().session, found.case))
    line = next((one for one in lines if one.state.to_judge), None)
    return redirect(line.href if line else url_for("casework.answers", case_id=case_id), code=303)


@blueprint.get("/cases/<uuid:case_id>/answers/<section_id>")
@requires(Permission.CASE_VIEW)
def section(case_id: uuid.UUID, section_id: str) -> Response:
    """One section: each criterion with what the trader said, and what good looks like beside it."""
    return _section(opened(case_id, f"answers {section_id}"), section_id)


@blueprint.post("/cases/<uuid:case_id>/answers/<section_id>/<criterion_id>")
@requires(Permission.CASE_REVIEW)
def judge(case_id: uuid.UUID, section_id: str, criterion_id: str) -> Response | BaseResponse:
    """Accept or return one criterion, then go to the next that is to be judged."""
    work = current_work()
    found = opened(case_id, f"judge {criterion_id}", Permission.CASE_REVIEW)
    criterion = found.dossier.criterion(criterion_id)
    if criterion is None or criterion.section_id != section_id:
        raise NotFoundError
    form = JudgeForm(prefix=key_of(criterion_id))
    refused = 422

    def act() -> None:
        service.judge(
            work,
            found.case,
            key=form.row_id,
            criterion_id=criterion_id,
            verdict=form.verdict.data or "",
            comment=form.comment.data or "",
            snapshot_number=form.snapshot_number,
        )

    try:
        if form.validate_on_submit() and form.attempt(act):
            return _onward(found, criterion, form.verdict.data or "")
    except (ConflictError, IllegalTransitionError) as error:
        # Said beside the criterion, so that the comment that was typed is not lost with the page.
        form.comment.errors = [translate(error.message, error.params)]
        refused = 409
        found = looked_up(found.case)
        form.snapshot.data = str(found.case.snapshot_number)
    return _section(found, section_id, form, criterion_id, refused)


def _onward(found: Opened, criterion: FrozenCriterion, verdict: str) -> BaseResponse:
    words = (
        gettext("%(id)s accepted.", id=criterion.id)
        if verdict == Verdict.ACCEPTED
        else gettext("%(id)s noted as returned. The trader is not told yet.", id=criterion.id)
    )
    if request.headers.get("HX-Request"):
        # Only this criterion is swapped, in its place.
        address = _section_url(found, criterion.section_id, judged=criterion.id)
        return redirect(address, code=303)
    lines = _lines(found, queries.reviews_of(current_work().session, found.case))
    order = [one.criterion.id for one in lines]
    at = order.index(criterion.id)
    line = next((one for one in (*lines[at + 1 :], *lines[:at]) if one.state.to_judge), None)
    if line is None:
        flash(f"{words} {gettext('Every criterion is judged.')}", "success")
        return redirect(url_for("casework.answers", case_id=found.case.id), code=303)
    flash(words, "success")
    return redirect(line.href, code=303)


def _section(
    found: Opened,
    section_id: str,
    sent: JudgeForm | None = None,
    sent_for: str = "",
    refused: int = 200,
) -> Response:
    work = current_work()
    shown = found.dossier.section(section_id)
    if shown is None:
        raise NotFoundError
    reviews = queries.earlier_reviews(work.session, found.case)
    newest = {key: several[-1] for key, several in reviews.items()}
    lines = _lines(found, newest)
    earlier = queries.earlier_dossier(work, found.case)
    name, fits = _filter()
    blocks = []
    for at, line in enumerate(lines):
        one = line.criterion
        if one.section_id != section_id or not fits(one, line.state):
            continue
        before = None if earlier is None else earlier.criterion(one.id)
        blocks.append(
            Block(
                criterion=one,
                key=key_of(one.id),
                tag=line.tag,
                state=line.state,
                review=newest.get(one.id),
                older=tuple(reviews.get(one.id, ())[:-1]),
                changes=frozen.changes(before, one),
                guidance=_guidance(found, one.id),
                form=_form(found, one, sent if one.id == sent_for else None),
                announce=str(line.tag.text) if request.args.get("judged") == one.id else "",
                previous=next((x for x in reversed(lines[:at]) if x.state.to_judge), None),
                following=next((x for x in lines[at + 1 :] if x.state.to_judge), None),
            )
        )
    order = [one.id for one in found.dossier.sections]
    at = order.index(section_id)
    return render(
        "casework/section.html",
        **frame(found, "answers"),
        section=shown,
        blocks=blocks,
        show=name,
        earlier=earlier,
        judging=found.judging,
        form_errors=sent is not None,
        previous_section=_link(found, at - 1) if at else None,
        next_section=_link(found, at + 1) if at + 1 < len(order) else None,
        status=refused if sent is not None else 200,
    )


def _link(found: Opened, at: int) -> dict[str, str]:
    section = found.dossier.sections[at]
    return {"label": section.title, "href": _section_url(found, section.id)}


def _form(found: Opened, one: FrozenCriterion, sent: JudgeForm | None) -> JudgeForm | None:
    if not found.judging and sent is None:
        return None
    if sent is not None:
        return sent
    form = JudgeForm(None, prefix=key_of(one.id))
    form.snapshot.data = str(found.case.snapshot_number)
    return form


def _guidance(found: Opened, criterion_id: str) -> Criterion | None:
    """The catalogue's own words beside the answer; a version that is gone leaves none."""
    try:
        session = current_work().session
        return known_version(session, *found.dossier.catalogue).criterion(criterion_id)
    except UnknownIdError:
        return None
