"""Identifiers: the numbers that name a trader, how each is written and when one is malformed.

What a rule can know for certain (shape, check digit) makes an identifier malformed. What only
lists know, and lists age (which prefixes the tax office uses, which countries issue), is a
warning: see `warnings`. An importer number in the form of a social security number is
sensitive: nothing here prints, echoes or logs it, and `shown` masks it.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from stdnum import ean, lei
from stdnum.exceptions import ValidationError
from stdnum.us import ein, ssn

from app.kernel.codes import CodeProblem, canonical, countries


class Scheme(StrEnum):
    """A kind of identifier; `label` names it and `hint` says how it is written."""

    label: str
    hint: str

    # A scheme equals its name, so it has its hash too, which is found without Python's help:
    # millions of identifiers ask for it.
    __hash__ = str.__hash__

    def __new__(cls, value: str, label: str, hint: str) -> Self:
        """Attach label and hint to the member, whose value stays the plain scheme name."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.hint = hint
        return member

    IOR = (
        "ior",
        "Importer of record number",
        "Tax number with suffix, for example 12-345678900; CBP-assigned, for example 261234-00001.",
    )
    EIN = (
        "ein",
        "Employer identification number",
        "Two digits, a hyphen, seven digits, for example 91-1144442.",
    )
    CBP = (
        "cbp",
        "CBP-assigned number",
        "Six digits, a hyphen, five digits, for example 261234-00001.",
    )
    FILER = (
        "filer",
        "Entry filer code",
        "Three letters or digits, for example WKV or 406.",
    )
    LICENCE = (
        "licence",
        "Customs broker licence number",
        "The five digits of the licence, for example 04321.",
    )
    LEI = (
        "lei",
        "Legal entity identifier",
        "20 letters and digits, for example 5493001KJTIIGC8Y1R12.",
    )
    GLN = (
        "gln",
        "Global location number",
        "13 digits, for example 9501101530003.",
    )
    DUNS = (
        "duns",
        "D-U-N-S number",
        "Nine digits without hyphens, for example 123456789; 13 digits for one site.",
    )
    MID = (
        "mid",
        "Manufacturer identification code",
        "Country, then 3 to 13 letters and digits of name, address, city, for example AUOZR92MEL.",
    )
    SCAC = (
        "scac",
        "Standard carrier alpha code",
        "Two to four letters, for example MAEU.",
    )
    EORI = (
        "eori",
        "Economic operator number (EORI)",
        "Country, then up to 15 letters and digits, for example DE1234567.",
    )


class MalformedIdentifierError(ValueError):
    """The text is not an identifier of the scheme; it is never repeated in code or texts."""

    def __init__(self, scheme: Scheme, problem: CodeProblem) -> None:
        super().__init__(problem.message)
        self.scheme = scheme
        self.code = problem.code
        self.message = problem.message
        self.fix = problem.fix


_SSN: Final = re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}")
_IRS: Final = re.compile(r"[0-9]{2}-[0-9]{7}[0-9A-Z]{2}")
_CBP: Final = re.compile(r"[0-9]{6}-[0-9]{5}")
_SHAPES: Final = {
    Scheme.IOR: re.compile(f"{_IRS.pattern}|{_CBP.pattern}|{_SSN.pattern}"),
    Scheme.EIN: re.compile(r"[0-9]{2}-[0-9]{7}"),
    Scheme.CBP: _CBP,
    Scheme.FILER: re.compile(r"(?!000)[A-Z0-9]{3}"),
    Scheme.LICENCE: re.compile(r"[0-9]{5}"),
    Scheme.LEI: re.compile(r"[A-Z0-9]{18}[0-9]{2}"),
    Scheme.GLN: re.compile(r"[0-9]{13}"),
    Scheme.DUNS: re.compile(r"[0-9]{9}(?:[0-9]{4})?"),
    Scheme.MID: re.compile(r"[A-Z]{2}[A-Z0-9]{3,13}"),
    Scheme.SCAC: re.compile(r"[A-Z]{2,4}"),
    Scheme.EORI: re.compile(r"[A-Z]{2}[A-Z0-9]{1,15}"),
}
_SHAPE_MESSAGES: Final = {
    Scheme.IOR: "This is not an importer of record number.",
    Scheme.EIN: "This is not an employer identification number.",
    Scheme.CBP: "This is not a CBP-assigned number.",
    Scheme.FILER: "This is not an entry filer code.",
    Scheme.LICENCE: "This is not a customs broker licence number.",
    Scheme.LEI: "This is not a legal entity identifier.",
    Scheme.GLN: "This is not a global location number.",
    Scheme.DUNS: "This is not a D-U-N-S number.",
    Scheme.MID: "This is not a manufacturer identification code.",
    Scheme.SCAC: "This is not a standard carrier alpha code.",
    Scheme.EORI: "This is not an EORI number.",
}
_CHECK_DIGITS: Final[dict[Scheme, tuple[Callable[[str], str], CodeProblem]]] = {
    # The library checks alone accept other lengths; the shapes above come first.
    Scheme.LEI: (
        lei.validate,
        CodeProblem(
            "LEI_CHECK",
            "The last two digits of the legal entity identifier do not fit the rest of it.",
            "Copy it again from the LEI register: a character is mistyped or swapped.",
        ),
    ),
    Scheme.GLN: (
        ean.validate,
        CodeProblem(
            "GLN_CHECK",
            "The last digit of the global location number does not fit the rest of it.",
            "Copy it again from your GS1 certificate: a digit is mistyped or swapped.",
        ),
    ),
}
_SSN_NEVER_ISSUED: Final = CodeProblem(
    "IOR_FORMAT",
    "No such social security number was ever issued.",
    "Check the number, or give the importer of record number that CBP assigned.",
)
_EIN_PREFIX: Final = CodeProblem(
    "EIN_PREFIX",
    "The first two digits are not among the prefixes that we know the tax office to use.",
    "Check the number. If it is right, leave it: our list may be out of date.",
)
_MID_COUNTRY: Final = CodeProblem(
    "MID_COUNTRY",
    "The first two letters are no country that manufacturer codes begin with.",
    "Begin with the manufacturer's country; for Canada, with the code of the province.",
)
_EORI_COUNTRY: Final = CodeProblem(
    "EORI_COUNTRY",
    "The first two letters are no country that we know to issue EORI numbers.",
    "Check the number. It begins with an EU country, GB or XI.",
)
_EORI_LENGTH: Final = CodeProblem(
    "EORI_LENGTH",
    "EORI numbers of the United Kingdom have 12 or 15 digits after the country.",
    "Check the number for missing or added digits.",
)
# 19 CFR part 102, appendix: Canada is named by province instead of CA.
CANADIAN_PROVINCES: Final = frozenset(
    ("XA", "XB", "XC", "XM", "XN", "XO", "XP", "XQ", "XS", "XT", "XV", "XW", "XY")
)
_EORI_UK: Final = re.compile(r"(?:GB|XI)(?:[0-9]{12}|[0-9]{15})")
# The European Union, Great Britain and Northern Ireland.
_EORI_COUNTRIES: Final = frozenset(
    (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE"),
        *("IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "GB", "XI"),
    )
)


def _unknown_prefix(value: str) -> bool:
    return value[:2] not in _ein_prefixes()


def _begins_a_mid(country: str) -> bool:
    return country in countries() or country in CANADIAN_PROVINCES


# What looks unusual about a well-formed value of each scheme.
_UNUSUAL: Final[dict[Scheme, tuple[tuple[Callable[[str], bool], CodeProblem], ...]]] = {
    Scheme.IOR: ((_unknown_prefix, _EIN_PREFIX),),
    Scheme.EIN: ((_unknown_prefix, _EIN_PREFIX),),
    Scheme.MID: ((lambda value: not _begins_a_mid(value[:2]), _MID_COUNTRY),),
    Scheme.EORI: (
        (lambda value: value[:2] not in _EORI_COUNTRIES, _EORI_COUNTRY),
        (
            lambda value: value[:2] in {"GB", "XI"} and not _EORI_UK.fullmatch(value),
            _EORI_LENGTH,
        ),
    ),
}

# Nine digits grouped as a social security number, however they are set apart and in whatever
# script: digits and dashes of other scripts are refused but must not be echoed either.
_SSN_LIKE: Final = re.compile(r"(?<!\d)\d{3}[\W_]{1,3}\d{2}[\W_]{1,3}(?=\d{4})")
_NINE_DIGITS: Final = re.compile(r"\d{9}")


@dataclass(frozen=True, repr=False, slots=True)
class Identifier:
    """A well-formed identifier; `value` is its one canonical form. Made by `parse`."""

    scheme: Scheme
    value: str

    @property
    def sensitive(self) -> bool:
        """Whether the value is a person's social security number."""
        return self.scheme is Scheme.IOR and _SSN.fullmatch(self.value) is not None

    @property
    def shown(self) -> str:
        """The value as people and logs may see it."""
        return f"***-**-{self.value[-4:]}" if self.sensitive else self.value

    def __str__(self) -> str:
        """Return scheme and value, masked where it is sensitive."""
        return f"{self.scheme.value}:{self.shown}"

    def __repr__(self) -> str:
        """Return the same for logs and tracebacks."""
        return f"Identifier({str(self)!r})"


def parse(scheme: Scheme, text: str) -> Identifier:
    """Read one identifier: blanks around it go, letters become capitals, nothing else is forgiven.

    Raises MalformedIdentifierError for a wrong shape, a wrong check digit or a social security
    number that is never issued. Rules: reference on identifiers, 19 CFR 24.5 for the importer
    number, ISO 17442 for the LEI, GS1 for the GLN.
    """
    value = canonical(text)
    problem = _problem(scheme, value)
    if problem is not None:
        raise MalformedIdentifierError(scheme, problem)
    return Identifier(scheme, value)


def warnings(identifier: Identifier) -> tuple[CodeProblem, ...]:
    """Return what looks unusual about a well-formed identifier; none of it makes it wrong."""
    value = identifier.value
    # Of the three forms of an importer number only the tax number has its hyphen there. The others
    # have nothing unusual, and a personal one is not to be remembered.
    if identifier.scheme is Scheme.IOR and value[2] != "-":
        return ()
    return _warnings(identifier.scheme, value)


@functools.lru_cache(maxsize=4096)
def _warnings(scheme: Scheme, value: str) -> tuple[CodeProblem, ...]:
    return tuple(problem for unusual, problem in _UNUSUAL.get(scheme, ()) if unusual(value))


def masked(text: str, *, identifier: bool = False) -> str:
    """Return `text` with everything that looks like a social security number masked.

    `identifier` says that the text was given where an importer number belongs; there nine bare
    digits count as one too.
    """
    if identifier and _NINE_DIGITS.fullmatch(text.strip()):
        return f"***-**-{text.strip()[-4:]}"
    return _SSN_LIKE.sub("***-**-", text)


def _problem(scheme: Scheme, value: str) -> CodeProblem | None:
    if _SHAPES[scheme].fullmatch(value) is None:
        return CodeProblem(f"{scheme.upper()}_FORMAT", _SHAPE_MESSAGES[scheme], scheme.hint)
    if scheme in _CHECK_DIGITS:
        validate, problem = _CHECK_DIGITS[scheme]
        return None if _passes(validate, value) else problem
    if scheme is Scheme.IOR and _SSN.fullmatch(value) and not _passes(ssn.validate, value):
        return _SSN_NEVER_ISSUED
    return None


def _passes(validate: Callable[[str], str], value: str) -> bool:
    try:
        validate(value)
    except ValidationError:
        return False
    return True


@functools.cache
def _ein_prefixes() -> frozenset[str]:
    """Return the two-digit prefixes in the library's table of tax office campuses."""
    prefixes = (f"{number:02}" for number in range(100))
    return frozenset(prefix for prefix in prefixes if _passes(ein.validate, f"{prefix}-1234567"))
