"""A gap report as OSCAL: catalog, profile, assessment results, plan of action and milestones.

Four JSON documents in one archive that name each other by file. What OSCAL has no place for stands
in namespaced `props`, the third value above all: OSCAL knows satisfied and not satisfied, so what
is unknown is not satisfied there, with the reason `other` and a remark. A document's UUID follows
from its content: the same content is the same document.
"""

import json
import uuid
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from typing import Any, BinaryIO, Final

from app.assessments.rules import EMPTY, spoken
from app.catalogues.model import Catalogue, Criterion, Question, Section
from app.catalogues.rules import Result
from app.gaps.pages import ReportPage, StepRow
from app.gaps.queries import Reported
from app.gaps.rules import CriterionGap
from app.plans.pages import ActionRow

VERSION: Final = "1.2.1"
NAMESPACE: Final = "urn:fairway:oscal"
ROOT: Final = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
CATALOG: Final = "catalog.json"
PROFILE: Final = "profile.json"
RESULTS: Final = "assessment-results.json"
PLAN: Final = "plan-of-action-and-milestones.json"
PACKED_AT: Final = (1980, 1, 1, 0, 0, 0)

Part = dict[str, Any]


def write_archive(
    page: ReportPage,
    found: Reported,
    company: str,
    into: BinaryIO,
    actions: Sequence[ActionRow] = (),
) -> None:
    """Write the four documents as one ZIP archive; equal reports give equal bytes."""
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, document in documents(page, found, company, actions).items():
            packed = zipfile.ZipInfo(name, PACKED_AT)
            packed.compress_type = zipfile.ZIP_DEFLATED
            text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
            archive.writestr(packed, text.encode())


def documents(
    page: ReportPage, found: Reported, company: str, actions: Sequence[ActionRow] = ()
) -> dict[str, Part]:
    """The documents by file name; the plan holds what was promised, else the shortest way."""
    made = {
        CATALOG: {"catalog": _catalog(found.catalogue)},
        PROFILE: {"profile": _profile(found.catalogue, found.profile_id)},
        RESULTS: {"assessment-results": _results(page, found, company)},
    }
    items = [_action(found, one) for one in actions] or _way(page, found)
    steps = _plan(page, found, company, items)
    if steps["poam-items"]:
        made[PLAN] = {"plan-of-action-and-milestones": steps}
    return made


def control_id(criterion_id: str) -> str:
    """A criterion's id as OSCAL takes it: it begins with a letter."""
    return f"c-{criterion_id}"


def _catalog(catalogue: Catalogue) -> Part:
    return _identified(
        {
            "metadata": {
                **_metadata(catalogue.title, catalogue.version, _midnight(catalogue)),
                "props": [_prop("sha256", catalogue.sha256), _prop("id", catalogue.id)],
            },
            "groups": [_group(section) for section in catalogue.sections],
        }
    )


def _group(section: Section) -> Part:
    return {
        "id": f"s-{section.id}",
        "class": "section",
        "title": section.title,
        "parts": [{"id": f"s-{section.id}_intro", "name": "overview", "prose": section.intro}],
        "controls": [_control(one) for one in section.criteria],
    }


def _control(criterion: Criterion) -> Part:
    own = control_id(criterion.id)
    guidance = criterion.guidance
    prose = (("why", guidance.why), ("good", guidance.good), ("not-enough", guidance.not_enough))
    return {
        "id": own,
        "class": "criterion",
        "title": criterion.title,
        "props": [
            {"name": "label", "value": criterion.id},
            _prop("modality", criterion.modality),
            _prop("source", criterion.source),
            _prop("verified", "yes" if criterion.verified else "no"),
            _prop("evidence-min", str(criterion.evidence.min)),
        ],
        "parts": [
            {"id": f"{own}_smt", "name": "statement", "prose": criterion.statement},
            {
                "id": f"{own}_gdn",
                "name": "guidance",
                "parts": [
                    {"id": f"{own}_gdn_{name}", "name": name, "ns": NAMESPACE, "prose": text}
                    for name, text in prose
                ],
            },
            *(_objective(one) for one in criterion.questions),
        ],
    }


def _objective(question: Question) -> Part:
    return {
        "id": question.id,
        "name": "assessment-objective",
        "prose": question.text,
        "props": [_prop("type", question.type), _prop("carry", question.carry)],
    }


def _profile(catalogue: Catalogue, profile_id: str) -> Part:
    sections = catalogue.sections_in(profile_id)
    criteria = [one for section in sections for one in section.criteria]
    tier = catalogue.profile(profile_id).tier
    return _identified(
        {
            "metadata": {
                **_metadata(
                    f"{catalogue.title}: {profile_id}", catalogue.version, _midnight(catalogue)
                ),
                "props": [_prop("tier", str(tier))],
            },
            "imports": [
                {
                    "href": CATALOG,
                    "include-controls": [{"with-ids": [control_id(one.id) for one in criteria]}],
                }
            ],
            "merge": {"as-is": True},
            "modify": {
                "alters": [
                    {
                        "control-id": control_id(one.id),
                        "adds": [{"props": _settings(catalogue, profile_id, one)}],
                    }
                    for one in criteria
                ]
            },
        }
    )


def _settings(catalogue: Catalogue, profile_id: str, criterion: Criterion) -> list[Part]:
    found = [_prop("modality", catalogue.modality(profile_id, criterion.id), "profile")]
    for question in criterion.questions:
        level = catalogue.required_level(profile_id, question.id)
        if level is not None:
            found.append(_prop("required-level", level, question.id))
    return found


def _results(page: ReportPage, found: Reported, company: str) -> Part:
    at = _instant(found.at)
    asked = [one for one in found.report.criteria if one.applies]
    tiers = [
        _prop(name, result.value, f"tier-{one.tier}")
        for one in found.report.tiers
        for name, result in (
            ("claimed", one.claimed),
            ("assessed", one.assessed),
            ("evidence", one.evidence),
        )
    ]
    return _identified(
        {
            "metadata": _metadata(f"{page.title}: {company}", page.as_of, at),
            "import-ap": {
                "href": PROFILE,
                "remarks": "A self-assessment has no plan of its own; its profile says what was asked.",
            },
            "results": [
                {
                    "uuid": _named(found, "result"),
                    "title": page.headline,
                    "description": f"{page.body} {page.caution}",
                    "start": at,
                    "end": at,
                    "props": tiers,
                    "reviewed-controls": {
                        "control-selections": [
                            {
                                "include-controls": [
                                    {"control-id": control_id(one.criterion.id)}
                                    for one in found.report.criteria
                                ]
                            }
                        ]
                    },
                    "observations": [_observation(found, one, at) for one in asked],
                    "findings": [_finding(found, one) for one in asked],
                }
            ],
            "back-matter": {"resources": _resources(found)},
        }
    )


def _observation(found: Reported, one: CriterionGap, at: str) -> Part:
    observation: Part = {
        "uuid": _named(found, "observation", one.criterion.id),
        "title": one.criterion.title,
        "description": "\n\n".join(_said(found, one.criterion)),
        "methods": ["UNKNOWN"],
        "collected": at,
        "remarks": "What the company says of itself.",
    }
    files = found.files.get(one.criterion.id, ())
    if files:
        observation["relevant-evidence"] = [
            {"href": f"#{_named(found, 'file', file.revision_id)}", "description": file.filename}
            for file in files
        ]
    return observation


def _said(found: Reported, criterion: Criterion) -> Iterable[str]:
    for question in criterion.questions:
        content = found.contents.get(question.id, EMPTY)
        parts = (
            spoken(question, content.value) or "No answer.",
            content.how_met,
            content.document_reference,
            content.not_applicable_reason,
        )
        yield "\n".join((f"{question.id}: {question.text}", *(one for one in parts if one)))


def _finding(found: Reported, one: CriterionGap) -> Part:
    status: Part = {"state": "not-satisfied", "reason": "fail"}
    if one.claimed is Result.MET:
        status = {"state": "satisfied", "reason": "pass"}
    elif one.claimed is Result.UNKNOWN:
        status = {"state": "not-satisfied", "reason": "other", "remarks": "Not known yet."}
    return {
        "uuid": _named(found, "finding", one.criterion.id),
        "title": f"{one.criterion.id} {one.criterion.title}",
        "description": one.criterion.statement,
        "props": [
            _prop("modality", one.modality),
            _prop("claimed", one.claimed.value),
            _prop("assessed", one.assessed.value),
            _prop("evidence", one.evidence.result.value),
            *(_prop("shuts-gate-of", f"tier-{tier}") for tier in one.blocks),
        ],
        "target": {
            "type": "statement-id",
            "target-id": f"{control_id(one.criterion.id)}_smt",
            "status": status,
        },
        "related-observations": [
            {"observation-uuid": _named(found, "observation", one.criterion.id)}
        ],
    }


def _resources(found: Reported) -> list[Part]:
    files = {one.revision_id: one for several in found.files.values() for one in several}
    return [
        {
            "uuid": _named(found, "file", one.revision_id),
            "title": one.filename,
            "rlinks": [
                {
                    "href": f"urn:uuid:{one.revision_id}",
                    "hashes": [{"algorithm": "SHA-256", "value": one.sha256}],
                }
            ],
        }
        for one in files.values()
    ]


def _plan(page: ReportPage, found: Reported, company: str, items: list[Part]) -> Part:
    at = _instant(found.at)
    return _identified(
        {
            "metadata": _metadata(f"{page.way_title}: {company}", page.as_of, at),
            "system-id": {
                "identifier-type": "http://ietf.org/rfc/rfc4122",
                "id": str(found.assessment_id),
            },
            "poam-items": items,
        }
    )


def _action(found: Reported, row: ActionRow) -> Part:
    """One promised action."""
    action = row.action
    props = [
        _prop("control-id", control_id(action.criterion_id)),
        _prop("owner", action.owner_name),
        _prop("due", action.due_on.isoformat()),
        _prop("state", action.state),
    ]
    if action.proof_revision_id is not None:
        props.append(_prop("proof", f"urn:uuid:{action.proof_revision_id}"))
    item: Part = {
        "uuid": _named(found, "action", str(action.id)),
        "title": row.title,
        "description": action.promise,
        "props": props,
    }
    return {**item, "remarks": action.reason} if action.reason else item


def _way(page: ReportPage, found: Reported) -> list[Part]:
    """What is left to do, an item for each criterion on the shortest way and each file missing."""
    by_criterion: dict[str, list[StepRow]] = {}
    for step in page.steps:
        by_criterion.setdefault(step.criterion_id, []).append(step)
    missing = {one.criterion_id: one.count for one in found.report.files}
    order = [one.id for one in found.catalogue.criteria()]
    wanted = sorted({*by_criterion, *missing}, key=order.index)
    return [_item(found, one, by_criterion.get(one, ()), missing.get(one, 0)) for one in wanted]


def _item(found: Reported, criterion_id: str, steps: Sequence[StepRow], files: int) -> Part:
    criterion = found.catalogue.criterion(criterion_id)
    words = [step.text for step in steps]
    if files:
        words.append(f"Files of evidence missing: {files}.")
    return {
        "uuid": _named(found, "item", criterion_id),
        "title": f"{criterion_id} {criterion.title}",
        "description": "\n".join(words),
        "props": [
            _prop("control-id", control_id(criterion_id)),
            _prop("tier", str(found.report.next_tier)),
        ],
    }


def _metadata(title: str, version: str, at: str) -> Part:
    return {"title": title, "last-modified": at, "version": version, "oscal-version": VERSION}


def _prop(name: str, value: str, group: str = "") -> Part:
    found = {"name": name, "ns": NAMESPACE, "value": value}
    return {**found, "class": group} if group else found


def _midnight(catalogue: Catalogue) -> str:
    return _instant(datetime.combine(catalogue.effective, time(), UTC))


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _identified(document: Part) -> Part:
    """The document with a UUID that follows from its content."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return {"uuid": str(uuid.uuid5(ROOT, text)), **document}


def _named(found: Reported, *names: str) -> str:
    """The UUID of a part, the same in every export of the same assessment."""
    return str(uuid.uuid5(found.assessment_id, "/".join(names)))
