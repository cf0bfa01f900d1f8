"""What a delegation opens: each scope its own, never more, and never what needs a signature."""

from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.authz.actor import Actor, ActorKind, DelegationScope, Grant, TraderRole
from app.authz.permissions import Permission
from app.authz.policy import POLICY, may, may_ever

SPACE = UUID(int=0)
CLIENTS = tuple(uuid5(SPACE, f"client {number}") for number in range(4))
BROKER, OTHER = uuid5(SPACE, "broker"), uuid5(SPACE, "other broker")
FAR = datetime(2030, 1, 1, tzinfo=UTC)
S = DelegationScope

NAMED = {
    S.PREPARE: {
        Permission.APPLICATION_VIEW,
        Permission.APPLICATION_PREPARE,
        Permission.COMMENT_SHARE,
        Permission.DOCUMENT_READ,
    },
    S.RESPOND: {
        Permission.APPLICATION_VIEW,
        Permission.APPLICATION_RESPOND,
        Permission.DOCUMENT_READ,
    },
    S.SUBMIT: {Permission.FILING_SUBMIT, Permission.FILING_VIEW},
    S.STATUS: {Permission.STANDING_VIEW},
    S.DATA: {Permission.FILING_VIEW},
}
BY_PROGRAM = {
    S.PREPARE: set(),
    S.RESPOND: set(),
    S.SUBMIT: {Permission.TRADER_API_FILE, Permission.TRADER_API_READ},
    S.STATUS: {Permission.TRADER_API_STATUS},
    S.DATA: {Permission.TRADER_API_READ},
}
SIGNED = {
    Permission.APPLICATION_SUBMIT,
    Permission.PEOPLE_APPOINT,
    Permission.DELEGATION_GRANT,
    Permission.TRADER_EDIT,
    Permission.TRADER_VIEW,
}
OPEN = {p for p in Permission if may_ever(Actor(ActorKind.PERSON), p)}


@dataclass(frozen=True)
class Row:
    trader_id: UUID


@dataclass(frozen=True)
class Work:
    trader_id: UUID
    acting_trader_id: UUID | None


def grant(client: UUID, scopes, role: TraderRole | None = TraderRole.OFFICER) -> Grant:
    return Grant(uuid5(client, "grant"), client, "C", BROKER, "B", frozenset(scopes), FAR, role)


def person(*grants: Grant, **values) -> Actor:
    found = MappingProxyType({one.trader_id: one for one in grants})
    return Actor(ActorKind.PERSON, person_id=SPACE, grants=found, **values)


def held(actor: Actor, subject) -> set[Permission]:
    return {p for p in Permission if may(actor, p, subject)} - OPEN


@pytest.mark.parametrize("scope", S)
def test_a_scope_opens_what_it_names_and_nothing_else(scope):
    officer = person(grant(CLIENTS[0], {scope}))
    assert held(officer, Row(CLIENTS[0])) == NAMED[scope]
    assert held(officer, Row(CLIENTS[1])) == set()


@pytest.mark.parametrize("scope", S)
def test_a_program_of_the_brokers_does_what_a_scope_names(scope):
    api = frozenset({"filings:write", "filings:read", "status:self"})
    actor = Actor(
        ActorKind.CLIENT,
        trader_id=BROKER,
        scopes=api,
        grants=MappingProxyType({CLIENTS[0]: grant(CLIENTS[0], {scope}, None)}),
    )
    assert held(actor, Row(CLIENTS[0])) == BY_PROGRAM[scope]
    assert held(actor, Row(CLIENTS[1])) == set()


def test_no_delegation_declares_appoints_or_delegates():
    officer = person(grant(CLIENTS[0], set(S)))
    assert not SIGNED & held(officer, Row(CLIENTS[0]))


@pytest.mark.parametrize(
    ("role", "wanted"),
    [
        (TraderRole.CONSULTANT, set()),
        (TraderRole.DATA_ONLY, {Permission.FILING_VIEW, Permission.FILING_SUBMIT}),
        (
            TraderRole.VIEWER,
            {
                Permission.APPLICATION_VIEW,
                Permission.DOCUMENT_READ,
                Permission.STANDING_VIEW,
                Permission.FILING_VIEW,
            },
        ),
    ],
)
def test_nobody_may_more_for_a_client_than_at_the_broker(role, wanted):
    assert held(person(grant(CLIENTS[0], set(S), role)), Row(CLIENTS[0])) == wanted


def test_a_broker_who_submits_sees_its_own_work_alone():
    """Another broker's batch for the same client, and the client's own, are none of its business."""
    submits = person(grant(CLIENTS[0], {S.SUBMIT}))
    assert may(submits, Permission.FILING_VIEW, Work(CLIENTS[0], BROKER))
    assert not may(submits, Permission.FILING_VIEW, Work(CLIENTS[0], OTHER))
    assert not may(submits, Permission.FILING_VIEW, Work(CLIENTS[0], None))
    sees = person(grant(CLIENTS[0], {S.DATA}))
    assert may(sees, Permission.FILING_VIEW, Work(CLIENTS[0], OTHER))


scopes = st.frozensets(st.sampled_from(list(S)))


@given(
    given_scopes=st.dictionaries(st.sampled_from(CLIENTS), scopes),
    role=st.sampled_from([*TraderRole]),
    through=st.sampled_from([BROKER, OTHER, None]),
)
def test_what_a_broker_sees_lies_within_the_union_of_its_grants(given_scopes, role, through):
    actor = person(*(grant(client, each, role) for client, each in given_scopes.items()))
    for client in CLIENTS:
        allowed = set().union(*(NAMED[one] for one in given_scopes.get(client, ())))
        for subject in (Row(client), Work(client, through)):
            assert held(actor, subject) <= allowed
    for permission in set(POLICY) - OPEN:
        if may_ever(actor, permission):
            assert any(permission in NAMED[one] for each in given_scopes.values() for one in each)
