"""Every guard is taken away in turn, and the table of verdicts must notice: no mutant survives.

A guard that nobody misses guards nothing, or no test looks at it. The layers are taken apart: the
routes' permissions one by one; the rows' permissions with row-level security out of the way, since
the database would go on refusing; and row-level security itself has tests of its own.
"""

import pytest

from app.authz import policy
from app.authz.actor import DelegationScope, TraderRole
from app.authz.permissions import Permission
from app.authz.policy import POLICY
from app.authz.predicates import Predicate
from app.db.session import Role, logins_of
from app.identity import service, session_store
from app.identity.models import Passkey, Person, WebSession
from app.identity.oidc.models import OidcSubject
from app.kernel.errors import NotFoundError
from app.traders.models import Appointment, Trader
from app.web import access, requests
from tests.guards.matrix.table import rows
from tests.guards.scene import TRADER_SCOPES

LOOKERS = (
    "nobody",
    "viewer",
    "rival",
    "newcomer",
    "auditor",
    "reviewer",
    "narrow-api",
    "status-api",
    "half-in",
)
"""Those who are kept out of something wherever anybody is; the first who notices is enough."""
OPEN = {"public", "demo:use"}


def found(run):
    """The table's row for every cell that asks for something."""
    by_route = {(row["method"], row["route"]): row for row in rows()}
    for cell in run.routes():
        if cell.permission not in OPEN:
            yield cell, by_route[cell.method, cell.rule.rule]


def noticed(run, cell, row, names) -> bool:
    return any(run.verdict(cell, run.callers[name]) != row[name] for name in names)


def test_no_route_can_lose_its_permission(run, monkeypatch):
    survivors = []
    for cell, row in found(run):
        view = run.app.view_functions[cell.rule.endpoint]
        with monkeypatch.context() as mutant:
            mutant.setattr(view, access.MARK, Permission.PUBLIC)
            if not noticed(run, cell, row, LOOKERS):
                survivors.append(f"{cell.method} {cell.rule.rule}")
    assert survivors == []


def see_every_row(run, monkeypatch):
    """Let requests run in the commands' role, which the process that serves has no login for."""
    serving = logins_of(run.app.extensions["fairway"].engine)
    monkeypatch.setitem(serving, Role.COMMAND, run.commands)
    monkeypatch.setattr(requests, "_role", lambda _actor: Role.COMMAND)


def opened(permission: Permission) -> tuple[Predicate, ...]:
    """The permission's clauses as they are for the route, and true of every row."""
    clauses = POLICY[permission]
    return (
        Predicate(
            "holds of everything",
            lambda actor: any(one.ever(actor) for one in clauses),
            lambda _actor, _subject: True,
        ),
    )


NAMED = "The caller must also say for whom it asks; see the mutants of owners below."
A_PERSONS = "The row is a person's, not a trader's; see the mutants of owners below."
WITHOUT_A_ROW_RULE = {
    "GET /trader/v1/batches/<batch_id>": NAMED,
    "GET /trader/v1/batches/<batch_id>/errors": NAMED,
    "GET /trader/v1/filings/<filing_id>": NAMED,
    "POST /invitations/own/<uuid:appointment_id>/accept": A_PERSONS,
    "POST /security/identities/<uuid:subject_id>/remove": A_PERSONS,
    "POST /security/passkeys/<uuid:passkey_id>/remove": A_PERSONS,
    "POST /security/sessions/<uuid:session_id>/end": A_PERSONS,
}


def test_no_row_can_lose_its_permission(run, monkeypatch):
    """With every row open to whoever may pass the route, foreign rows must show at each route."""
    see_every_row(run, monkeypatch)
    monkeypatch.setattr(policy, "POLICY", {one: opened(one) for one in POLICY})
    survivors = []
    for cell, row in found(run):
        lookers = [name for name in ("rival", "rival-api", "reviewer") if "." in row[name][1:2]]
        if lookers and not noticed(run, cell, row, lookers):
            survivors.append(f"{cell.method} {cell.rule.rule}")
    assert "\n".join(sorted(survivors)) == "\n".join(sorted(WITHOUT_A_ROW_RULE))


def everybodys(original, model):
    """The function with the person who owns the row in the place of the person who asks."""

    def taken(holder, _person, *rest, **named):
        session = getattr(holder, "session", holder)
        row = session.get_one(model, named.get("only") or rest[0])
        owner = session.get_one(Person, row.person_id)
        return original(holder, owner if hasattr(_person, "id") else owner.id, *rest, **named)

    return taken


def any_invitation(work, appointment_id):
    found = work.session.get(Appointment, appointment_id)
    if found is None:
        raise NotFoundError
    return found, work.session.get_one(Trader, found.trader_id)


OWNERS = {
    "POST /security/identities/<uuid:subject_id>/remove": (
        "app.identity.oidc.queries.own_subject",
        lambda session, _person_id, subject_id: session.get_one(OidcSubject, subject_id),
    ),
    "POST /security/passkeys/<uuid:passkey_id>/remove": (
        "app.identity.service.remove_passkey",
        everybodys(service.remove_passkey, Passkey),
    ),
    "POST /security/sessions/<uuid:session_id>/end": (
        "app.identity.session_store.end_of_person",
        everybodys(session_store.end_of_person, WebSession),
    ),
    "POST /invitations/own/<uuid:appointment_id>/accept": (
        "app.traders.queries.own_invitation",
        any_invitation,
    ),
    **dict.fromkeys(
        [one for one, why in WITHOUT_A_ROW_RULE.items() if why is NAMED],
        ("app.advance_data.api._must_be_named", lambda _trader_id, _on_behalf_of: None),
    ),
}


@pytest.mark.parametrize("route", WITHOUT_A_ROW_RULE)
def test_no_row_can_lose_its_owner(run, monkeypatch, route):
    where, mutant = OWNERS[route]
    see_every_row(run, monkeypatch)
    monkeypatch.setattr(where, mutant)
    if where.startswith("app.advance_data"):
        monkeypatch.setattr(policy, "POLICY", {one: opened(one) for one in POLICY})
    [(cell, row)] = [
        pair for pair in found(run) if f"{pair[0].method} {pair[0].rule.rule}" == route
    ]
    assert noticed(run, cell, row, ["officer", "rival", "rival-api", "newcomer"])


@pytest.mark.parametrize("permission", [one for one in POLICY if one.value not in OPEN], ids=str)
def test_no_permission_can_be_opened_to_all(run, monkeypatch, permission):
    everybody = (Predicate("is anyone", lambda _actor: True, lambda _actor, _subject: True),)
    monkeypatch.setattr(policy, "POLICY", {**POLICY, permission: everybody})
    cells = [(cell, row) for cell, row in found(run) if cell.permission == permission.value]
    assert any(noticed(run, cell, row, LOOKERS) for cell, row in cells)


BEARERS = {
    "is signed in": "newcomer",
    "is a person outside the agency": "newcomer",
    "has given one proof of two": "half-in",
    "is programme_manager at the agency": "manager",
    **{f"is {one} of the trader": str(one) for one in TraderRole},
    **{f"is {one} at the agency": str(one) for one in ("reviewer", "supervisor", "auditor")},
    **{f"acts under a delegation that names {one}": f"agent-{one}" for one in DelegationScope},
}
"""Who in the scene holds a clause; scopes are held by the programs."""
OF_PROGRAMS = {
    Permission.TRADER_API_FILE,
    Permission.TRADER_API_READ,
    Permission.TRADER_API_STATUS,
}
ELSEWHERE = {"filings:read: acts under a delegation that names submit_filings"}
"""A program reads back what it filed itself: of that tests/delegations/test_api.py has the proof."""


def bearer(permission: Permission, clause: Predicate) -> str:
    if permission in OF_PROGRAMS and "delegation" in clause.name:
        return f"{BEARERS[clause.name]}-api"
    if clause.name.startswith("holds scope"):
        return "own-api" if clause.name.split()[-1] in TRADER_SCOPES else "agency-api"
    return BEARERS[clause.name]


CLAUSES = [
    pytest.param(one, clause, id=f"{one.value}: {clause.name}")
    for one, clauses in POLICY.items()
    if one.value not in OPEN
    for clause in clauses
    if f"{one.value}: {clause.name}" not in ELSEWHERE
]


@pytest.mark.parametrize(("permission", "clause"), CLAUSES)
def test_no_clause_of_the_policy_can_go(run, monkeypatch, permission, clause):
    """Whoever holds a permission by one clause alone must be missed when it is struck out."""
    others = tuple(one for one in POLICY[permission] if one is not clause)
    monkeypatch.setattr(policy, "POLICY", {**POLICY, permission: others})
    cells = [(cell, row) for cell, row in found(run) if cell.permission == permission.value]
    assert any(noticed(run, cell, row, [bearer(permission, clause)]) for cell, row in cells)
