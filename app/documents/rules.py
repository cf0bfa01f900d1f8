"""Which files are accepted, under which name, and who may be handed them: pure decisions."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from app.documents.workflow import ScanState
from app.kernel.errors import Problem

FIELD: Final = "file"
LIMIT: Final = 25 * 1024 * 1024
NAME_LENGTH: Final = 120
FALLBACK_STEM: Final = "file"
APART: Final = frozenset({"delegation", "succession"})
"""Kinds of owner that hand out their documents alone, by rules of their own.

Who may prepare an application sees the documents of the trader; what the trader agreed with
another broker is none of their business, nor is what the agency was shown about an officer.
"""


@dataclass(frozen=True, slots=True)
class FileKind:
    """One accepted kind of file; `magic` is what the `filetype` library must call its content."""

    extension: str
    media_type: str
    magic: str | None = None


KINDS: Final = {
    kind.extension: kind
    for kind in (
        FileKind("pdf", "application/pdf", magic="pdf"),
        FileKind("png", "image/png", magic="png"),
        FileKind("jpg", "image/jpeg", magic="jpg"),
        FileKind("jpeg", "image/jpeg", magic="jpg"),
        FileKind("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        FileKind("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        FileKind("csv", "text/csv"),
        FileKind("txt", "text/plain"),
    )
}
ACCEPT: Final = ",".join(f".{extension}" for extension in KINDS)

# Windows keeps these names for devices, whatever extension follows.
_DEVICE: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")
_RESERVED: Final = re.compile(r'[<>:"|?*]')


def refused(message: str, code: str, **params: object) -> Problem:
    """A refusal beside the file field."""
    return Problem(message, field=FIELD, code=code, params=params)


def clean_filename(given: str) -> str:
    """The name under which a file is kept and handed out again; never empty, at most 120 long.

    Only the last part of a path counts. Control and formatting characters go (bidirectional
    ones can make "exe" read as "pdf"), as do characters that some system reserves.
    """
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    name = "".join(char for char in name if unicodedata.category(char)[0] != "C")
    name = _RESERVED.sub("_", " ".join(name.split())).rstrip(" .")
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    stem = stem.strip(" .") or FALLBACK_STEM
    if _DEVICE.match(stem):
        stem = f"_{stem}"
    tail = f".{extension}" if extension else ""
    return stem[: max(1, NAME_LENGTH - len(tail))].rstrip(" .") + tail[:NAME_LENGTH]


def title_of(filename: str) -> str:
    """A readable title for a document whose owner gave none."""
    return filename.rpartition(".")[0].replace("_", " ").strip() or filename


def kind_of(filename: str) -> FileKind | None:
    """The accepted kind that the name's extension promises, if any."""
    return KINDS.get(filename.rpartition(".")[2].lower()) if "." in filename else None


def last_day_problems(last_day: date | None, before: date | None, *, cited: bool) -> list[Problem]:
    """What is wrong with a document's last day, which was `before`.

    Once a submitted application cites it, the day can only come nearer: what the agency relies on
    does not grow longer by itself. Every doubt resolves downward.
    """
    later = before is not None and (last_day is None or last_day > before)
    if cited and later:
        return [
            Problem(
                "A submitted application cites this file, so its last day cannot be put off."
                " Upload the newer document instead.",
                "expires_on",
                "cited",
            )
        ]
    return []


class Handing(StrEnum):
    """What happens when somebody asks for a file."""

    HAND_OUT = "hand out"
    WARN_FIRST = "warn first"
    WAIT = "wait"
    REFUSE = "refuse"


def handing(scan_state: str) -> Handing:
    """Whether a file may be handed out: clean at once, unscanned only after a warning.

    An installation without a scanner would otherwise be unusable, and a person who has been
    told can look after themselves; what is pending may turn out infected in a second.
    """
    match ScanState(scan_state):
        case ScanState.CLEAN:
            return Handing.HAND_OUT
        case ScanState.UNSCANNED:
            return Handing.WARN_FIRST
        case ScanState.PENDING:
            return Handing.WAIT
        case ScanState.INFECTED:
            return Handing.REFUSE
