"""What the internal API takes and gives: these models are the contract, and its documentation."""

import re
import uuid
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from app.facilitation.models import Decision
from app.facilitation.policy import Exam, Place, Queue
from app.facilitation.service import Replay
from app.facilitation.transactions import (
    MOST_TRANSACTIONS,
    Instant,
    SchemeName,
    Transaction,
)
from app.register.answer import StatusAnswer
from app.register.programme import PROGRAMMES, Status

MOST_IDENTIFIERS: Final = 10_000
MOST_CHANGES: Final = 1_000
HIGHEST_SEQ: Final = 2**63 - 1
_WHOLE: Final = re.compile(r"([0-9]{1,19})(?:\.0)?", re.ASCII)


class Taken(BaseModel):
    """Something that a program sends: unknown members are refused, and no error repeats a value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Given(BaseModel):
    """Something that a program gets."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


def _whole(value: object) -> object:
    """Digits, and `.0`, which JSON Schema counts as whole; the library would also read `1_0`."""
    found = _WHOLE.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        return int(found[1])
    msg = "Give a whole number."
    raise ValueError(msg)


def _known_programme(value: str) -> str:
    if value not in PROGRAMMES:
        msg = "There is no such programme."
        raise ValueError(msg)
    return value


Seq = Annotated[
    int,
    Field(ge=0, le=HIGHEST_SEQ),
    BeforeValidator(_whole, json_schema_input_type=Annotated[int, Field(ge=0, le=HIGHEST_SEQ)]),
]
Limit = Annotated[
    int,
    Field(ge=1, le=MOST_CHANGES),
    BeforeValidator(_whole, json_schema_input_type=Annotated[int, Field(ge=1, le=MOST_CHANGES)]),
]
ProgrammeName = Annotated[
    str, AfterValidator(_known_programme), Field(json_schema_extra={"enum": sorted(PROGRAMMES)})
]


class StatusPath(Taken):
    """Which identifier."""

    scheme: SchemeName = Field(description="The kind of identifier.")
    value: str = Field(
        min_length=1, max_length=100, description="The identifier, for example 12-345678900."
    )


class StatusQuery(Taken):
    """For when, on what knowledge, in which programme."""

    programme: ProgrammeName | None = Field(
        default=None, description="Answer for this programme alone."
    )
    valid_at: Instant | None = Field(
        default=None, description="The instant to answer for; now, if it is not given."
    )
    known_at: Instant | None = Field(
        default=None, description="Answer by what was known at this instant."
    )
    min_seq: Seq | None = Field(
        default=None,
        description="Answer only when this register change has been seen; 503 not-yet otherwise.",
    )


class ChangesQuery(Taken):
    """Where to go on, and how far."""

    after: Seq = Field(default=0, description="The number of the last change that you have.")
    limit: Limit = Field(default=100, description="How many changes at most.")


class DecisionPath(Taken):
    """Which decision."""

    decision_id: uuid.UUID


class AskedIdentifier(Taken):
    """An identifier to look up. One that is malformed is answered so, in its place."""

    scheme: str = Field(max_length=20)
    value: str = Field(max_length=100)


class StatusesBody(Taken):
    """The identifiers to look up."""

    identifiers: list[AskedIdentifier] = Field(max_length=MOST_IDENTIFIERS)


class DecisionsBody(Taken):
    """The transactions to decide, all of them or none."""

    transactions: list[Transaction] = Field(min_length=1, max_length=MOST_TRANSACTIONS)


class GivenIdentifier(Given):
    """The identifier that was asked about; one of social-security form is masked."""

    scheme: str
    value: str


class GivenStanding(Given):
    """One standing in force. `tier` and `benefits` stand only on one that grants."""

    programme: str
    tier: int | None
    status: Status
    restrictions: list[str]
    benefits: list[str]
    effective_from: datetime
    effective_until: datetime | None


class GivenStatus(Given):
    """A partner's standing. Anything but `active` means no facilitation."""

    identifier: GivenIdentifier
    answer: Literal["active", "not_active", "not_a_partner"]
    partner_id: uuid.UUID | None
    seq: int
    as_of: datetime
    known_at: datetime
    data_age_ms: int
    next_change_at: datetime | None
    standings: list[GivenStanding]

    @classmethod
    def of(cls, answer: StatusAnswer) -> Self:
        return cls.model_validate(answer)


class GivenMalformed(Given):
    """The answer to a member that is no identifier; `identifier` is null when none can be read."""

    identifier: GivenIdentifier | None
    answer: Literal["malformed"] = "malformed"


class GivenStatuses(Given):
    """The answers, in the order of the question."""

    statuses: list[GivenStatus | GivenMalformed]


class GivenChange(Given):
    """One change of what the register answers about a partner; ask again to learn what it is."""

    seq: int
    partner_id: uuid.UUID = Field(validation_alias="trader_id")
    kind: Literal["standing", "identifier"]
    at: datetime


class GivenChanges(Given):
    """A part of the change feed: `next` is the next question's `after`, `head` the newest change."""

    changes: list[GivenChange]
    next: int
    head: int
    at: datetime


class GivenExam(Given):
    """Whether the cargo is examined, how, and whether at random."""

    mode: Exam
    random_sample: bool


class GivenReason(Given):
    """Why, in plain words, and the provision that it rests on."""

    code: str
    text: str
    source: str


class GivenDecision(Given):
    """What one transaction gets."""

    decision_id: uuid.UUID
    transaction_id: str
    exam: GivenExam
    queue: Queue
    place: Place
    benefits: list[str]
    reasons: list[GivenReason]
    policy_version: str
    seq: int
    decided_at: datetime

    @classmethod
    def of(cls, decision: Decision) -> Self:
        return cls.model_validate(_members(decision))


class GivenDecisions(Given):
    """The decisions, in the order of the transactions."""

    decisions: list[GivenDecision]


class StoredDecision(GivenDecision):
    """A decision with everything that it follows from; parties of personal numbers are masked."""

    input: dict[str, Any]
    input_sha256: str
    trace: dict[str, Any]
    policy_sha256: str

    @classmethod
    def of(cls, decision: Decision) -> Self:
        return cls.model_validate(
            {
                **_members(decision),
                "input": decision.input,
                "input_sha256": decision.input_sha256,
                "trace": decision.trace,
                "policy_sha256": decision.policy_sha256,
            }
        )


class GivenOutcome(Given):
    """What the stored policy gives to the stored input now."""

    exam: GivenExam
    queue: Queue
    place: Place
    benefits: list[str]
    reasons: list[GivenReason]


class GivenReplay(Given):
    """A decision run again: `equal`, or else what differs and why."""

    decision_id: uuid.UUID
    equal: bool
    explanation: list[str]
    policy_version: str
    outcome: GivenOutcome | None

    @classmethod
    def of(cls, decision: Decision, replay: Replay) -> Self:
        return cls.model_validate(
            {
                "decision_id": decision.id,
                "equal": replay.equal,
                "explanation": list(replay.explanation),
                "policy_version": decision.policy_version,
                "outcome": replay.output,
            }
        )


class ProblemMember(Given):
    """One member of the request that is wrong, by its JSON pointer (RFC 6901)."""

    pointer: str
    code: str
    detail: str


class Problem(Given):
    """A refusal (RFC 9457). `instance` is what to quote when asking us about it."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[ProblemMember] | None = None
    instance: str


def _members(decision: Decision) -> dict[str, Any]:
    return {
        "decision_id": decision.id,
        "transaction_id": decision.transaction_id,
        **decision.output,
        "policy_version": decision.policy_version,
        "seq": decision.seq,
        "decided_at": decision.decided_at,
    }
