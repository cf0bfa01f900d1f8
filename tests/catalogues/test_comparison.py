"""A new version may not understate what it changes, forget an id, or use one again."""

from pathlib import Path

import pytest

from app.catalogues.carrying import Carriage, Carried, carry_plan
from app.catalogues.check import Fault, examine
from app.catalogues.comparison import differences
from app.catalogues.model import Catalogue, CatalogueFile

SOUND = (Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8")


def parsed(text: str) -> CatalogueFile:
    content, faults = examine(text.encode(), "tiny.yaml")
    assert content is not None, [str(one) for one in faults]
    return content


OLD = parsed(SOUND)
NEXT = (
    SOUND.replace("        changes: {class: new}\n", "")
    .replace('version: "1.0"', 'version: "1.1"\n  previous: "1.0"')
    .replace("effective: 2026-01-01", "effective: 2027-01-01")
)
FIRST = "            text: Is there a log?\n"
SECOND = "            text: How is it kept?\n"
WATCH = "            text: Who watches?\n"
ENOUGH = "          not_enough: A drawer.\n"
PROFILES = "profiles:\n"


def edited(*pairs: tuple[str, str], base: str = NEXT) -> str:
    for old, new in pairs:
        assert base.count(old) >= 1, old
        base = base.replace(old, new, 1)
    return base


def faults_of(text: str) -> list[Fault]:
    content, faults = examine(text.encode(), "tiny.yaml", OLD)
    assert (content is None) == bool(faults)
    return faults


def said(kind: str, note: str = "", supersedes: str = "") -> str:
    parts = [f"class: {kind}"]
    parts += [f"note: {note}"] if note else []
    parts += [f"supersedes: [{supersedes}]"] if supersedes else []
    return "            changes: {" + ", ".join(parts) + "}\n"


GONE = (
    "    withdrawn:\n      - {id: q.1.1.2, title: How is it kept, reason: All are on screen now}\n"
)
SECOND_BLOCK = NEXT[NEXT.index('          - id: "q.1.1.2"') : NEXT.index('  - id: "2"\n')]
WITHOUT_SECOND = edited(
    (SECOND_BLOCK, GONE),
    ('show_if: {"q.1.1.2": {any_of: [paper, screen]}}', 'show_if: {"q.1.1.1": {is: yes}}'),
    (WATCH, WATCH + said("substantive", "Asked of all who keep a log")),
)


def test_an_unchanged_next_version_is_sound() -> None:
    assert faults_of(NEXT) == []
    assert differences(OLD, parsed(NEXT)) == []


SOUND_CHANGES = {
    "editorial": edited((FIRST, "            text: Is a log there?\n" + said("editorial"))),
    "clarified": edited(
        (FIRST, "            text: Is there a seal log?\n" + said("clarified", "Seals are meant"))
    ),
    "substantive": edited(
        ("              - {value: paper, label: On paper}\n", ""),
        ("any_of: [paper, screen]", "any_of: [screen]"),
        (
            "              - {value: screen, label: On screen}\n",
            "              - {value: screen, label: On screen}\n              - {value: both, label: On both}\n",
        ),
        (SECOND, SECOND + said("substantive", "Paper alone is out")),
        (WATCH, WATCH + said("substantive", "Asked of fewer")),
    ),
    "new": edited(
        (
            '          - id: "q.2.1.1"',
            (
                '          - id: "q.2.1.2"\n            text: When?\n            type: text\n'
                '            carry: never\n            changes: {class: new}\n          - id: "q.2.1.1"'
            ),
        ),
    ),
    "withdrawn": WITHOUT_SECOND,
    "split": edited(
        (
            GONE,
            '          - id: "q.1.1.3"\n            text: Is it kept on screen?\n            type: yes_no\n'
            "            carry: confirm\n"
            + said("split", "Asked by itself", "{id: q.1.1.2, relation: subset}")
            + GONE,
        ),
        base=WITHOUT_SECOND,
    ),
    "merged": edited(
        (
            GONE,
            '          - id: "q.1.1.3"\n            text: In what way is it kept?\n            type: choice\n'
            "            choices:\n              - {value: paper, label: On paper}\n"
            "              - {value: screen, label: On screen}\n            carry: auto\n"
            + said("merged", "Same question under one id", "{id: q.1.1.2, relation: equal}")
            + GONE,
        ),
        base=WITHOUT_SECOND,
    ),
}


@pytest.mark.parametrize("kind", SOUND_CHANGES)
def test_each_class_of_change_is_told_and_found(kind: str) -> None:
    text = SOUND_CHANGES[kind]
    assert [str(one) for one in faults_of(text)] == []
    found = differences(OLD, parsed(text))
    assert kind in {one.change for one in found}
    for one in found:
        assert one.note or one.change in {"editorial", "new"}


MISSTATED = {
    "silent rewording": ((FIRST, "            text: Any log?\n"), "(text); say so"),
    "silent answer": (
        ("            carry: auto\n", "            carry: auto\n            meets: [screen]\n"),
        "answers that meet it",
    ),
    "too light": (
        ("            carry: confirm\n", '            carry: confirm\n            meets: ["no"]\n' + said("editorial")),
        "more than editorial: answers that meet it",
    ),
    "nothing differs": ((FIRST, FIRST + said("clarified", "Nothing")), "Nothing differs"),
    "not new": ((FIRST, "            text: Any log?\n" + said("new")), "is not new"),
    "unknown forerunner": (
        (
            '          - id: "q.2.1.1"',
            '          - id: "q.2.1.2"\n            text: When?\n            type: text\n            carry: never\n'
            + said("split", "Split", "{id: q.2.1.9, relation: subset}")
            + '          - id: "q.2.1.1"',
        ),
        "neither asked here nor listed",
    ),
    "never asked": (
        ('  - id: "2"\n', GONE.replace("q.1.1.2", "q.1.1.9") + '  - id: "2"\n'),
        "was never asked",
    ),
    "withdrawn and alive": (('  - id: "2"\n', GONE + '  - id: "2"\n'), "still in use"),
    "withdrawn twice": (
        ('  - id: "2"\n', GONE + GONE.split("\n", 1)[1] + '  - id: "2"\n'),
        "withdrawn twice",
    ),
    "withdrawn class": ((FIRST, FIRST + said("withdrawn", "Gone")), "list its id under"),
    "no note": ((FIRST, "            text: Any log?\n" + said("clarified")), "needs a `note`"),
    "no forerunner": ((FIRST, FIRST + said("split", "Split")), "`supersedes` belongs"),
    "wrong previous": (('previous: "1.0"', 'previous: "0.9"'), "must name the version before"),
    "earlier version": (('version: "1.1"', 'version: "0.8"'), "must be later than 1.0"),
    "earlier day": (("effective: 2027-01-01", "effective: 2025-01-01"), "take effect after"),
    "other catalogue": (("  id: tiny\n", "  id: other\n"), "compared with the catalogue 'tiny'"),
    "other programme": (("programme: security", "programme: trade"), "stays: security"),
    "heavier weight": (("modality: should", "modality: must"), "(weight, weight in a profile); say so"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISSTATED)
def test_what_misstates_a_change_is_refused_with_its_line(case: str) -> None:
    pair, says = MISSTATED[case]
    told = [one for one in faults_of(edited(pair)) if says in one.message]
    assert told, [str(one) for one in faults_of(edited(pair))]
    assert all(one.line > 0 for one in told)


def test_a_profile_that_asks_more_must_say_so_where_the_criterion_stands() -> None:
    low = '    tier: 1\n    include: ["1", "2"]\n'
    text = edited((low, low + '    set:\n      "2.1": {modality: must}\n'))
    (fault,) = faults_of(text)
    assert "(weight in a profile); say so" in fault.message
    assert text.splitlines()[fault.line - 1].strip() == '- id: "2.1"'


def test_an_id_that_was_left_out_is_missed() -> None:
    text = WITHOUT_SECOND.replace(GONE, "")
    (fault,) = faults_of(text)
    assert "'q.1.1.2' of 1.0 is neither asked nor withdrawn" in fault.message


def test_an_id_withdrawn_once_is_never_used_again() -> None:
    after = parsed(WITHOUT_SECOND)
    again = (
        edited((FIRST, FIRST))
        .replace('version: "1.1"\n  previous: "1.0"', 'version: "1.2"\n  previous: "1.1"')
        .replace("effective: 2027-01-01", "effective: 2028-01-01")
    )
    _, faults = examine(again.encode(), "tiny.yaml", after)
    assert any("was withdrawn earlier; ids are never reused" in one.message for one in faults)


def test_a_first_version_changes_nothing() -> None:
    text = SOUND.replace("changes: {class: new}", "changes: {class: editorial}", 1)
    _, faults = examine(text.encode(), "tiny.yaml")
    assert ["Without `previous`, nothing can be editorial" in one.message for one in faults] == [
        True
    ]


def plan(kind: str, *, annual: bool = False) -> dict[str, Carried]:
    old, new = Catalogue(OLD, "0" * 64), Catalogue(parsed(SOUND_CHANGES[kind]), "1" * 64)
    return dict(carry_plan(old, new, annual=annual))


@pytest.mark.parametrize(
    ("kind", "question", "how", "source"),
    [
        ("editorial", "q.1.1.1", Carriage.KEPT, "q.1.1.1"),
        ("clarified", "q.1.1.1", Carriage.REWORDED, "q.1.1.1"),
        ("substantive", "q.1.1.2", Carriage.UNCONFIRMED, "q.1.1.2"),
        ("new", "q.2.1.2", Carriage.FRESH, None),
        ("split", "q.1.1.3", Carriage.SUGGESTED, "q.1.1.2"),
        ("merged", "q.1.1.3", Carriage.KEPT, "q.1.1.2"),
    ],
)
def test_an_answer_is_carried_as_far_as_the_change_allows(
    kind: str, question: str, how: Carriage, source: str | None
) -> None:
    found = plan(kind)[question]
    assert (found.how, found.source) == (how, source)


def test_what_is_withdrawn_is_not_in_the_plan() -> None:
    assert "q.1.1.2" not in plan("withdrawn")


def test_each_year_the_questions_own_rule_is_added() -> None:
    yearly = plan("clarified", annual=True)
    assert yearly["q.1.1.1"].how is Carriage.UNCONFIRMED  # confirm is stricter than reworded
    assert yearly["q.1.1.2"].how is Carriage.KEPT  # auto
    assert yearly["q.2.1.1"].how is Carriage.SUGGESTED  # never
    same = Catalogue(OLD, "0" * 64)
    assert carry_plan(same, same, annual=True)["q.1.1.1"].how is Carriage.UNCONFIRMED
    assert carry_plan(same, same, annual=False)["q.1.1.1"].how is Carriage.KEPT
