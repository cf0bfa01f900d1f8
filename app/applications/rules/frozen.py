"""What is frozen at submission: canonical bytes, their hash, and what is carried over."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from app.applications.rules import tasks

Content = dict[str, Any]

PART_OF: Final = {
    tasks.COMPANY: ("company",),
    tasks.IDENTIFIERS: ("identifiers", "bonds"),
    tasks.CONTACTS: ("contacts",),
    tasks.SITES: ("sites",),
    tasks.AGREEMENT: ("agreement",),
}
"""The parts of a snapshot's content that belong to each task outside the assessment."""


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one byte form of `content`: keys sorted, no blanks, UTF-8, no escapes but JSON's own.

    Holds text, whole numbers, booleans, nothing, lists and objects only, so that what the
    database gives back has the same bytes as what was put in. `TypeError` for anything else.
    """
    _check(content)
    return json.dumps(
        content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(content)).hexdigest()


def fingerprint(content: Content) -> str:
    """The digest by which a page says what it showed.

    What the virus scanner finds out between looking and submitting is no change of what was said.
    """
    assessment = content["assessment"]
    sections = [
        {
            **section,
            "criteria": [
                {
                    **criterion,
                    "evidence": [{**one, "scan_state": None} for one in criterion["evidence"]],
                }
                for criterion in section["criteria"]
            ],
        }
        for section in assessment["sections"]
    ]
    return digest({**content, "assessment": {**assessment, "sections": sections}})


def carried_over(present: Content, earlier: Content, reopened: Collection[str]) -> Content:
    """`present`, but what was not reopened as it stands in the earlier snapshot.

    Whatever a trader changes in its profile while the agency looks at the application becomes
    part of it only when the agency has asked for that task. Sections of the assessment are taken
    over one by one.
    """
    merged = dict(present)
    for task, parts in PART_OF.items():
        if task not in reopened:
            merged.update({part: earlier[part] for part in parts})
    merged["assessment"] = _assessment(present["assessment"], earlier["assessment"], reopened)
    return merged


def _assessment(present: Content, earlier: Content, reopened: Collection[str]) -> Content:
    before = {section["id"]: section for section in earlier["sections"]}
    sections = [
        section
        if tasks.assessment_task(section["id"]) in reopened or section["id"] not in before
        else before[section["id"]]
        for section in present["sections"]
    ]
    return {**present, "sections": sections}


def _check(value: object) -> None:
    match value:
        case None | bool() | int() | str():
            return
        case list():
            for one in value:
                _check(one)
        case dict():
            for key, one in value.items():
                if not isinstance(key, str):
                    msg = "A snapshot's keys are text."
                    raise TypeError(msg)
                _check(one)
        case _:
            msg = f"A snapshot cannot hold {type(value).__name__}."
            raise TypeError(msg)
