"""What the traders' API gives, and where its questions are put: these models are the contract."""

import re
import uuid
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from app.advance_data.formats import FORMATS
from app.advance_data.models import Batch, Filing, FilingFault
from app.advance_data.queries import Standing
from app.advance_data.rows import COLUMNS
from app.advance_data.workflow import BatchState

MOST_FAULTS: Final = 1_000
_WHOLE: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class Taken(BaseModel):
    """Something that a program sends: unknown names are refused, and no error repeats a value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Given(BaseModel):
    """Something that a program gets."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


def _whole(value: object) -> object:
    """Digits alone; the library would also read `1_0`, `+1` and `1.0`."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    msg = "Give a whole number."
    raise ValueError(msg)


Whole = BeforeValidator(_whole, json_schema_input_type=int)


class BatchPath(Taken):
    """Which batch."""

    batch_id: uuid.UUID


class FilingPath(Taken):
    """Which filing."""

    filing_id: uuid.UUID


class SenderQuery(Taken):
    """For whom the caller files or asks."""

    on_behalf_of: str = Field(
        default="",
        max_length=100,
        description="The id of the trader for whom you act under a delegation; yourself, if it is not given.",
    )


class FaultsQuery(SenderQuery):
    """Where to go on, and how far."""

    after: Annotated[int, Field(ge=0), Whole] = Field(
        default=0, description="The `next` of the answer before."
    )
    limit: Annotated[int, Field(ge=1, le=MOST_FAULTS), Whole] = Field(
        default=100, description="How many errors at most."
    )


class GivenList(Given):
    """One version of a list of codes."""

    kind: str
    as_of: date
    sha256: str


class GivenBatch(Given):
    """A batch; at every moment, accepted and rejected add up to read."""

    id: uuid.UUID
    state: BatchState
    total: int | None = Field(
        description="How many records the file has; null until it was read to its end."
    )
    read: int = Field(description="How many of them were checked; of a batch that is done, all.")
    accepted: int
    rejected: int
    warnings: int = Field(description="How many rows have at least one warning.")
    reference: str
    sha256: str
    received_at: datetime
    finished_at: datetime | None
    refusal: str | None = Field(description="Why the whole file was refused, if it was.")
    judged_by: list[GivenList] = Field(
        description="Versions of the lists of codes that its warnings rest on."
    )

    @classmethod
    def of(cls, batch: Batch) -> Self:
        return cls.model_validate(batch)


class GivenFault(Given):
    """One fault of one row; `file_row` 1 is the first data row, 0 the file itself."""

    file_row: int
    line_no: int
    record: str
    field: str
    code: str
    severity: Literal["error", "warning"]
    value: str
    message: str
    fix: str
    spec_ref: str


class GivenFaults(Given):
    """Faults in the order of the file; `next` is the next question's `after`, null at the end."""

    errors: list[GivenFault]
    next: int | None


class GivenFiling(Given):
    """The receipt of a filing, with what was filed; personal numbers are masked."""

    id: uuid.UUID
    receipt: str
    filing_ref: str
    number: int = Field(description="Which filing under this reference it is.")
    action: str
    standing: Standing
    sha256: str = Field(description="Of `content` as JSON, names sorted, without blanks.")
    filed_at: datetime
    batch_id: uuid.UUID
    content: dict[str, JsonValue] = Field(
        description="Texts by column; of a message also lists of its parts."
    )
    warnings: list[GivenFault]

    @classmethod
    def of(cls, filing: Filing, standing: Standing, warnings: Iterable[FilingFault]) -> Self:
        return cls(
            id=filing.id,
            receipt=filing.receipt,
            filing_ref=filing.filing_ref,
            number=filing.number,
            action=filing.action,
            standing=standing,
            sha256=filing.sha256,
            filed_at=filing.filed_at,
            batch_id=filing.batch_id,
            content=filing.content,
            warnings=[GivenFault.model_validate(one) for one in warnings],
        )


class GivenOwnStanding(Given):
    """The standing in one programme. `tier` and `benefits` stand only on one that grants."""

    programme: str
    tier: int | None
    status: str
    restrictions: list[str]
    benefits: list[str]
    effective_from: datetime
    effective_until: datetime | None


class GivenOwnStatus(Given):
    """What release systems are told about you, as the register knows it now."""

    partner_id: uuid.UUID
    answer: Literal["active", "not_active", "not_a_partner"]
    seq: int
    as_of: datetime
    standings: list[GivenOwnStanding]


class ProblemDetail(Given):
    """One part of the request that is wrong, by its JSON pointer (RFC 6901)."""

    pointer: str
    code: str
    detail: str
    severity: str | None = None
    value: str | None = None
    fix: str | None = None
    spec_ref: str | None = None


class TraderProblem(Given):
    """A refusal (RFC 9457). `instance` is what to quote when asking us about it."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[ProblemDetail] | None = None
    instance: str


_VALUE: Final = {"anyOf": [{"type": "string"}, {"type": "number"}]}
FILING_BODY: Final = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    **dict.fromkeys(COLUMNS, _VALUE),
                    "on_behalf_of": {"type": "string"},
                },
                "required": ["filing_ref", "action", "importer_number"],
            }
        }
    },
}
BATCH_BODY: Final = {
    "required": True,
    "content": {key: {"schema": {"type": "string", "format": "binary"}} for key in FORMATS},
}
KEY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Sent again with the same content, it gets the same answer.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
