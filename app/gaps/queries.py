"""What a gap report is made from: a live assessment, or what was submitted of one."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.applications import queries as applications
from app.applications.models import Application
from app.assessments import queries as assessments
from app.assessments.models import Assessment
from app.assessments.rules import Content
from app.casework import queries as cases
from app.casework.models import Case
from app.casework.rules.dossier import Dossier
from app.casework.rules.verdicts import Judged, judged
from app.catalogues.model import Catalogue, UnknownIdError
from app.catalogues.rules import Result
from app.documents.models import DocumentRevision
from app.documents.queries import revisions
from app.gaps.rules import File, Report, report
from app.kernel.errors import UnavailableError
from app.publications.queries import known_version
from app.work import Work

OF_VERDICT = {
    Judged.ACCEPTED: Result.MET,
    Judged.RETURNED: Result.NOT_MET,
}
"""What a reviewer's verdict amounts to; anything else is not judged, so unknown."""


@dataclass(frozen=True, slots=True)
class ReportedFile:
    """A file as a report names it."""

    revision_id: str
    filename: str
    sha256: str
    scan_state: str
    stored_on: date
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Reported:
    """A report with what it speaks of.

    `number` is the submitted version that it reads, `None` for the answers of the moment.
    `application` is absent for an assessment that nothing was applied for with.
    """

    report: Report
    catalogue: Catalogue
    profile_id: str
    assessment_id: uuid.UUID
    trader_id: uuid.UUID
    application: Application | None
    number: int | None
    at: datetime
    contents: Mapping[str, Content]
    files: Mapping[str, tuple[ReportedFile, ...]]


def live(work: Work, assessment: Assessment) -> Reported:
    """The report of an assessment as it stands now, as its company may know it.

    Of what the agency thinks the company knows what it was asked about: a criterion in the return
    that waits for an answer is not met there. Verdicts that were never sent stay the agency's own.
    """
    session = work.session
    contents = assessments.contents_of(session, assessment.id)
    files = {
        criterion_id: tuple(_file(one.revision) for one in attached)
        for criterion_id, attached in assessments.evidence_of(session, assessment.id).items()
    }
    application = applications.application_of_assessment(session, assessment.id)
    told = {} if application is None else applications.returned_comments(session, application)
    catalogue = assessments.catalogue_of(assessment)
    return Reported(
        report=report(
            catalogue,
            assessment.profile_id,
            {key: one.given for key, one in contents.items()},
            _dated(files),
            dict.fromkeys(told, Result.NOT_MET),
            on=work.now.date(),
        ),
        catalogue=catalogue,
        profile_id=assessment.profile_id,
        assessment_id=assessment.id,
        trader_id=assessment.trader_id,
        application=application,
        number=None,
        at=work.now,
        contents=contents,
        files=files,
    )


def of_case(work: Work, case: Case) -> Reported:
    """The report of what a case reviews: the submitted version, with the reviewers' verdicts.

    `UnavailableError` when the criteria that it was answered to are not here as they were.
    """
    frozen = cases.dossier(work, case)
    content = frozen.content["assessment"]
    catalogue = _catalogue(work.session, content["catalogue"])
    contents = {one["id"]: _content(one) for one in _questions(content)}
    files = _frozen_files(work.session, content)
    return Reported(
        report=report(
            catalogue,
            content["profile"],
            {key: one.given for key, one in contents.items()},
            _dated(files),
            _verdicts(work.session, case, frozen),
            on=work.now.date(),
        ),
        catalogue=catalogue,
        profile_id=content["profile"],
        assessment_id=uuid.UUID(content["assessment_id"]),
        trader_id=case.trader_id,
        application=work.session.get(Application, case.application_id),
        number=case.snapshot_number,
        at=work.now,
        contents=contents,
        files=files,
    )


def _verdicts(session: Session, case: Case, frozen: Dossier) -> dict[str, Result]:
    reviews = cases.reviews_of(session, case)
    return {
        one.id: OF_VERDICT.get(judged(reviews.get(one.id), one.fingerprint), Result.UNKNOWN)
        for one in frozen.criteria()
    }


def _catalogue(session: Session, named: Mapping[str, str]) -> Catalogue:
    try:
        found = known_version(session, named["id"], named["version"])
    except UnknownIdError:
        found = None
    if found is None or found.sha256 != named["sha256"]:
        raise UnavailableError(
            "The criteria of this assessment were altered on this installation.",
            code="catalogue-altered",
        )
    return found


def _criteria(content: Mapping[str, object]) -> Iterable[dict[str, object]]:
    sections = content["sections"]
    assert isinstance(sections, list)  # noqa: S101 - the shape of app.assessments.snapshots.
    for section in sections:
        yield from section["criteria"]


def _questions(content: Mapping[str, object]) -> Iterable[dict[str, str]]:
    for criterion in _criteria(content):
        questions = criterion["questions"]
        assert isinstance(questions, list)  # noqa: S101 - as above.
        yield from questions


def _content(question: Mapping[str, str]) -> Content:
    return Content(
        question["value"],
        question["how_met"],
        question["document_reference"],
        question["not_applicable_reason"],
    )


def _frozen_files(
    session: Session, content: Mapping[str, object]
) -> dict[str, tuple[ReportedFile, ...]]:
    """The files as submitted; what a scanner has found since, and their days, as they are now."""
    named: dict[str, list[uuid.UUID]] = {}
    for criterion in _criteria(content):
        evidence = criterion["evidence"]
        assert isinstance(evidence, list)  # noqa: S101 - as above.
        named[str(criterion["id"])] = [uuid.UUID(one["revision_id"]) for one in evidence]
    found = revisions(session, [one for several in named.values() for one in several])
    return {
        key: tuple(_file(found[one]) for one in several if one in found)
        for key, several in named.items()
    }


def _file(revision: DocumentRevision) -> ReportedFile:
    return ReportedFile(
        revision_id=str(revision.id),
        filename=revision.filename,
        sha256=revision.sha256,
        scan_state=revision.scan_state,
        stored_on=revision.stored_at.date(),
        expires_on=revision.expires_on,
    )


def _dated(files: Mapping[str, Iterable[ReportedFile]]) -> dict[str, list[File]]:
    return {
        key: [File(one.scan_state, one.stored_on, one.expires_on) for one in several]
        for key, several in files.items()
    }
