"""The table of verdicts that a person has read."""

from pathlib import Path

from tests.guards.matrix.cast import PRINCIPALS

TABLE = Path(__file__).parent / "verdicts.tsv"
NAMES = [one.name for one in PRINCIPALS]


def rows() -> list[dict[str, str]]:
    """One row for each method and route, by the names of the columns."""
    head, *lines = (line.split("\t") for line in TABLE.read_text().splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]


def among_the_others(lines: list[str]) -> list[str]:
    """The table with these lines, its head first, in the place of those of the same routes."""

    def key(line: str) -> tuple[str, str]:
        method, route, *_ = line.split("\t")
        return route, method

    head, *new = lines
    kept = {key(one): one for one in [*TABLE.read_text().splitlines()[1:], *new]}
    return [head, *(kept[name] for name in sorted(kept))]
