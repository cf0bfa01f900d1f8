"""What both sides' pages share: the files, and how they are handed out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from flask import Response

from app.documents.downloads import SANDBOX
from app.gaps.exports.document import write_document
from app.gaps.exports.oscal import write_archive
from app.gaps.exports.workbook import write_workbook
from app.gaps.pages import ReportPage
from app.gaps.queries import Reported
from app.plans import queries as plans
from app.plans.models import Plan
from app.plans.pages import ActionRow, action_rows
from app.web.attachments import written
from app.web.requests import current_work

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Exported:
    """What a file is made from."""

    page: ReportPage
    found: Reported
    company: str
    actions: Sequence[ActionRow] = field(default_factory=tuple)


def _xlsx(what: Exported, into: BinaryIO) -> None:
    write_workbook(what.page, what.found, what.company, into)


def _pdf(what: Exported, into: BinaryIO) -> None:
    write_document(what.page, what.company, into)


def _oscal(what: Exported, into: BinaryIO) -> None:
    write_archive(what.page, what.found, what.company, into, what.actions)


FORMS: Final[dict[str, tuple[str, Callable[[Exported, BinaryIO], None]]]] = {
    "xlsx": (XLSX, _xlsx),
    "pdf": ("application/pdf", _pdf),
    "zip": ("application/zip", _oscal),
}
"""The media type and the writer of each form of the report."""


def as_file(what: Exported, form: str, name: str) -> Response:
    """The report as a file, whole before its first byte is sent."""
    media_type, write = FORMS[form]
    response = written(
        lambda into: write(what, into), content_type=media_type, filename=f"{name}.{form}"
    )
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def planned(plan: Plan | None, found: Reported) -> list[ActionRow]:
    """The actions of a plan in words; none without a plan."""
    work = current_work()
    actions = () if plan is None else plans.actions_of(work.session, plan)
    return action_rows(actions, found.catalogue, work.now.date())


def name_of(found: Reported) -> str:
    """The file's name without its ending: what it is about, in plain letters."""
    about = found.catalogue.id if found.application is None else found.application.reference
    version = "" if found.number is None else f"-v{found.number}"
    return f"gap-report-{about}{version}-{found.at:%Y-%m-%d}"
