"""`docs/limits.md` gives each limit its number, and the number is the one in the code."""

import importlib
import re
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "limits.md"
ROW = re.compile(r"^\| [^|]+ \| ([^|]+) \| `(app\.[\w.]+)` \|$")
ATTEMPT = re.compile(r"^\| ([0-9]+ per [^|]+) \| (.+) \|$")
MADE = re.compile(r"limiter\.limit\(\s*\"([^\"]+)\"")
UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def said(value: object) -> str:
    """A number or a span of time as the document writes it."""
    if not isinstance(value, timedelta):
        return f"{value:,}" if isinstance(value, int) else f"{value:g}"
    seconds = int(value.total_seconds())
    unit, size = next(one for one in UNITS if seconds % one[1] == 0)
    count = seconds // size
    return f"{count:,} {unit}{'' if count == 1 else 's'}"


def attempts() -> dict[str, list[str]]:
    """Each limit of attempts with the files that set it."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "app").rglob("*.py")):
        for limit in sorted(set(MADE.findall(path.read_text("utf-8")))):
            found.setdefault(limit, []).append(str(path.relative_to(ROOT)))
    return found


def rows(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    lines = DOCUMENT.read_text("utf-8").splitlines()
    return [(found[1], found[2]) for line in lines if (found := pattern.match(line))]


def test_each_number_is_that_of_the_code():
    found = rows(ROW)
    assert len(found) > 50
    for limit, path in found:
        module, _, name = path.rpartition(".")
        value = said(getattr(importlib.import_module(module), name))
        assert limit == value or limit.startswith(f"{value} "), path


def test_no_row_escapes_the_comparison():
    lines = [one for one in DOCUMENT.read_text("utf-8").splitlines() if "`app." in one]
    assert len(lines) == len(rows(ROW))


def test_each_limit_of_attempts_is_listed():
    listed = {limit: re.findall(r"`([^`]+)`", files) for limit, files in rows(ATTEMPT)}
    assert listed == attempts()
    assert len(listed) > 5
