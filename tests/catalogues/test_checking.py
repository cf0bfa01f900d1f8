"""Every kind of broken file is refused, with the line and the reason."""

from pathlib import Path

import pytest

from app.catalogues.check import Fault, check_file, examine
from app.catalogues.loader import CatalogueFaultsError, load_catalogue, load_folder

SOUND = (Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8")


def line_of(text: str, needle: str) -> int:
    return text[: text.index(needle)].count("\n") + 1


def faults_of(text: str) -> list[Fault]:
    content, faults = examine(text.encode(), "tiny.yaml")
    assert (content is None) == bool(faults)
    return faults


def test_the_sound_file_is_sound() -> None:
    assert faults_of(SOUND) == []


# What is replaced, by what, the text on whose line the fault is told, a part of the message.
BROKEN = [
    ("modality: must", "modality: maybe", "modality: maybe", "'must' or 'should'"),
    ("title: Seal log", "titel: Seal log", "titel: Seal log", "`titel` is not a key"),
    ("        modality: must\n", "", '- id: "1.1"', "`modality` is missing"),
    ('- id: "1.1"', "- id: 1.1", "- id: 1.1", "put it in quotes"),
    ("verified: false", "verified: no", "verified: no", "true or false"),
    ("min: 1", "min: one", "min: one", "whole number"),
    ("min: 1", "min: -1", "min: -1", "at least 0"),
    ("kinds: [log]", "kinds: [rumour]", "kinds: [rumour]", "'policy'"),
    ("kinds: [log]", "kinds: []", "kinds: []", "at least 1"),
    ("effective: 2026-01-01", "effective: 2026-13-01", "effective: 2026-13", "a day of the calendar"),
    ("type: text", "type: essay", "type: essay", "'yes_no'"),
    ("type: text", "type: level", '- id: "q.2.1.1"', "`choices` belong"),
    ("type: text", "type: table", '- id: "q.2.1.1"', "`columns` belong"),
    ("value: screen", "value: paper", '- id: "q.1.1.2"', "same value"),
    ("{is: yes}", "{is: yes, any_of: [no]}", 'show_if: {"q.1.1.1"', "exactly one"),
    ("{is: yes}", "{is: perhaps}", 'show_if: {"q.1.1.1"', "not an answer"),
    ('show_if: {"q.1.1.1"', 'show_if: {"q.9.9.9"', 'show_if: {"q.9.9.9"', "does not exist"),
    ('show_if: {"q.1.1.1"', 'show_if: {"q.2.1.1"', 'show_if: {"q.2.1.1"', "only look back"),
    ('show_if: {"q.1.1.1"', 'show_if: {"q.1.1.2"', 'show_if: {"q.1.1.2"', "only look back"),
    ("type: yes_no", "type: text", 'show_if: {"q.1.1.1"', "free"),
    ('- id: "2.1"', '- id: "1.1"', '- id: "1.1"\n        title: Gate', "already taken"),
    ('- id: "q.1.1.2"', '- id: "q.1.1.1"', '- id: "q.1.1.1"\n            text: How', "already taken"),
    ('- id: "q.2.1.1"', '- id: "q.7.7.1"', '- id: "q.7.7.1"', "must begin with 'q.2.1.'"),
    ('- id: "2"\n', '- id: "1"\n', '- id: "1"\n    title: Gates', "already taken"),
    ("- id: high", "- id: low", "- id: low\n    entity: [importer]\n    tier: 3", "already taken"),
    ("tier: 3", "tier: 1", 'entity: [importer]\n    tier: 1\n    include: ["1", "2"]\n    set', "tier 1"),
    ('"2.1": {modality', '"7.7": {modality', '"7.7": {modality', "no criterion '7.7'"),
    ('include: ["1", "2"]', 'include: ["1", "3"]', 'include: ["1", "3"]', "no section '3'"),
    ('include: ["1", "2"]', 'include: ["1", "1"]', 'include: ["1", "1"]', "included twice"),
    ('include: ["1", "2"]', 'include: ["2"]', 'include: ["2"]', "the profile leaves out"),
    ("source: unverified", "source: Hearsay", '- id: "1.1"', "verified"),
    ("verified: true", "verified: false", '- id: "2.1"', "verified"),
    ("entity: [importer]\n    tier: 3", "entity: [carrier]\n    tier: 3", "entity: [carrier]", "'carrier'"),
    ("title: Gates", "title: Gates: all", "title: Gates: all", "not YAML"),
    ("title: Gates", "title: Gates\n    title: Doors", "title: Doors", "second time"),
    ("title: Gates", "title: &gate Gates", "&gate", "Anchors"),
    ("title: Gates", "title: !!python/name:os.system Gates", "!!python", "tag"),
    ("type: text", "type: text\n            meets: [yes]", '- id: "q.2.1.1"', "`meets` belongs"),
    ("type: yes_no", "type: yes_no\n            meets: [maybe]", '- id: "q.1.1.1"', "not an answer to it"),
    ("label: On screen", "label: On paper", '- id: "q.1.1.2"', "read the same"),
    ("kinds: [log]", "kinds: [log, log]", "kinds: [log, log]", "stands here twice"),
    ("min: 1", "min: 11", "min: 11", "at most 10"),
    ('"2.1": {modality: must}', '"2.1": {}', '"2.1": {}', "`modality`, `required_level`"),
    ("{modality: must}", '{required_level: {"q.2.1.1": low}}', "required_level", "is no level"),
    ("{modality: must}", '{required_level: {"q.1.1.1": low}}', "required_level", "no question"),
    ("entity: [importer]", "entity: [importer, carrier]", "entity: [importer, carrier]", "No profile serves"),
    ('tier: 3\n    include: ["1", "2"]', 'tier: 3\n    include: ["2"]', 'include: ["2"]', "of tier 1"),
    ("\nprofiles:", "\nprofile:", "profile:", "not a key"),
    ("why: Gates open.", 'why: ""', 'why: ""', "says nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "where", "says"), BROKEN)
def test_a_fault_is_told_with_its_line(old: str, new: str, where: str, says: str) -> None:
    assert old in SOUND
    text = SOUND.replace(old, new, 1)
    faults = faults_of(text)
    told = [fault for fault in faults if says in fault.message]
    assert told, [str(fault) for fault in faults]
    assert line_of(text, where) in {fault.line for fault in told}, [str(one) for one in told]


def test_a_condition_on_a_left_out_section_is_a_fault() -> None:
    text = SOUND.replace('tier: 1\n    include: ["1", "2"]', 'tier: 1\n    include: ["2"]')
    (fault,) = faults_of(text)
    assert "'q.2.1.1' depends on 'q.1.1.2'" in fault.message
    assert fault.line == line_of(text, 'include: ["2"]')


def test_a_higher_tier_that_asks_less_of_the_same_traders_is_a_fault() -> None:
    heavy = '    tier: 1\n    include: ["1", "2"]\n    set:\n      "2.1": {modality: must}\n'
    text = SOUND.replace('    tier: 1\n    include: ["1", "2"]\n', heavy)
    text = text.replace(
        'tier: 3\n    include: ["1", "2"]\n    set:\n      "2.1": {modality: must}\n',
        'tier: 3\n    include: ["1", "2"]\n',
    )
    (fault,) = faults_of(text)
    assert "'2.1' is a must at tier 1 and only a should here" in fault.message


def test_several_faults_are_told_together_in_order() -> None:
    text = SOUND.replace("modality: must", "modality: maybe").replace("type: text", "type: essay")
    lines = [fault.line for fault in faults_of(text)]
    assert lines == sorted(lines)
    assert {line_of(text, "modality: maybe"), line_of(text, "type: essay")} <= set(lines)


def test_a_fault_names_the_part_by_its_id() -> None:
    (fault,) = faults_of(SOUND.replace("type: text", "type: essay"))
    assert fault.message.startswith("Question q.2.1.1: ")
    assert str(fault).startswith(f"tiny.yaml:{fault.line}: ")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "empty"),
        (b"- a list", "group of keys"),
        (b"a: &x 1\nb: *x\n", "aliases"),
        (b"1: one", "not text"),
        (b"catalogue: \xff", "UTF-8"),
        (b"a: 1\n---\nb: 2\n", "not YAML"),
        (b"a: [1\n", "not YAML"),
        (b"a: \x00", "not YAML"),
        (b"[" * 100_000, "deeply"),
        (b"a: " * 100_000, "not YAML"),
        (b"# " + b"x" * 8_000_001, "larger"),
    ],
)
def test_what_cannot_be_read_is_one_fault(raw: bytes, says: str) -> None:
    content, faults = examine(raw, "tiny.yaml")
    assert content is None
    assert any(says in fault.message for fault in faults), faults


def test_a_missing_file_is_a_fault_and_not_a_crash(tmp_path: Path) -> None:
    (fault,) = check_file(tmp_path / "absent.yaml")
    assert fault.line == 0
    assert "cannot be read" in fault.message


def test_loading_a_faulty_file_raises_all_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(SOUND.replace("modality: must", "modality: maybe"))
    with pytest.raises(CatalogueFaultsError) as raised:
        load_catalogue(path)
    assert list(raised.value.faults) == check_file(path)
    assert "'must' or 'should'" in str(raised.value)


def test_loading_a_folder_tells_the_faults_of_all_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(SOUND.replace("tier: 3", "tier: 1"))
    with pytest.raises(CatalogueFaultsError) as raised:
        load_folder(tmp_path)
    assert {Path(fault.file).stem for fault in raised.value.faults} == {"one", "two"}
