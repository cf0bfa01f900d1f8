"""The document of classes and keys names every table once and every key that the code derives."""

import re
from collections import Counter
from pathlib import Path

import app.tables  # noqa: F401 - every feature's tables.
from app.db.base import Base

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "security.md").read_text()
PURPOSE = re.compile(r'(?<!\w)b?"(fairway (?:[a-z]+ ?)+)"')
KEY_FILE = re.compile(r'load_or_create\([^)]*\), "([a-z]+)"\)')


def test_each_table_is_in_one_class():
    classes = DOCUMENT.split("| class | tables |")[1].split("\n## ")[0]
    told = Counter(re.findall(r"`([a-z_]+)`", classes))
    assert {name: count for name, count in told.items() if count > 1} == {}
    assert sorted(told) == sorted(Base.metadata.tables)


def test_each_key_is_named():
    keys = DOCUMENT.split("## Keys")[1].split("\n## ")[0]
    code = "".join(path.read_text() for path in (ROOT / "app").rglob("*.py"))
    purposes = set(PURPOSE.findall(code))
    files = {f"keys/{name}.json" for name in KEY_FILE.findall(code)}
    assert len(purposes) >= 8
    assert len(files) >= 3
    assert {one for one in purposes | files if f"`{one}`" not in keys} == set()
