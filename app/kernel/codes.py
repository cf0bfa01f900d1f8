"""Shape and check-digit rules for the codes that advance data carries.

Each rule takes the text in its canonical form (see `canonical`) and returns what is wrong with
it, or None. All texts are constant, so that the web layer can translate them; none repeats the
value, which the caller may have to hide. Letters and digits are ASCII only: other scripts'
digits look right to a person and are never right to a release system.
"""

import functools
import re
import string
from dataclasses import dataclass
from typing import Final

import pycountry


@dataclass(frozen=True, slots=True)
class CodeProblem:
    """What is wrong with one value, and what its owner can do about it."""

    code: str
    message: str
    fix: str


_CONTAINER: Final = re.compile(r"[A-Z]{3}[UJZ][0-9]{7}")
_HTS: Final = re.compile(r"[0-9]{4}\.?[0-9]{2}(?:\.?[0-9]{2}(?:\.?[0-9]{2})?)?")
_BILL: Final = re.compile(r"[A-Z]{4}[A-Z0-9]{1,46}")
_UNLOCODE: Final = re.compile(r"[A-Z]{2}[A-Z2-9]{3}")
_SCHEDULE_D: Final = re.compile(r"[0-9]{4}")
# ISO 3166-1 leaves these to their users: AA, QM to QZ, XA to XZ and ZZ name no country.
_USER_ASSIGNED: Final = re.compile(r"AA|Q[M-Z]|X[A-Z]|ZZ")

_USUAL_BILL_LENGTH: Final = 16
# ISO 6346: letters count from 10 on, leaving out the multiples of 11.
_CONTAINER_WEIGHTS: Final = {
    **{digit: int(digit) for digit in string.digits},
    **dict(
        zip(string.ascii_uppercase, (n for n in range(10, 39) if n % 11), strict=True),
    ),
}

_CONTAINER_SHAPE: Final = CodeProblem(
    "CNTR_CHECK",
    "This is not a container number.",
    "Give four letters, the fourth U, J or Z, and seven digits, for example CSQU3054383.",
)
_CONTAINER_DIGIT: Final = CodeProblem(
    "CNTR_CHECK",
    "The last digit of the container number does not fit the rest of it.",
    "Compare it with the carrier's papers: a letter or a digit is mistyped or swapped.",
)
_COUNTRY_UNKNOWN: Final = CodeProblem(
    "ISO",
    "This is not a country code.",
    "Give the two-letter ISO 3166 code, for example CN or VN.",
)
_COUNTRY_USER_ASSIGNED: Final = CodeProblem(
    "ISO",
    "This code stands for no country: ISO 3166 leaves it to private use.",
    "Give the two-letter ISO 3166 code of the country itself, for example CN or VN.",
)
_HTS_SHAPE: Final = CodeProblem(
    "HTS",
    "This is not a tariff number.",
    "Give 6, 8 or 10 digits, with or without dots, for example 8507.60.00.20.",
)
_HTS_CHAPTER: Final = CodeProblem(
    "HTS",
    "The tariff has no such chapter: 00 does not exist and 77 is reserved.",
    "Look the goods up in the tariff and give their number, chapters 01 to 76 and 78 to 99.",
)
_HTS_SPECIAL: Final = CodeProblem(
    "HTS_SPECIAL",
    "Chapters 98 and 99 say how goods are treated, not what they are.",
    "Give the tariff number of the goods themselves, from chapters 01 to 97.",
)
_BILL_SHAPE: Final = CodeProblem(
    "BL_FORMAT",
    "This is not a bill of lading number.",
    "Give the carrier's four-letter code and the number in one piece, without spaces, hyphens "
    "or slashes, for example MAEU123456789012.",
)
_BILL_LENGTH: Final = CodeProblem(
    "BL_LENGTH",
    "Bill of lading numbers rarely have more than 12 characters after the carrier's code.",
    "Check that no other reference has run into the number.",
)
_UNLOCODE_SHAPE: Final = CodeProblem(
    "UNLOCODE",
    "This is not a UN/LOCODE.",
    "Give the two-letter country and three characters for the place, for example CNSHA.",
)
_SCHEDULE_D_SHAPE: Final = CodeProblem(
    "SCHEDULE_D",
    "This is not a US port code.",
    "Give the four digits of Schedule D, with leading zeros, for example 2704.",
)


def canonical(text: str) -> str:
    """Return `text` without surrounding blanks and, when it is plain ASCII, in capitals.

    Text beyond ASCII keeps its letters: capitalising it can turn one letter into another
    ("ß" into "SS", a dotless i into "I"), which would accept what nobody wrote.
    """
    stripped = text.strip(" \t\r\n\xa0")
    return stripped.upper() if stripped.isascii() else stripped


@functools.cache
def countries() -> frozenset[str]:
    """Return the two-letter codes of ISO 3166-1."""
    return frozenset(country.alpha_2 for country in pycountry.countries)


def container_number_problem(text: str) -> CodeProblem | None:
    """Check a container number by ISO 6346: owner, category U, J or Z, serial, check digit."""
    if _CONTAINER.fullmatch(text) is None:
        return _CONTAINER_SHAPE
    total = 0
    for position, sign in enumerate(text[:10]):
        total += _CONTAINER_WEIGHTS[sign] << position
    return None if str(total % 11 % 10) == text[10] else _CONTAINER_DIGIT


def country_problem(text: str, *, extra: frozenset[str] = frozenset()) -> CodeProblem | None:
    """Check a country code by ISO 3166-1 alpha-2; `extra` names codes accepted besides (XK)."""
    if text in countries() or text in extra:
        return None
    return _COUNTRY_USER_ASSIGNED if _USER_ASSIGNED.fullmatch(text) else _COUNTRY_UNKNOWN


def hts_problem(text: str) -> CodeProblem | None:
    """Check a tariff number: 6, 8 or 10 digits, dots between the pairs allowed, a real chapter."""
    if _HTS.fullmatch(text) is None:
        return _HTS_SHAPE
    return _HTS_CHAPTER if text[:2] in {"00", "77"} else None


def hts_digits(text: str) -> str:
    """Return a well-formed tariff number without its dots."""
    return text.replace(".", "")


def hts_warning(text: str) -> CodeProblem | None:
    """Say that a well-formed tariff number stands in chapter 98 or 99, which name no goods."""
    return _HTS_SPECIAL if text[:2] in {"98", "99"} else None


def bill_number_problem(text: str) -> CodeProblem | None:
    """Check a bill number: carrier code of four letters, then up to 46 letters and digits."""
    return None if _BILL.fullmatch(text) else _BILL_SHAPE


def bill_number_warning(text: str) -> CodeProblem | None:
    """Say that a well-formed bill number is longer than carriers make them."""
    return _BILL_LENGTH if len(text) > _USUAL_BILL_LENGTH else None


def unlocode_problem(text: str) -> CodeProblem | None:
    """Check the shape of a UN/LOCODE; whether it is listed is for dated reference data."""
    return None if _UNLOCODE.fullmatch(text) else _UNLOCODE_SHAPE


def schedule_d_problem(text: str) -> CodeProblem | None:
    """Check the shape of a US port code of Schedule D."""
    return None if _SCHEDULE_D.fullmatch(text) else _SCHEDULE_D_SHAPE
