"""Deciding what transactions get, and running a past decision again."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from app.audit.tags import EventTag
from app.facilitation import policy as policies
from app.facilitation import queries, rules
from app.facilitation.chance import Chance
from app.facilitation.facts import PartyStanding, party_standing
from app.facilitation.models import Decision, PolicyVersion
from app.facilitation.policy import Policy, PolicyError
from app.facilitation.transactions import (
    MOST_TRANSACTIONS,
    Role,
    Transaction,
    canonical,
    sha256,
)
from app.kernel.errors import ConflictError, DomainError, NotAllowedError
from app.kernel.identifiers import Identifier
from app.register.queries import answers, head
from app.traders.sealing import sealer
from app.work import Work

JUDGED = (Role.IMPORTER, Role.BROKER)


class OtherContentError(ConflictError):
    """A transaction id that was decided before, with other content (409). `index` is from 0."""

    def __init__(self, index: int) -> None:
        super().__init__(
            "Transaction %(index)s has an id that was decided before, with other content."
            " Nothing was decided.",
            index=index,
        )
        self.index = index


@dataclass(frozen=True, slots=True)
class _Asked:
    """A transaction with its canonical form."""

    transaction: Transaction
    canonical: dict[str, Any]
    sha256: str

    @property
    def id(self) -> str:
        return self.transaction.transaction_id


def decide(work: Work, transactions: Sequence[Transaction], *, chance: Chance) -> list[Decision]:
    """Decide 1 to 1,000 transactions of the client that asks, all of them or none, in their order.

    What it does, in order: finds the client's earlier decisions on the same transaction ids;
    reads the standing of every importer and broker of the others in one statement, so of one
    instant; asks the current policy; stores the policy's texts at its first use, and the
    decisions; records one event if there is any new decision. An id that was decided before gives
    the stored decision again.

    `OtherContentError` when an id stands for other content than before, or than elsewhere in the
    same call; `NotAllowedError` for anybody but an API client. Source: contract, decisions;
    ADR 10.
    """
    client_id = work.actor.client_id
    if client_id is None:
        raise NotAllowedError("Only a program asks for decisions.")
    if not 1 <= len(transactions) <= MOST_TRANSACTIONS:
        raise DomainError("Give 1 to %(most)s transactions.", most=MOST_TRANSACTIONS)
    asked = _one_each([_ask(one, chance) for one in transactions])
    found = dict(queries.given(work.session, client_id, asked))
    _refuse_other_content(transactions, asked, found)
    new = [one for name, one in asked.items() if name not in found]
    if new:
        made = _make(work, client_id, new, chance)
        stored = _store(work, made)
        rest = [name for name in asked if name not in found and name not in stored]
        # Whoever asked at the same moment came first; the insert has waited for that commit.
        found.update(queries.given(work.session, client_id, rest))
        found.update(stored)
        _refuse_other_content(transactions, asked, found)
        if stored:
            first = next(iter(stored.values()))
            work.record(
                EventTag.DECISIONS_GIVEN,
                first,
                given=len(stored),
                asked=len(transactions),
                policy=first.policy_version,
                policy_sha256=first.policy_sha256,
                seq=first.seq,
            )
    return [found[one.transaction_id] for one in transactions]


def _ask(transaction: Transaction, chance: Chance) -> _Asked:
    content = canonical(transaction, keyed_hash=sealer().keyed_hash, keyed_text=chance.keyed_text)
    return _Asked(transaction, content, sha256(content))


def _one_each(asked: Sequence[_Asked]) -> dict[str, _Asked]:
    """The transactions by id; the same one twice is one, two under one id are refused."""
    found: dict[str, _Asked] = {}
    for index, one in enumerate(asked):
        if found.setdefault(one.id, one).sha256 != one.sha256:
            raise OtherContentError(index)
    return found


def _refuse_other_content(
    transactions: Sequence[Transaction],
    asked: Mapping[str, _Asked],
    found: Mapping[str, Decision],
) -> None:
    for index, transaction in enumerate(transactions):
        name = transaction.transaction_id
        if name in found and found[name].transaction_sha256 != asked[name].sha256:
            raise OtherContentError(index)


def _make(
    work: Work, client_id: uuid.UUID, asked: Sequence[_Asked], chance: Chance
) -> list[Decision]:
    policy = policies.current()
    judged = [
        [(p.role, p.identifier()) for p in one.transaction.parties if p.role in JUDGED]
        for one in asked
    ]
    wanted = {i: None for parties in judged for _, i in parties if i is not None}
    seq, known = _standings(work, list(wanted))
    made = []
    for one, parties in zip(asked, judged, strict=True):
        standings = sorted(
            (known[role, identifier] for role, identifier in parties),
            key=lambda standing: (standing.role, standing.answer, standing.partner_id or ""),
        )
        answer = rules.answer(
            policy, one.canonical, standings, chance.draw(client_id, one.canonical)
        )
        content = {
            "transaction": one.canonical,
            "standings": [standing.model_dump(mode="json") for standing in standings],
            "facts": answer.facts.model_dump(mode="json"),
        }
        made.append(
            Decision(
                id=work.new_id(),
                client_id=client_id,
                transaction_id=one.id,
                transaction_sha256=one.sha256,
                input=content,
                input_sha256=sha256(content),
                output=answer.outcome.as_json(),
                trace=answer.trace,
                policy_version=policy.version,
                policy_sha256=policy.sha256,
                seq=seq,
                decided_at=work.now,
            )
        )
    return made


def _standings(
    work: Work, identifiers: Sequence[Identifier]
) -> tuple[int, dict[tuple[Role, Identifier | None], PartyStanding]]:
    """What counts of the register's answers, in either role, and the change they know of."""
    known: dict[tuple[Role, Identifier | None], PartyStanding] = {
        (role, None): party_standing(role, None) for role in JUDGED
    }
    if not identifiers:
        return head(work.session, now=work.now).seq, known
    given = answers(work.session, identifiers, now=work.now)
    for role in JUDGED:
        for identifier, answer in zip(identifiers, given, strict=True):
            known[role, identifier] = party_standing(role, answer)
    return given[0].seq, known


def _store(work: Work, made: Sequence[Decision]) -> dict[str, Decision]:
    """Insert what is not there yet, and give back what was inserted, by transaction id.

    In the order of the ids, so that two calls with the same ids wait for each other and never
    for each other in a circle.
    """
    _keep_policy(work, policies.current())
    rows = sorted(made, key=lambda one: one.transaction_id)
    names = [column.key for column in Decision.__table__.columns]
    inserted = work.session.scalars(
        insert(Decision)
        .values([{name: getattr(row, name) for name in names} for row in rows])
        .on_conflict_do_nothing(index_elements=["client_id", "transaction_id"])
        .returning(Decision)
    ).all()
    return {one.transaction_id: one for one in inserted}


def _keep_policy(work: Work, policy: Policy) -> None:
    if queries.stored_policy(work.session, policy.sha256) is None:
        work.session.execute(
            insert(PolicyVersion)
            .values(
                sha256=policy.sha256,
                policy_id=policy.id,
                version=policy.version,
                table_text=policy.table_text,
                words_text=policy.words_text,
                first_used_at=work.now,
            )
            .on_conflict_do_nothing()
        )


@dataclass(frozen=True, slots=True)
class Replay:
    """A past decision, run again. Without `equal`, `explanation` says what differs and why."""

    equal: bool
    output: dict[str, Any] | None
    explanation: tuple[str, ...]


def replay(work: Work, decision: Decision, *, chance: Chance) -> Replay:
    """Run the decision's stored input through its stored policy again; nothing is written.

    The standings are those of then: the question is whether the decision followed from what was
    known, not what it would be today.
    """
    content = decision.input
    explanation = []
    if sha256(content) != decision.input_sha256:
        explanation.append("The stored input no longer has the checksum that it was stored with.")
    kept = queries.stored_policy(work.session, decision.policy_sha256)
    policy = None
    if kept is not None:
        try:
            policy = policies.of_texts(kept.table_text, kept.words_text)
        except PolicyError:
            explanation.append("The stored policy can no longer be read.")
    if policy is None or policy.sha256 != decision.policy_sha256:
        explanation.append("The policy of that version is not stored as it was.")
        return Replay(equal=False, output=None, explanation=tuple(explanation))
    answer = rules.answer(
        policy,
        content["transaction"],
        [PartyStanding.model_validate(one) for one in content["standings"]],
        chance.draw(decision.client_id, content["transaction"]),
    )
    now, then = answer.facts.model_dump(mode="json"), content["facts"]
    explanation += [
        f"The fact “{name}” comes out differently now." for name in now if now[name] != then[name]
    ]
    if now["sampled"] != then["sampled"]:
        explanation.append("The secret behind the random sample was changed since.")
    output = answer.outcome.as_json()
    different = [name for name in output if output[name] != decision.output.get(name)]
    explanation += [f"“{name}” comes out differently now." for name in different]
    return Replay(equal=not explanation, output=output, explanation=tuple(explanation))
