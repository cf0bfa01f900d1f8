"""A version of the brokers' criteria that changes one question in every way there is."""

from datetime import date
from typing import Any

import yaml

from tests.factories.publications import shipped

VERSION = "2026.3"
EFFECTIVE = date(2026, 11, 20)
SPLIT = "q.1.3.3"
MERGED = ("q.3.1.1", "q.3.1.2")


class Loader(yaml.SafeLoader):
    """Reads yes and no as the words that they are, as catalogues are read."""


Loader.add_constructor(
    "tag:yaml.org,2002:bool",
    lambda _loader, node: {"true": True, "false": False}.get(str(node.value), node.value),
)


def every_class() -> bytes:
    """Brokers' 2026.3, made from the shipped 2026.2.

    Editorial `q.1.1.1`; clarified `q.1.2.1`; substantive `q.1.4.1`; new `q.1.4.9`; withdrawn
    `q.1.1.2`; `q.1.3.3` split into `q.1.3.8` and `q.1.3.9`; `q.3.1.1` and `q.3.1.2` merged into
    `q.3.1.9`; `q.2.1.1` merged as the equal `q.2.1.9`. Everything else is untouched.
    """
    content = yaml.load(shipped("broker", "2026.2"), Loader)  # noqa: S506 - a safe loader, and a shipped file.
    content["catalogue"] |= {"version": VERSION, "previous": "2026.2", "effective": EFFECTIVE}
    sections = {one["id"]: one for one in content["sections"]}
    criteria = {one["id"]: one for section in content["sections"] for one in section["criteria"]}
    for criterion in criteria.values():
        criterion.pop("changes", None)
        for one in criterion["questions"]:
            one.pop("changes", None)
    questions = {one["id"]: one for each in criteria.values() for one in each["questions"]}
    reworded(questions["q.1.1.1"], "editorial")
    reworded(questions["q.1.2.1"], "clarified", "Branches are meant too.")
    reworded(questions["q.1.4.1"], "substantive", "It now has to be in writing.")
    criteria["1.4"]["questions"].append(asked("q.1.4.9", changes={"class": "new"}))
    criteria["1.1"]["questions"].remove(questions["q.1.1.2"])
    criteria["1.3"]["questions"].remove(questions[SPLIT])
    criteria["1.3"]["questions"] += [
        asked(name, "text", changes=in_place_of("split", {SPLIT: "subset"}))
        for name in ("q.1.3.8", "q.1.3.9")
    ]
    for old in MERGED:
        criteria["3.1"]["questions"].remove(questions[old])
    criteria["3.1"]["questions"].insert(
        0, asked("q.3.1.9", changes=in_place_of("merged", dict.fromkeys(MERGED, "intersects")))
    )
    place = criteria["2.1"]["questions"].index(questions["q.2.1.1"])
    criteria["2.1"]["questions"][place] = asked(
        "q.2.1.9", changes=in_place_of("merged", {"q.2.1.1": "equal"})
    )
    for section, gone in {"1": ("q.1.1.2", SPLIT), "2": ("q.2.1.1",), "3": MERGED}.items():
        sections[section].setdefault("withdrawn", []).extend(
            {"id": one, "title": f"Question {one}", "reason": "Asked otherwise now"} for one in gone
        )
    raw: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return raw.encode()


def without(criterion_id: str) -> bytes:
    """The same version, which withdraws a whole criterion of its first section as well."""
    content = yaml.load(every_class(), Loader)  # noqa: S506 - a safe loader, and ours.
    section = content["sections"][0]
    (gone,) = [one for one in section["criteria"] if one["id"] == criterion_id]
    section["criteria"].remove(gone)
    ids = [criterion_id, *(one["id"] for one in gone["questions"] if one["id"] != "q.1.4.9")]
    section["withdrawn"] += [
        {"id": one, "title": f"What was {one}", "reason": "Not asked any more"} for one in ids
    ]
    raw: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return raw.encode()


def reworded(question: dict[str, Any], kind: str, note: str = "") -> None:
    """Other words, and the class of the change."""
    question["text"] = f"Now: {question['text']}"
    question["changes"] = {"class": kind, **({"note": note} if note else {})}


def asked(name: str, kind: str = "yes_no", **more: Any) -> dict[str, Any]:
    """A question of no particular content."""
    return {"id": name, "text": f"What about {name}?", "type": kind, "carry": "confirm", **more}


def in_place_of(kind: str, old: dict[str, str]) -> dict[str, Any]:
    """The change by which a question takes the place of others."""
    return {
        "class": kind,
        "note": "They were asked together.",
        "supersedes": [{"id": key, "relation": relation} for key, relation in old.items()],
    }
