"""The table of the verification standard names each requirement once, and only what is there."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs/asvs.md").read_text()
ROWS = re.findall(r"^\| (V\d.*?) \|(.*)\|(.*)\| (.*?) \|$", TABLE, re.MULTILINE)
# How many requirements of levels 1 and 2 each chapter of version 5.0.0 has.
CHAPTERS = (27, 11, 19, 10, 9, 35, 18, 7, 7, 29, 14, 9, 13, 9, 13, 16, 7)


def test_each_requirement_of_levels_one_and_two_stands_once():
    found = [one for ids, *_ in ROWS for one in ids.split(", ")]
    assert len(set(found)) == len(found) == 253
    by_chapter = Counter(int(one[1:].partition(".")[0]) for one in found)
    assert tuple(by_chapter[number] for number in range(1, 18)) == CHAPTERS


def test_the_states_are_counted():
    count = Counter()
    for ids, *_, state in ROWS:
        count[state] += len(ids.split(", "))
    told = "Today: {kept} kept, {in part} in part, {not yet} not yet, {n/a} for things that are not there."
    assert told.format_map(count) in TABLE
    assert set(count) | {"not yet"} == {"kept", "in part", "not yet", "n/a"}


def test_each_file_that_is_named_is_there():
    named = {
        one
        for _, _, where, _ in ROWS
        for one in re.findall(r"`((?:app|tests|docs|templates|static|scripts)/[^`]+)`", where)
    }
    assert len(named) > 60
    assert [one for one in sorted(named) if not (ROOT / one).exists()] == []
