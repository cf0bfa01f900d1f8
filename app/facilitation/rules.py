"""Pure decisions: what the policy's row comes to for one importer, and what no row may give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.facilitation.facts import Facts, PartyStanding, facts_of, tier_of
from app.facilitation.policy import Exam, Place, Policy, Queue, Row
from app.register.programme import PROGRAMMES

LEAST_EXAM: Exam = "nii"
"""What a guarded transaction gets at least: the cargo is scanned."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, in plain words, and the provision that it rests on."""

    code: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction gets."""

    exam: Exam
    random_sample: bool
    queue: Queue
    place: Place
    benefits: tuple[str, ...]
    reasons: tuple[Reason, ...]

    def as_json(self) -> dict[str, Any]:
        """The members of the contract's decision that the policy gives."""
        return {
            "exam": {"mode": self.exam, "random_sample": self.random_sample},
            "queue": self.queue,
            "place": self.place,
            "benefits": list(self.benefits),
            "reasons": [
                {"code": one.code, "text": one.text, "source": one.source} for one in self.reasons
            ],
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome with everything that it was made from."""

    facts: Facts
    outcome: Outcome
    trace: dict[str, Any]


def answer(
    policy: Policy,
    transaction: Mapping[str, Any],
    standings: Sequence[PartyStanding],
    draw: int,
) -> Answer:
    """What the policy gives to a canonical transaction; the whole way, so that a replay is one call.

    `draw` is from `app.facilitation.chance`. Source: ADR 10; contract, decisions.
    """
    facts = facts_of(
        transaction,
        standings,
        risk=policy.risk(transaction["risk_score"]),
        sampled=policy.sampled(draw, tier_of(standings)),
    )
    hit = policy.ask(facts)
    entitled, lost = entitle(policy, facts, hit.row)
    guarded, corrections = guard(facts, entitled)
    codes = list(hit.row.reasons)
    reasons = [
        *(_reason(policy, code) for code in codes),
        *(_restricted(policy, code) for code in lost if code in facts.restrictions),
        *([_reason(policy, "guarded")] if corrections else []),
    ]
    outcome = Outcome(
        exam=guarded.exam,
        random_sample=guarded.random_sample,
        queue=guarded.queue,
        place=guarded.place,
        benefits=tuple(guarded.benefits),
        reasons=tuple(reasons),
    )
    trace = {**hit.trace, "not_held": lost, "corrections": corrections}
    return Answer(facts, outcome, trace)


def entitle(policy: Policy, facts: Facts, row: Row) -> tuple[Row, list[str]]:
    """The row without what the importer does not hold, and the codes of what it lost by that."""
    held = set(facts.grants)
    lost = [code for code in row.benefits if code not in held]
    queue, place = row.queue, row.place
    for queue_rest in policy.words.rests_on.queue:
        if queue == queue_rest.outcome and queue_rest.benefit not in held:
            queue = queue_rest.otherwise
            lost.append(queue_rest.benefit)
    for place_rest in policy.words.rests_on.place:
        if place == place_rest.outcome and place_rest.benefit not in held:
            place = place_rest.otherwise
            lost.append(place_rest.benefit)
    kept = [code for code in row.benefits if code in held]
    return (
        row.model_copy(update={"queue": queue, "place": place, "benefits": kept}),
        list(dict.fromkeys(lost)),
    )


def guard(facts: Facts, row: Row) -> tuple[Row, list[str]]:
    """What no policy may give, taken away, and a sentence for each thing taken.

    A hold, an importer that is no active partner for certain, an unknown risk: no benefit, and
    never without an exam. A transaction drawn for the random sample: never without an exam.
    Source: contract, decisions; design, "every doubt resolves downward".
    """
    corrections = []
    bare = bool(facts.holds) or facts.importer != "partner" or facts.risk == "unknown"
    if bare:
        if row.benefits or row.queue != "standard" or row.place != "port":
            corrections.append("no benefit under a hold, in doubt, or for others than partners")
        row = row.model_copy(update={"benefits": [], "queue": "standard", "place": "port"})
    if row.exam == "none" and (bare or facts.sampled):
        corrections.append("never without an exam under a hold, in doubt, or in the sample")
        row = row.model_copy(
            update={"exam": LEAST_EXAM, "random_sample": facts.sampled and not bare}
        )
    if row.random_sample and not facts.sampled:
        corrections.append("not drawn for the random sample")
        row = row.model_copy(update={"random_sample": False})
    return row, corrections


def _reason(policy: Policy, code: str) -> Reason:
    found = policy.reason(code)
    return Reason(found.code, found.text, found.source)


def _restricted(policy: Policy, benefit: str) -> Reason:
    found = policy.reason("benefit-restricted")
    name = next(
        one.name
        for programme in PROGRAMMES.values()
        for one in programme.benefits
        if one.code == benefit
    )
    return Reason(found.code, found.text % {"benefit": name}, found.source)
