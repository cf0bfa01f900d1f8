"""The status answer of the contract, put together from what the ledger knows; pure.

Whoever reads it grants on `active` alone. Anything else, whatever the reason, is no facilitation.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.kernel.identifiers import Identifier
from app.register import rules
from app.register.programme import Programme, Status
from app.register.rules import Standing


class Verdict(StrEnum):
    """The one word that a release system acts on."""

    ACTIVE = "active"
    NOT_ACTIVE = "not_active"
    NOT_A_PARTNER = "not_a_partner"


@dataclass(frozen=True, slots=True)
class AnsweredIdentifier:
    """The identifier that was asked about; one of social-security form is shown masked."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class AnsweredStanding:
    """One standing in force at `as_of`. Only one that grants has a tier and benefits."""

    programme: str
    tier: int | None
    status: Status
    restrictions: tuple[str, ...]
    benefits: tuple[str, ...]
    effective_from: datetime
    effective_until: datetime | None


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """The contract's status answer.

    `seq` is the newest change that the answer knows of, `known_at` the instant of that knowledge:
    asking again with the same `as_of` as `valid_at` and the same `known_at` gives the same
    standings. `partner_id` is `None` unless exactly one partner holds the identifier.
    """

    identifier: AnsweredIdentifier
    answer: Verdict
    partner_id: uuid.UUID | None
    seq: int
    as_of: datetime
    known_at: datetime
    data_age_ms: int
    next_change_at: datetime | None
    standings: tuple[AnsweredStanding, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """For when, and on what knowledge, the answers of one question are given."""

    seq: int
    as_of: datetime
    known_at: datetime
    data_age_ms: int


def assemble(
    identifier: Identifier,
    holders: Mapping[uuid.UUID, Sequence[Standing]],
    moment: Moment,
    programmes: Mapping[str, Programme],
) -> StatusAnswer:
    """Answer for one identifier.

    `holders` maps each trader that holds the verified identifier to its standings that are in
    force at `moment.as_of` or begin later. A standing of a programme that is not among
    `programmes` grants nothing.
    """
    standings = [one for entries in holders.values() for one in entries]
    in_force = [one for one in standings if one.effective_from <= moment.as_of]
    asked = AnsweredIdentifier(identifier.scheme.value, identifier.shown)
    verdict = _verdict(len(holders), in_force, programmes)
    partner = next(iter(holders)) if len(holders) == 1 and in_force else None
    shown = in_force if partner else []
    return StatusAnswer(
        identifier=asked,
        answer=verdict,
        partner_id=partner,
        seq=moment.seq,
        as_of=moment.as_of,
        known_at=moment.known_at,
        data_age_ms=moment.data_age_ms,
        next_change_at=_next_change(standings, moment.as_of),
        standings=tuple(
            _answered(one, programmes) for one in sorted(shown, key=lambda one: one.programme)
        ),
    )


def _verdict(
    holders: int, in_force: Sequence[Standing], programmes: Mapping[str, Programme]
) -> Verdict:
    if not holders:
        return Verdict.NOT_A_PARTNER
    if holders > 1:
        return Verdict.NOT_ACTIVE
    if not in_force:
        return Verdict.NOT_A_PARTNER
    if any(_grants(one, programmes) for one in in_force):
        return Verdict.ACTIVE
    return Verdict.NOT_ACTIVE


def _grants(standing: Standing, programmes: Mapping[str, Programme]) -> bool:
    programme = programmes.get(standing.programme)
    return programme is not None and rules.grants(programme, standing)


def _answered(standing: Standing, programmes: Mapping[str, Programme]) -> AnsweredStanding:
    granting = _grants(standing, programmes)
    return AnsweredStanding(
        programme=standing.programme,
        tier=standing.tier if granting else None,
        status=standing.status,
        restrictions=standing.restrictions,
        benefits=rules.benefits(programmes[standing.programme], standing) if granting else (),
        effective_from=standing.effective_from,
        effective_until=standing.effective_until,
    )


def _next_change(standings: Sequence[Standing], as_of: datetime) -> datetime | None:
    """The first instant after `as_of` at which an entry begins or ends."""
    borders = [one.effective_from for one in standings]
    borders += [one.effective_until for one in standings if one.effective_until is not None]
    return min((at for at in borders if at > as_of), default=None)
