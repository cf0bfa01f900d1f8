"""The policy as sentences: for each permission, who holds it anywhere, and on whose rows."""

from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID, uuid5

import pytest

from app.authz.actor import ANONYMOUS, Actor, ActorKind, AgencyRole, TraderRole, system_actor
from app.authz.permissions import Permission
from app.authz.policy import POLICY, may, may_ever

SPACE = UUID(int=0)
OURS, THEIRS = uuid5(SPACE, "ours"), uuid5(SPACE, "theirs")


@dataclass(frozen=True)
class Row:
    trader_id: UUID


def trader(role: TraderRole) -> Actor:
    return Actor(ActorKind.PERSON, person_id=SPACE, appointments=MappingProxyType({OURS: role}))


def agency(role: AgencyRole) -> Actor:
    return Actor(ActorKind.PERSON, person_id=SPACE, agency_roles=frozenset({role}))


def program(*scopes: str, of: UUID | None = None) -> Actor:
    return Actor(ActorKind.CLIENT, client_id=SPACE, scopes=frozenset(scopes), trader_id=of)


ACTORS = {
    "anonymous": ANONYMOUS,
    "half a person": Actor(ActorKind.HALF, person_id=SPACE),
    "officer": trader(TraderRole.OFFICER),
    "preparer": trader(TraderRole.PREPARER),
    "consultant": trader(TraderRole.CONSULTANT),
    "viewer": trader(TraderRole.VIEWER),
    "data only": trader(TraderRole.DATA_ONLY),
    "reviewer": agency(AgencyRole.REVIEWER),
    "supervisor": agency(AgencyRole.SUPERVISOR),
    "programme manager": agency(AgencyRole.PROGRAMME_MANAGER),
    "auditor": agency(AgencyRole.AUDITOR),
    "release system": program("status:read", "feed:read", "decisions:write", "decisions:read"),
    "filing system": program("filings:write", "filings:read", "status:self", of=OURS),
    "system": system_actor("worker"),
}
EVERYONE = set(ACTORS)
PEOPLE = EVERYONE - {"anonymous", "half a person", "release system", "filing system", "system"}
AGENCY = {"reviewer", "supervisor", "programme manager", "auditor"}
TRADERS = {"officer", "preparer", "consultant", "viewer"}
PREPARE = {"officer", "preparer", "consultant"}

HOLDERS = {
    Permission.PUBLIC: EVERYONE,
    Permission.DEMO_USE: EVERYONE,
    Permission.SIGNED_IN: PEOPLE,
    Permission.SIGN_IN_GO_ON: {"half a person"},
    Permission.FACTOR_ENROL: PEOPLE | {"half a person"},
    Permission.TRADER_REGISTER: TRADERS | {"data only"},
    Permission.TRADER_VIEW: TRADERS,
    Permission.TRADER_EDIT: {"officer", "preparer"},
    Permission.PEOPLE_APPOINT: {"officer"},
    Permission.SECURITY_VIEW: {"officer"},
    Permission.CLIENT_MANAGE: {"officer"},
    Permission.VERIFICATION_VIEW: {"officer", "preparer", "viewer"},
    Permission.VERIFICATION_ASK: {"officer", "preparer"},
    Permission.VERIFICATION_CONSENT: {"officer"},
    Permission.DELEGATION_VIEW: {"officer", "preparer", "viewer"},
    Permission.CLIENTS_VIEW: {"officer", "preparer", "viewer", "data only"},
    Permission.DELEGATION_GRANT: {"officer"},
    Permission.STANDING_VIEW: TRADERS,
    Permission.APPLICATION_VIEW: TRADERS,
    Permission.APPLICATION_PREPARE: PREPARE,
    Permission.APPLICATION_SUBMIT: {"officer"},
    Permission.PLAN_PROMISE: PREPARE,
    Permission.COMMENT_SHARE: TRADERS,
    Permission.APPLICATION_RESPOND: PREPARE,
    Permission.DOCUMENT_READ: TRADERS | AGENCY,
    Permission.DOCUMENT_DESCRIBE: PREPARE,
    Permission.ACTIVITY_VIEW: {"officer", "preparer"},
    Permission.ACTIVITY_LOG: {"auditor"},
    Permission.FILING_VIEW: TRADERS | {"data only"},
    Permission.FILING_SUBMIT: {"officer", "preparer", "data only"},
    Permission.CASE_VIEW: AGENCY,
    Permission.CASE_REVIEW: {"reviewer", "supervisor"},
    Permission.DETERMINATION_PROPOSE: {"reviewer", "supervisor"},
    Permission.DETERMINATION_APPROVE: {"supervisor"},
    Permission.SUSPEND_URGENTLY: {"reviewer", "supervisor"},
    Permission.SUCCESSION_PROPOSE: {"reviewer", "supervisor"},
    Permission.SUCCESSION_APPROVE: {"supervisor"},
    Permission.CATALOGUE_PROPOSE: {"programme manager", "supervisor"},
    Permission.CATALOGUE_APPROVE: {"programme manager", "supervisor"},
    Permission.AGENCY_CLIENT_VIEW: {"programme manager", "supervisor", "auditor"},
    Permission.AGENCY_CLIENT_MANAGE: {"programme manager"},
    Permission.WEBHOOK_VIEW: {"programme manager", "supervisor", "auditor"},
    Permission.WEBHOOK_MANAGE: {"programme manager"},
    Permission.STATUS_READ: {"release system"},
    Permission.FEED_READ: {"release system"},
    Permission.DECISIONS_WRITE: {"release system"},
    Permission.DECISIONS_READ: {"release system"},
    Permission.TRADER_API_FILE: {"filing system"},
    Permission.TRADER_API_READ: {"filing system"},
    Permission.TRADER_API_STATUS: {"filing system"},
}
OF_ONE_TRADER = TRADERS | {"data only", "filing system"}
"""Who holds a permission on the rows of their own trader and of no other."""
OF_THEMSELVES = {
    Permission.PUBLIC,
    Permission.DEMO_USE,
    Permission.SIGNED_IN,
    Permission.SIGN_IN_GO_ON,
    Permission.FACTOR_ENROL,
    Permission.TRADER_REGISTER,
}


def test_every_permission_stands_in_policy_and_table():
    assert set(POLICY) == set(Permission) == set(HOLDERS)


@pytest.mark.parametrize("permission", sorted(Permission))
def test_who_may_ever(permission):
    assert {name for name, one in ACTORS.items() if may_ever(one, permission)} == HOLDERS[
        permission
    ]


@pytest.mark.parametrize("permission", sorted(Permission))
def test_on_whose_rows(permission):
    own = {name for name, one in ACTORS.items() if may(one, permission, Row(OURS))}
    foreign = {name for name, one in ACTORS.items() if may(one, permission, Row(THEIRS))}
    assert own == HOLDERS[permission]
    kept_out = set() if permission in OF_THEMSELVES else OF_ONE_TRADER
    assert foreign == HOLDERS[permission] - kept_out


def test_a_role_at_one_trader_says_nothing_about_another():
    both = Actor(
        ActorKind.PERSON,
        appointments=MappingProxyType({OURS: TraderRole.VIEWER, THEIRS: TraderRole.OFFICER}),
    )
    assert may_ever(both, Permission.APPLICATION_SUBMIT)
    assert not may(both, Permission.APPLICATION_SUBMIT, Row(OURS))
    assert may(both, Permission.APPLICATION_SUBMIT, Row(THEIRS))


def test_a_scope_makes_no_person_and_a_role_no_program():
    person = Actor(ActorKind.PERSON, scopes=frozenset({"status:read"}))
    assert not may_ever(person, Permission.STATUS_READ)
    assert not may_ever(program("case:view"), Permission.CASE_VIEW)
