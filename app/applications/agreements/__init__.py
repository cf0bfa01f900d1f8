"""The partner agreements and the declaration as versioned texts; those in force are named here.

A text that somebody has signed is never edited: a change is a new file and a new line below.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
IN_FORCE: Final = {"security": "2026-1"}
DECLARATION_VERSION: Final = "2026-1"


@dataclass(frozen=True, slots=True)
class AgreementText:
    """One version of an agreement; `text` is Markdown with one numbered list of clauses."""

    programme: str
    version: str
    text: str


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause for the page: its heading and its sentences."""

    number: int
    heading: str
    body: str


@cache
def declaration() -> str:
    """What an officer declares when submitting."""
    raw = (FOLDER / f"declaration-{DECLARATION_VERSION}.txt").read_text("utf-8")
    return " ".join(raw.split())


@cache
def agreement_for(programme: str) -> AgreementText:
    """The text in force for a programme; `KeyError` for a programme without one."""
    version = IN_FORCE[programme]
    raw = (FOLDER / f"{programme}-{version}.md").read_text("utf-8")
    return AgreementText(programme, version, raw)


def clauses(text: str) -> tuple[Clause, ...]:
    """The numbered clauses of an agreement's text, for the page."""
    found: list[list[str]] = []
    for line in text.splitlines():
        number, dot, rest = line.partition(". ")
        if dot and number.isdecimal():
            found.append([rest])
        elif found and line.startswith(" "):
            found[-1].append(line.strip())
    parts = (" ".join(lines).removeprefix("**").partition("**") for lines in found)
    return tuple(
        Clause(number, heading.rstrip("."), body.strip())
        for number, (heading, _, body) in enumerate(parts, 1)
    )
