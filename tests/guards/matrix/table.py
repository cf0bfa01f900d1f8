"""The table of verdicts that a person has read."""

from pathlib import Path

from tests.guards.matrix.cast import PRINCIPALS

TABLE = Path(__file__).parent / "verdicts.tsv"
NAMES = [one.name for one in PRINCIPALS]


def rows() -> list[dict[str, str]]:
    """One row for each method and route, by the names of the columns."""
    head, *lines = (line.split("\t") for line in TABLE.read_text().splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]
