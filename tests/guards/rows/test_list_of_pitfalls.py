"""The list of pitfalls in ADR 18 names, for each, a test that is there."""

import ast
import re
from pathlib import Path

HOUSE = Path(__file__).parents[3]
ADR = HOUSE / "docs" / "adr" / "0018-row-security.md"
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", ADR.read_text(), re.MULTILINE)[1:]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_each_pitfall_names_a_test_or_is_accepted():
    assert len(ROWS) >= 26
    for pitfall, _, proof in ROWS:
        assert NAMED.fullmatch(proof) or proof == "accepted", pitfall
    assert [proof for *_, proof in ROWS].count("accepted") == 2


def test_each_test_that_is_named_is_there():
    for file, name in NAMED.findall(ADR.read_text()):
        module = ast.parse((HOUSE / file).read_text())
        assert name in {one.name for one in module.body if isinstance(one, ast.FunctionDef)}, name
