"""A workbook that was filled in elsewhere: taken in, then applied or put away."""

import hashlib
import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import BinaryIO

from app.assessments import queries
from app.assessments.errors import WorkbookOvertakenError
from app.assessments.models import AnswerWorkbook, Assessment
from app.assessments.rules import Content
from app.assessments.service.answers import write_answer
from app.assessments.service.sections import open_section
from app.assessments.workbook.judging import CellFault, cover_of, judge, versions_of
from app.assessments.workbook.layout import FORMAT
from app.assessments.workbook.preview import given_of
from app.assessments.workbook.reading import LIMIT, read_sheets, refusal
from app.assessments.workflow import WorkbookState
from app.audit.tags import EventTag
from app.authz.permissions import Permission
from app.authz.policy import may
from app.catalogues.model import Catalogue, Section
from app.db.concurrency import lock_row
from app.documents.rules import clean_filename
from app.kernel.errors import ConflictError, NotFoundError
from app.work import Work, move

_UNKNOWN = (
    "This is not a workbook of an assessment that you can see here. Download the workbook from this"
    " page and fill that in."
)


def receive_workbook(
    work: Work, assessment: Assessment, *, filename: str, stream: BinaryIO
) -> AnswerWorkbook:
    """Read a workbook and keep what it says, to be looked at; no answer is changed.

    Side effects in order: the row with answers and faults, the event. `NotReadyError` with one
    problem beside the file control: no workbook of ours, of another assessment, of other criteria,
    hostile. A workbook of another company is refused as one that never was.
    """
    content = stream.read(LIMIT + 1)
    sheets = read_sheets(content)
    cover = cover_of(sheets)
    if cover is None:
        raise refusal(_UNKNOWN)
    catalogue = queries.catalogue_of(assessment)
    _require_ours(work, assessment, catalogue, cover)
    judged = judge(sheets, catalogue, assessment.profile_id)
    workbook = AnswerWorkbook(
        id=work.new_id(),
        trader_id=assessment.trader_id,
        assessment_id=assessment.id,
        catalogue_sha256=catalogue.sha256,
        filename=clean_filename(filename),
        sha256=hashlib.sha256(content).hexdigest(),
        shown_versions=versions_of(cover),
        given={question_id: asdict(one) for question_id, one in judged.given.items()},
        faults=[_plain(one) for one in judged.faults],
        received_at=work.now,
        received_by=work.actor.person_id,
        received_by_name=work.actor.name,
        taken=0,
    )
    work.session.add(workbook)
    work.session.flush()
    work.record(
        EventTag.WORKBOOK_RECEIVED,
        workbook,
        assessment=assessment.id,
        sha256=workbook.sha256,
        answers=len(judged.given),
        faults=len(judged.faults),
    )
    return workbook


def _plain(fault: CellFault) -> dict[str, object]:
    return {**asdict(fault), "params": {name: str(one) for name, one in fault.params.items()}}


def _require_ours(
    work: Work, assessment: Assessment, catalogue: Catalogue, cover: Mapping[str, str]
) -> None:
    if cover.get("assessment") != str(assessment.id):
        other = _own_assessment(work, assessment.trader_id, cover.get("assessment", ""))
        if other is None:
            raise refusal(_UNKNOWN)
        raise refusal(
            "This workbook is of another assessment of yours: %(title)s, started on %(day)s. Upload"
            " it there, or download the workbook of this one.",
            title=f"{queries.catalogue_of(other).title} {other.catalogue_version}",
            day=other.created_at.date().isoformat(),
        )
    if cover.get("format") != FORMAT:
        raise refusal(
            "This workbook was made for an earlier or later release of Fairway. Download a new one"
            " and copy your answers into it."
        )
    if (cover.get("version"), cover.get("sha256"), cover.get("profile")) != (
        catalogue.version,
        catalogue.sha256,
        assessment.profile_id,
    ):
        raise refusal(
            "This workbook is of version %(theirs)s of the criteria; this assessment is on version"
            " %(ours)s. Download a new one and copy your answers into it.",
            theirs=cover.get("version", "")[:20],
            ours=catalogue.version,
        )


def _own_assessment(work: Work, trader_id: uuid.UUID, text: str) -> Assessment | None:
    try:
        other = work.session.get(Assessment, uuid.UUID(text))
    except ValueError:
        return None
    if other is None or other.trader_id != trader_id:
        return None
    return other if may(work.actor, Permission.APPLICATION_VIEW, other) else None


def apply_workbook(
    work: Work,
    assessment: Assessment,
    workbook: AnswerWorkbook,
    *,
    chosen: Collection[str],
    seen: Mapping[str, int],
) -> int:
    """Take the chosen answers of a workbook and return how many; those of one applied before.

    `seen` gives, by section id, the version against which the person saw the differences.

    Side effects in order: the present answers with a revision of each, the sections' versions, the
    move to applied with its one event; the answers of the workbook are kept no longer. Nothing when
    it was applied before. `WorkbookOvertakenError` when somebody changed a chosen answer after it
    was shown; `SectionLockedError`; `NotFoundError` for an answer that the workbook did not give;
    `ConflictError` when the criteria were changed since, or it was put away.
    """
    work.session.flush()
    lock_row(work.session, workbook)
    if workbook.state == WorkbookState.APPLIED:
        return workbook.taken
    _require_open(work, assessment, workbook)
    given = given_of(workbook)
    if not given.keys() >= set(chosen):
        raise NotFoundError
    changed = 0
    overtaken: list[str] = []
    for section, wanted in _by_section(assessment, chosen):
        row = open_section(work, assessment, section.id)
        present = queries.answers_of(work.session, assessment.id, wanted)
        overtaken += [
            one
            for one in wanted
            if one in present and present[one].version > seen.get(section.id, 0)
        ]
        contents = {one: given[one].onto(Content.of(present.get(one))) for one in wanted}
        fresh = {
            one: content
            for one, content in contents.items()
            if content != Content.of(present.get(one))
        }
        if overtaken or not fresh:
            continue
        row.version += 1
        for one, content in fresh.items():
            write_answer(work, row, one, content, present.get(one), f"workbook {workbook.id}")
        changed += len(fresh)
    if overtaken:
        raise WorkbookOvertakenError(overtaken)
    workbook.taken = changed
    _put_away(work, workbook)
    move(work, workbook, "apply", assessment=assessment.id, questions=sorted(chosen))
    return changed


def discard_workbook(work: Work, assessment: Assessment, workbook: AnswerWorkbook) -> None:
    """Put a workbook away without taking anything of it.

    Side effects in order: its answers are kept no longer, the move to discarded with its event;
    nothing when it was put away before. `ConflictError` when it was applied.
    """
    work.session.flush()
    lock_row(work.session, workbook)
    if workbook.state == WorkbookState.DISCARDED:
        return
    _put_away(work, workbook)
    move(work, workbook, "discard", assessment=assessment.id)


def _require_open(work: Work, assessment: Assessment, workbook: AnswerWorkbook) -> None:
    # Nothing may move this assessment to other criteria between this look and the commit.
    work.session.refresh(assessment, with_for_update={"read": True})
    if workbook.state == WorkbookState.DISCARDED:
        raise ConflictError("This workbook was put away. Upload it again to use it.")
    if workbook.catalogue_sha256 != assessment.catalogue_sha256:
        raise ConflictError(
            "The criteria of this assessment were changed after the workbook was uploaded. Download"
            " a new one and copy your answers into it."
        )


def _by_section(assessment: Assessment, chosen: Collection[str]) -> list[tuple[Section, list[str]]]:
    """The chosen questions by section, in an order in which two people never wait in a circle."""
    sections = queries.catalogue_of(assessment).sections_in(assessment.profile_id)
    found = []
    for section in sorted(sections, key=lambda one: one.id):
        asked = [question.id for one in section.criteria for question in one.questions]
        if wanted := [one for one in asked if one in chosen]:
            found.append((section, wanted))
    return found


def _put_away(work: Work, workbook: AnswerWorkbook) -> None:
    workbook.given = {}
    workbook.decided_at = work.now
    workbook.decided_by = work.actor.person_id
