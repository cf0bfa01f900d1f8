"""A gap report as a tagged PDF (PDF/UA-1), set by typst with the fonts that it carries along."""

import json
import re
from importlib import resources
from typing import Any, BinaryIO, Final

import typst
from flask_babel import get_locale, gettext

from app.gaps.pages import GapRow, ReportPage

TEMPLATE: Final = resources.files("app.gaps.exports").joinpath("report.typ").read_bytes()
STANDARD: Final = "ua-1"
_SET: Final = re.compile(
    "[^\n\t\u0020-\u007e\u00a0-\u024f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ff\u0400-\u04ff"
    "\u1e00-\u1eff\u2010-\u2027\u2030-\u2040\u20ac\u2190-\u2193\u2212\u2248\u2260\u2264\u2265]"
)
"""Whatever the fonts that come along may lack: Latin, Greek and Cyrillic letters are all there."""


def write_document(page: ReportPage, company: str, into: BinaryIO) -> None:
    """Set the report and write it.

    Texts reach the template as data, so no answer is ever read as markup. A letter that no font
    here has is named by its number, since a tagged document may hold none that cannot be shown.
    """
    into.write(
        typst.compile(
            TEMPLATE,
            format="pdf",
            sys_inputs={"report": json.dumps(_shown(_content(page, company)))},
            pdf_standards=[STANDARD],
            ignore_system_fonts=True,
        )
    )


def _content(page: ReportPage, company: str) -> dict[str, Any]:
    locale = get_locale()
    return {
        "lang": locale.language if locale else "en",
        "title": page.title,
        "company": company,
        "catalogue": page.catalogue,
        "as_of": page.as_of,
        "headline": page.headline,
        "body": page.body,
        "caution": page.caution,
        "tables": [_tiers(page), _way(page), _sections(page)],
        "gaps_title": gettext("What is missing, criterion by criterion"),
        "gap_head": [
            gettext("Question"),
            gettext("Why"),
            gettext("Required"),
            gettext("Current"),
        ],
        "groups": [
            {"title": f"{group.id}. {group.title}", "gaps": [_gap(one) for one in group.gaps]}
            for group in page.groups
            if group.gaps
        ],
    }


def _tiers(page: ReportPage) -> dict[str, Any]:
    return {
        "title": gettext("Gates of the tiers"),
        "lead": gettext("Three measures that are never mixed."),
        "head": [
            gettext("Tier"),
            gettext("By what is claimed"),
            gettext("By what the agency said"),
            gettext("By evidence"),
            gettext("Musts open"),
        ],
        "widths": [1, 2, 2, 2, 2],
        "rows": [
            [str(one.tier), one.claimed.text, one.assessed.text, one.evidence.text, one.musts]
            for one in page.tiers
        ],
    }


def _way(page: ReportPage) -> dict[str, Any]:
    return {
        "title": page.way_title,
        "lead": page.way,
        "head": [gettext("Criterion"), gettext("Step")],
        "widths": [1, 7],
        "rows": [[one.criterion_id, f"{one.text} {one.note}".strip()] for one in page.steps],
    }


def _sections(page: ReportPage) -> dict[str, Any]:
    return {
        "title": gettext("Profile of the sections"),
        "lead": gettext("Criteria by section, by what is claimed; points never open a gate."),
        "head": [
            gettext("Section"),
            gettext("Met"),
            gettext("Not met"),
            gettext("Not known yet"),
            gettext("Reached"),
        ],
        "widths": [4, 1, 1, 1.5, 2],
        "rows": [
            [
                f"{one.id}. {one.title}",
                str(one.met),
                str(one.not_met),
                str(one.unknown),
                one.reached,
            ]
            for one in page.sections
        ],
    }


def _gap(one: GapRow) -> dict[str, Any]:
    said = gettext(
        "%(weight)s. %(effect)s Claimed: %(claimed)s. Assessed: %(assessed)s. Evidence:"
        " %(evidence)s (%(files)s).",
        weight=one.modality,
        effect=one.effect,
        claimed=one.claimed.text,
        assessed=one.assessed.text,
        evidence=one.evidence.text,
        files=one.files,
    )
    return {
        "title": f"{one.id} {one.title}",
        "said": said,
        "rows": [[why.question, why.why, why.required, why.current] for why in one.reasons],
    }


def _shown(value: Any) -> Any:  # noqa: ANN401 - JSON of any depth.
    """The same with letters that cannot be shown named by their numbers."""
    if isinstance(value, dict):
        return {key: _shown(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_shown(one) for one in value]
    if isinstance(value, str):
        return _SET.sub(lambda found: f"[U+{ord(found.group()):04X}]", value)
    return value
