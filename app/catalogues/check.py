"""Every fault of a catalogue file, with its line, in words its author can act on."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.catalogues.comparison import unlike
from app.catalogues.model import CatalogueFile
from app.catalogues.reading import Place, Plain, UnreadableError, Written, read
from app.catalogues.references import disagreements


@dataclass(frozen=True, order=True)
class Fault:
    """One fault: the file's name, the line from 1 (0: the file as a whole), what is wrong."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """Render as compilers do, so that editors can jump to the place."""
        return f"{self.file}:{self.line}: {self.message}"


def check_file(path: Path, before: CatalogueFile | None = None) -> list[Fault]:
    """Return all faults of the file at ``path``, by line; an empty list means it is sound.

    This is what ``fairway catalogue check FILE`` prints. A file that cannot be opened is a fault.
    With ``before``, the version that it follows, what it says about its changes is checked too.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        return [Fault(str(path), 0, f"The file cannot be read: {error.strerror}.")]
    return examine(raw, str(path), before)[1]


def examine(
    raw: bytes, name: str, before: CatalogueFile | None = None
) -> tuple[CatalogueFile | None, list[Fault]]:
    """Return the content of a file and its faults; content is ``None`` when it has any.

    References between parts are checked only when every part has its proper shape, and the
    changes since ``before`` only when those agree.
    """
    try:
        written = read(raw)
    except UnreadableError as error:
        return None, [Fault(name, error.line, str(error))]
    try:
        # JSON mode is strict about types, yet takes arrays for tuples and text for dates.
        content = CatalogueFile.model_validate_json(json.dumps(written.data))
    except ValidationError as error:
        details = error.errors(include_url=False)
        faults = [
            Fault(name, written.line(detail["loc"]), _explained(detail, written))
            for detail in details
            if not _is_echo(detail, details)
        ]
        return None, sorted(faults)
    faults = [
        Fault(name, written.line(path), f"{_place(path, written.data)}{message}")
        for path, message in disagreements(content) or unlike(before, content)
    ]
    return (None, sorted(faults)) if faults else (content, [])


def _is_echo(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Tell a list that counts as too short only because its items have faults of their own."""
    loc = detail["loc"]
    return detail["type"] == "too_short" and any(
        other["loc"][: len(loc)] == loc and len(other["loc"]) > len(loc) for other in details
    )


def _explained(detail: ErrorDetails, written: Written) -> str:
    path = tuple(part for part in detail["loc"] if part != "[key]")
    key = path[-1] if path else "file"
    if detail["type"] in _OWN_WORDS:
        sentence = detail["msg"]
    elif say := _SENTENCES.get(detail["type"]):
        sentence = say(key, detail.get("ctx", {}))
    else:
        sentence = f"`{key}`: {detail['msg']}."
    around = path[:-1] if detail["type"] in _ABOUT_KEY else path
    return f"{_place(around, written.data)}{sentence}"


_Sentence = Callable[[str | int, Mapping[str, Any]], str]

_SENTENCES: dict[str, _Sentence] = {
    "missing": lambda key, _: f"`{key}` is missing.",
    "extra_forbidden": lambda key, _: f"`{key}` is not a key that belongs here.",
    "literal_error": lambda key, ctx: f"`{key}` must be {ctx['expected']}.",
    "string_type": lambda key, _: (
        f"`{key}` must be text; put it in quotes if it looks like a number."
    ),
    "int_type": lambda key, _: f"`{key}` must be a whole number.",
    "bool_type": lambda key, _: f"`{key}` must be true or false.",
    "tuple_type": lambda key, _: f"`{key}` must be a list.",
    "model_type": lambda key, _: f"`{key}` must be a group of keys.",
    "mapping_type": lambda key, _: f"`{key}` must be a group of keys.",
    "too_short": lambda key, ctx: f"`{key}` needs at least {ctx['min_length']}.",
    "string_too_short": lambda key, _: f"`{key}` says nothing.",
    "greater_than_equal": lambda key, ctx: f"`{key}` must be at least {ctx['ge']}.",
    "less_than_equal": lambda key, ctx: f"`{key}` must be at most {ctx['le']}.",
    "date_from_datetime_parsing": lambda key, _: (
        f"`{key}` must be a day of the calendar: 2027-01-31."
    ),
    "date_parsing": lambda key, _: f"`{key}` must be a day of the calendar: 2027-01-31.",
    "string_too_long": lambda key, ctx: f"`{key}` is longer than {ctx['max_length']} characters.",
    "string_pattern_mismatch": lambda key, ctx: f"`{key}` must look like {ctx['pattern']}.",
}
_OWN_WORDS = frozenset({"condition", "options", "source", "change", "setting"})
_ABOUT_KEY = frozenset({"missing", "extra_forbidden"})


def _place(path: Place, data: Plain) -> str:
    """Say which section, criterion, question or profile a path is in, by the ids written there."""
    kinds = {
        "sections": "section",
        "criteria": "criterion",
        "questions": "question",
        "profiles": "profile",
        "withdrawn": "withdrawn",
    }
    inmost = ""
    here: Plain = data
    kind = ""
    for part in path:
        if isinstance(here, dict) and isinstance(part, str):
            kind = kinds.get(part, "")
            here = here.get(part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
            if kind and isinstance(here, dict):
                inmost = f"{kind} {here.get('id', part + 1)}: "
        else:
            break
    return inmost[:1].upper() + inmost[1:]
