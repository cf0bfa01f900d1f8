"""The facts that the policy is asked about, and how they follow from what the register answers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.facilitation.transactions import Hold, Mode, Role
from app.register.answer import StatusAnswer, Verdict

Standing = Literal["active", "not_active", "not_a_partner", "malformed"]
ImporterWord = Literal["partner", "not_active", "not_a_partner", "doubtful", "missing"]
BrokerWord = Literal["active", "not_active", "not_a_partner", "doubtful", "none"]
RiskWord = Literal["low", "medium", "high", "critical", "unknown"]

IMPORTERS: Final[tuple[ImporterWord, ...]] = (
    "partner",
    "not_active",
    "not_a_partner",
    "doubtful",
    "missing",
)
BROKERS: Final[tuple[BrokerWord, ...]] = (
    "active",
    "not_active",
    "not_a_partner",
    "doubtful",
    "none",
)


class Plain(BaseModel):
    """Strict: a decision table would take a mistyped value silently for its last row."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PartyStanding(Plain):
    """What the register answered about one party of the transaction, as it is stored.

    `benefits` and `restrictions` are codes of the party's granting standings alone, `tier` is the
    highest of these, 0 without one.
    """

    role: Literal["importer", "broker"]
    answer: Standing
    partner_id: str | None = None
    tier: int = Field(default=0, ge=0)
    benefits: tuple[str, ...] = ()
    restrictions: tuple[str, ...] = ()


class Facts(Plain):
    """Everything that the decision table reads; `restrictions` is for the reasons."""

    holds: tuple[Hold, ...]
    importer: ImporterWord
    tier: int = Field(ge=0)
    broker: BrokerWord
    risk: RiskWord
    mode: Mode
    entry_type: str = Field(pattern=r"^[0-9]{2}$")
    grants: tuple[str, ...]
    restrictions: tuple[str, ...]
    sampled: bool


def party_standing(role: Role, answer: StatusAnswer | None) -> PartyStanding:
    """What counts of a status answer; `None` stands for a malformed identifier."""
    name: Literal["importer", "broker"] = "importer" if role is Role.IMPORTER else "broker"
    if answer is None:
        return PartyStanding(role=name, answer="malformed")
    if answer.answer is not Verdict.ACTIVE:
        partner = None if answer.partner_id is None else str(answer.partner_id)
        word: Standing = "not_active" if answer.answer is Verdict.NOT_ACTIVE else "not_a_partner"
        return PartyStanding(role=name, answer=word, partner_id=partner)
    granting = [one for one in answer.standings if one.tier is not None]
    return PartyStanding(
        role=name,
        answer="active",
        partner_id=str(answer.partner_id),
        tier=max((one.tier or 0 for one in granting), default=0),
        benefits=tuple(sorted({code for one in granting for code in one.benefits})),
        restrictions=tuple(sorted({code for one in granting for code in one.restrictions})),
    )


def facts_of(
    transaction: Mapping[str, Any],
    standings: Sequence[PartyStanding],
    *,
    risk: RiskWord,
    sampled: bool,
) -> Facts:
    """The facts of a canonical transaction.

    Several identifiers in one role count only when the register knows one partner behind them
    all; any other mixture is doubtful, and doubt earns nothing.
    """
    importer = [one for one in standings if one.role == "importer"]
    broker = [one for one in standings if one.role == "broker"]
    word = _word(importer)
    words: Mapping[str, ImporterWord] = {"active": "partner", "none": "missing"}
    holder = importer[0] if word == "active" else None
    return Facts(
        holds=tuple(transaction["holds"]),
        importer=words.get(word, word),  # type: ignore[arg-type] # The two words left over agree.
        tier=holder.tier if holder else 0,
        broker=_word(broker),
        risk=risk,
        mode=Mode(transaction["mode"]),
        entry_type=transaction["entry_type"],
        grants=holder.benefits if holder else (),
        restrictions=holder.restrictions if holder else (),
        sampled=sampled,
    )


def tier_of(standings: Sequence[PartyStanding]) -> int:
    """The importer's tier for the random sample: 0 unless it is an active partner for certain."""
    importer = [one for one in standings if one.role == "importer"]
    return importer[0].tier if _word(importer) == "active" else 0


def _word(parties: Sequence[PartyStanding]) -> BrokerWord:
    if not parties:
        return "none"
    first = parties[0]
    if first.answer == "malformed":
        return "doubtful"
    if any((one.answer, one.partner_id) != (first.answer, first.partner_id) for one in parties):
        return "doubtful"
    if len(parties) > 1 and first.partner_id is None:
        # Several numbers that nobody holds may be several importers.
        return "doubtful"
    return first.answer
