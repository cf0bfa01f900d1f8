"""Looking identifiers up, and keeping who asked about whom."""

import hashlib
import hmac
from collections.abc import Sequence

from pydantic import ValidationError

from app.audit.access import Seen
from app.facilitation.transactions import shown
from app.kernel.identifiers import Identifier, MalformedIdentifierError, Scheme, masked, parse
from app.kernel.strict_json import StrictJsonError, strict_json
from app.register.answer import StatusAnswer
from app.register.queries import answers
from app.status_api.schemas import (
    AskedIdentifier,
    GivenIdentifier,
    GivenMalformed,
    GivenStatus,
    StatusQuery,
)
from app.work import Work

SUBJECT = "identifier"
_SCHEMES = {one.value: one for one in Scheme}
# Where an importer's number belongs, nine bare digits are a person's number without its hyphens.
PERSONAL_SCHEMES = frozenset({Scheme.IOR, Scheme.EIN, Scheme.CBP})


class LookupRecord:
    """Makes the record of a lookup: the identifier only as a keyed hash."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def subject(self, scheme: str, value: str) -> str:
        """HMAC-SHA-256 of scheme and value in hexadecimal: found again, never read back."""
        return self.digest(scheme, value).hex()

    def digest(self, scheme: str, value: str) -> bytes:
        """The same as 32 bytes, as the map has it."""
        return hmac.digest(self._key, f"{scheme}:{value}".encode(), hashlib.sha256)

    def of_answer(self, identifier: Identifier, answer: StatusAnswer) -> Seen:
        return Seen(
            subject_kind=SUBJECT,
            subject=self.subject(identifier.scheme.value, identifier.value),
            answer=answer.answer.value,
            trader_id=answer.partner_id,
            seq=answer.seq,
        )

    def of_malformed(self, asked: AskedIdentifier | None) -> Seen:
        text = ("", "") if asked is None else (asked.scheme, asked.value)
        return Seen(subject_kind=SUBJECT, subject=self.subject(*text), answer="malformed")


def identifier_of(scheme: str, value: str) -> Identifier | None:
    """The identifier, `None` when the scheme is unknown or the value malformed."""
    if scheme not in _SCHEMES:
        return None
    try:
        return parse(_SCHEMES[scheme], value)
    except MalformedIdentifierError:
        return None


def looks_personal(scheme: str, value: str) -> bool:
    """Whether the text has the form of a social security number, well-formed or not."""
    return masked(value, identifier=scheme in PERSONAL_SCHEMES) != value


def asked_on(line: bytes) -> AskedIdentifier | None:
    """The identifier that one line of NDJSON asks about, `None` when it is none."""
    try:
        return AskedIdentifier.model_validate(strict_json(line))
    except (StrictJsonError, ValidationError):
        return None


def look_up(
    work: Work,
    asked: Sequence[AskedIdentifier | None],
    query: StatusQuery,
    record: LookupRecord,
) -> tuple[list[GivenStatus | GivenMalformed], list[Seen]]:
    """The answers in the order of the question, all of one instant, and what to keep of it.

    `UnavailableError` as `app.register.queries.answers` says.
    """
    found = [None if one is None else identifier_of(one.scheme, one.value) for one in asked]
    known = iter(
        answers(
            work.session,
            [one for one in found if one is not None],
            now=work.now,
            programme=query.programme,
            valid_at=query.valid_at,
            known_at=query.known_at,
            min_seq=query.min_seq,
        )
    )
    given: list[GivenStatus | GivenMalformed] = []
    seen = []
    for one, identifier in zip(asked, found, strict=True):
        if identifier is None:
            given.append(malformed(one))
            seen.append(record.of_malformed(one))
        else:
            answer = next(known)
            given.append(GivenStatus.of(answer))
            seen.append(record.of_answer(identifier, answer))
    return given, seen


def malformed(asked: AskedIdentifier | None) -> GivenMalformed:
    """The answer in the place of what is no identifier; it repeats no person's number."""
    if asked is None:
        return GivenMalformed(identifier=None)
    return GivenMalformed(
        identifier=GivenIdentifier(scheme=shown(asked.scheme), value=shown(asked.value))
    )
