"""Cells for CSV files that people open in a spreadsheet."""

from typing import Final

# A spreadsheet takes a cell that begins so for a formula, some of them in full width too
# (OWASP ASVS 5.0, 1.2.10).
_FORMULA_STARTS: Final = frozenset(
    "=+-@\t\r\n\0\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)


def formula_safe(text: str) -> str:
    """Return `text` with an apostrophe before it if a spreadsheet could take it for a formula."""
    # Some programs drop leading blanks before they look, so the first visible character counts.
    starts = {text[:1], text.lstrip()[:1]}
    return f"'{text}" if starts & _FORMULA_STARTS else text
