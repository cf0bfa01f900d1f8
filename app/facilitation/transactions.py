"""A transaction as release systems post it, and its one canonical form without any secret in it.

The model is strict before the policy sees anything: a decision table takes a missing or mistyped
value silently for its last row. Source: contract, internal API.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from app.kernel.identifiers import (
    Identifier,
    MalformedIdentifierError,
    Scheme,
    masked,
    parse,
)

MOST_TRANSACTIONS: Final = 1_000
MOST_LINES: Final = 999
MOST_PARTIES: Final = 50
HIGHEST_RISK: Final = 1_000

_INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def _instant(value: object) -> datetime:
    """An RFC 3339 instant; numbers and dates alone are refused, as the schema says."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        msg = "Give an instant with its offset, for example 2026-11-24T02:00:00Z."
        raise ValueError(msg)
    whole, dot, rest = value.partition(".")
    if dot:
        # Nanoseconds are legal there; our clock and the database count microseconds.
        digits = re.match(r"\d+", rest)
        assert digits is not None  # noqa: S101 - the pattern above; for the type checker.
        value = f"{whole}.{digits[0][:6]}{rest[digits.end() :]}"
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except OverflowError as error:
        msg = "This instant is beyond the calendar."
        raise ValueError(msg) from error


Instant = Annotated[
    datetime,
    BeforeValidator(_instant, json_schema_input_type=str),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]


def _whole(value: object) -> object:
    """JSON has one kind of number, so 120.0 is the whole number 120."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _never_a_persons_number(text: str) -> str:
    if masked(text) != text:
        msg = "This has the form of a social security number, which no id may have."
        raise ValueError(msg)
    return text


CallersId = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$"),
    AfterValidator(_never_a_persons_number),
]
RiskScore = Annotated[
    int,
    Field(strict=True, ge=0, le=HIGHEST_RISK),
    BeforeValidator(_whole, json_schema_input_type=Annotated[int, Field(ge=0, le=HIGHEST_RISK)]),
]
DecimalText = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?$")]


class Mode(StrEnum):
    """How the cargo arrives."""

    OCEAN = "ocean"
    AIR = "air"
    TRUCK = "truck"
    RAIL = "rail"


class Role(StrEnum):
    """What a party is in the transaction."""

    IMPORTER = "importer"
    BROKER = "broker"
    MANUFACTURER = "manufacturer"
    CARRIER = "carrier"
    CONSIGNEE = "consignee"


_SCHEMES: Final = {one.value: one for one in Scheme}
Hold = Literal["security", "sanctions", "uflpa", "pga"]
SchemeName = Literal[
    "ior", "ein", "cbp", "filer", "licence", "lei", "gln", "duns", "mid", "scac", "eori"
]


class Part(BaseModel):
    """A part of a transaction: unknown members are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Party(Part):
    """Who takes part. A value that is malformed is no error here: it earns no benefit."""

    role: Role
    scheme: SchemeName
    value: str = Field(min_length=1, max_length=100)

    def identifier(self) -> Identifier | None:
        """The identifier, `None` when the value is malformed."""
        try:
            return parse(_SCHEMES[self.scheme], self.value)
        except MalformedIdentifierError:
            return None


class Line(Part):
    """One line of the entry. Decimals are strings, since JSON numbers lose digits."""

    hts: str = Field(pattern=r"^[0-9]{4}(\.?[0-9]{2}){1,3}$")
    origin: str = Field(pattern=r"^[A-Z]{2}$")
    value_usd: DecimalText
    quantity: DecimalText
    uom: str = Field(pattern=r"^[A-Za-z0-9]{1,10}$")


class Transaction(Part):
    """One transaction. Without `risk_score` the risk is unknown, which earns no benefit."""

    transaction_id: CallersId
    mode: Mode
    entry_type: str = Field(pattern=r"^[0-9]{2}$", description="CBP entry type, for example 01.")
    port: str = Field(pattern=r"^[0-9]{4}$", description="Schedule D code.")
    arrival_at: Instant
    parties: tuple[Party, ...] = Field(max_length=MOST_PARTIES)
    lines: tuple[Line, ...] = Field(max_length=MOST_LINES)
    filing_id: CallersId | None = None
    risk_score: RiskScore | None = None
    holds: tuple[Hold, ...] = Field(max_length=16)


def canonical_json(value: object) -> bytes:
    """UTF-8 JSON with sorted keys and no blanks: equal bytes for equal content."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(value: object) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def canonical(
    transaction: Transaction,
    *,
    keyed_hash: Callable[[Identifier], str],
    keyed_text: Callable[[str], str],
) -> dict[str, Any]:
    """The transaction in its one form, as it is stored and compared.

    Parties, lines and holds are in a fixed order and decimals without idle zeros, because neither
    changes what is asked. Identifiers of social-security form, and malformed values, which may
    hide one, are kept masked with a keyed hash.
    """
    return {
        "transaction_id": transaction.transaction_id,
        "mode": transaction.mode.value,
        "entry_type": transaction.entry_type,
        "port": transaction.port,
        "arrival_at": transaction.arrival_at.isoformat(),
        "parties": sorted(
            (_party(one, keyed_hash, keyed_text) for one in transaction.parties),
            key=canonical_json,
        ),
        "lines": sorted((_line(one) for one in transaction.lines), key=canonical_json),
        "filing_id": transaction.filing_id,
        "risk_score": transaction.risk_score,
        "holds": sorted(set(transaction.holds)),
    }


def _party(
    party: Party, keyed_hash: Callable[[Identifier], str], keyed_text: Callable[[str], str]
) -> dict[str, str]:
    identifier = party.identifier()
    found = {"role": party.role.value, "scheme": party.scheme}
    if identifier is None:
        return {**found, "malformed": shown(party.value), "key": keyed_text(party.value)}
    if identifier.sensitive:
        return {**found, "shown": identifier.shown, "key": keyed_hash(identifier)}
    return {**found, "value": identifier.value}


def shown(text: str) -> str:
    """A malformed value as it may be kept: masked, and in characters that anything can print."""
    plain = masked(text, identifier=True)
    return "".join(one if one.isascii() and one.isprintable() else "?" for one in plain)


def _line(line: Line) -> dict[str, str]:
    found: Mapping[str, str] = line.model_dump()
    return {
        **found,
        "hts": line.hts.replace(".", ""),
        "value_usd": _plain(line.value_usd),
        "quantity": _plain(line.quantity),
    }


def _plain(text: str) -> str:
    whole = format(Decimal(text).normalize(), "f")
    return "0" if whole == "-0" else whole
