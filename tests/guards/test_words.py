"""The glossary is binding, and nothing is left for later without an issue's number."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FORBIDDEN = {
    r"\busers?\b": "person",
    r"\bmembers?\b(?!.*\b(?:json|body|form|enum|element)\b)": "partner, or appointment",
    r"\bmemberships?\b": "appointment",
    r"\borgani[sz]ations?\b": "trader, or agency",
    r"\bquestionnaires?\b": "catalogue",
    r"\bpowers? of attorney\b": "delegation",
    r"\btickets?\b": "case",
    r"\brulings?\b": "determination, or decision",
    r"\bsubmissions?\b": "application, or filing",
    r"\bcompany account\b": "trader",
    r"\bbad data\b": "fault",
}
"""What a page, an address, a table or a letter must not say, and the word to take instead."""

ALLOWED = {
    # A catalogue speaks the language of the criteria, where "user" is an IT word.
    "app/catalogues/data",
    # Evidence and answers of demo traders are written as such firms write.
    "app/demo/texts",
    # OAuth's and the browser's own vocabulary.
    "app/identity/user_agents.py",
}
SPOKEN = (
    "templates/**/*.html",
    "app/notifications/letters/*.txt",
    "app/register/programmes/*.yaml",
)


def spoken_files() -> list[Path]:
    found = [path for pattern in SPOKEN for path in sorted(ROOT.glob(pattern))]
    assert len(found) > 30
    return found


def words_of(path: Path) -> list[tuple[int, str]]:
    """The lines that a person reads: comments and markup of templates are left out."""
    text = path.read_text()
    text = re.sub(r"\{#.*?#\}", lambda m: "\n" * m[0].count("\n"), text, flags=re.DOTALL)
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        spoken = re.sub(
            r"<[^>]*>?|\{\{(?!\s*_\().*?\}\}|\{%(?!\s*trans).*?%\}|[\w-]+=\"[^\"]*\"", " ", line
        )
        lines.append((number, spoken))
    return lines


@pytest.mark.parametrize("pattern", sorted(FORBIDDEN))
def test_pages_and_letters_use_the_words_of_the_glossary(pattern):
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}  (say: {FORBIDDEN[pattern]})"
        for path in spoken_files()
        for number, line in words_of(path)
        if re.search(pattern, line, re.IGNORECASE)
    ]
    assert found == []


NAMES = ("user", "member", "membership", "organisation", "organization", "questionnaire", "ticket")


def test_tables_addresses_and_permissions_use_the_words_of_the_glossary(app):
    from app.authz.permissions import Permission  # noqa: PLC0415 - named where it is read.
    from app.tables import Base  # noqa: PLC0415

    said = [table.name for table in Base.metadata.sorted_tables]
    said += [column.name for table in Base.metadata.sorted_tables for column in table.columns]
    said += [rule.rule for rule in app.url_map.iter_rules()]
    said += [permission.value for permission in Permission]
    assert len(said) > 200
    found = [
        name
        for name in said
        for word in re.split(r"[^a-z]+", name.lower())
        if word in NAMES and name != "user_agent"
    ]
    assert found == []


def test_nothing_is_left_for_later_without_an_issue():
    pattern = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
    found = []
    for folder in ("app", "templates", "migrations", "tests", "static", "scripts", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*")):
            if (
                not path.is_file()
                or {"vendor", "node_modules"} & set(path.parts)
                or path.name == Path(__file__).name
            ):
                continue
            if path.suffix not in {".py", ".html", ".css", ".js", ".yaml", ".json", ".txt"}:
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if pattern.search(line):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert found == []


def test_files_stay_short_enough_to_read():
    found = [
        f"{path.relative_to(ROOT)}: {count} lines"
        for path in sorted((ROOT / "app").rglob("*.py"))
        if (count := len(path.read_text().splitlines())) > 420
    ]
    assert found == []


def test_no_room_is_a_junk_drawer():
    banned = {"utils", "helpers", "common", "manager", "misc", "util", "helper"}
    found = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "app").rglob("*"))
        if path.stem in banned
    ]
    assert found == []
