"""Every condition of every row policy is taken away in turn, and the attacks must notice."""

import re

import pytest
from sqlalchemy import text

from tests.guards.rows import weaken
from tests.guards.rows.particular import DEAD, Who
from tests.guards.rows.probes import ATTACKERS

DEAD_ATTACKERS = {
    role: [Who(role, word, "v") for word in (*words, "token of e")] for role, words in DEAD.items()
}


def columns_of(atom, table):
    return {name for name in table.columns if re.search(rf"\b{name}\b", atom)}


def reachable(probes, mutant):
    """Whether any statement that the role has the privilege for asks the condition at all."""
    may = {
        kind: probes.rights.get((mutant.role, mutant.table, kind), set())
        for kind in ("SELECT", "INSERT", "UPDATE", "DELETE")
    }
    if mutant.part in may:
        return bool(may[mutant.part])
    if mutant.part.endswith("USING"):
        return bool(may["SELECT"] or may["UPDATE"] or may["DELETE"])
    if may["INSERT"]:
        return True
    if not may["UPDATE"]:
        return False
    # A row that was seen passes again what it was seen by, unless what it asks can be changed.
    changed = columns_of(mutant.atom, probes.tables[mutant.table]) & may["UPDATE"]
    return bool(changed) or mutant.atom not in mutant.using


def noticed(probes, mutant, first):
    table = probes.tables[mutant.table]
    point = probes.connection.begin_nested()
    try:
        probes.connection.execute(text(mutant.statement.replace(":", r"\:")))
        for who in sorted(
            ATTACKERS[mutant.role], key=lambda who: who is not first.get(mutant.role)
        ):
            if next(probes.breaches(who, table), None):
                first[mutant.role] = who
                return True
        return False
    finally:
        point.rollback()


STAFF = "{staff} IS NOT NULL"
PROPOSED = "Whoever has no live session has no id to propose in either, which `proposer` asks."
SAME_TRADER = "The parent must be visible and of the same trader, and so the trader is in reach."
OWN_SIDE = (
    "Of a delegation that is visible one side is somebody's own; were it the trader, so is the row."
)
NOT_CHANGED = "The role may neither insert a row nor change what this condition names."
FOUNDED = (
    "Beside somebody's own traders only one that they founded passes, and that invited nobody."
)
EQUIVALENT = {
    f"console catalogue_publication console WITH CHECK: {STAFF}": PROPOSED,
    f"console determination console WITH CHECK: {STAFF}": PROPOSED,
    f"console succession console WITH CHECK: {STAFF}": PROPOSED,
    f"console web_session console USING: {STAFF}": "The appointments it asks for are closed then.",
    "portal answer_workbook portal WITH CHECK: trader_id = ANY ({reach})": SAME_TRADER,
    "portal plan portal WITH CHECK: trader_id = ANY ({reach})": SAME_TRADER,
    "portal appointment portal WITH CHECK: state = 'invited'::text": FOUNDED,
    "portal appointment portal WITH CHECK: trader_id = ANY ({invited})": FOUNDED,
    "portal appointment portal WITH CHECK: lower(invited_email) = ( SELECT"
    " lower((p.email)::text) AS lower FROM person p WHERE (p.id = {person}))": FOUNDED,
    "portal audit_event portal WITH CHECK: d.broker_id = ANY ({own})": "Of a delegation that is"
    " visible one side is somebody's own; were it the trader, its events are theirs to write anyway.",
    "portal information_request portal WITH CHECK: EXISTS ( SELECT 1 FROM casework_case parent"
    " WHERE (parent.id = information_request.case_id))": NOT_CHANGED,
    "portal information_request portal WITH CHECK: parent.id = information_request.case_id": NOT_CHANGED,
    "portal information_request portal WITH CHECK: EXISTS ( SELECT 1 FROM application parent"
    " WHERE (parent.id = information_request.application_id))": NOT_CHANGED,
    "portal information_request portal WITH CHECK:"
    " parent.id = information_request.application_id": NOT_CHANGED,
    "portal person portal WITH CHECK: id = ANY ({colleagues})": "`nobody` and `oneself` are narrower.",
    "console catalogue_publication INSERT: one policy more": PROPOSED,
    "console determination INSERT: one policy more": PROPOSED,
    "console succession INSERT: one policy more": PROPOSED,
    "portal colleague_comment portal USING: d.broker_id = ANY ({own})": OWN_SIDE,
    "portal colleague_comment portal WITH CHECK: d.broker_id = ANY ({own})": OWN_SIDE,
    "portal colleague_comment oneself WITH CHECK: role.trader_id = colleague_comment.trader_id": "Roles at one's own companies alone are visible; no attacker here works at two.",
    "portal delegation INSERT: one policy more": "`proposing` asks that one side is somebody's own.",
    "portal person INSERT: one policy more": "`nobody` holds beside every other policy.",
    "portal person UPDATE: one policy more": "`oneself` holds beside every other policy.",
}
"""Without them the rule says the same, because of another; each says which."""


def printed(mutant):
    line = " ".join(str(mutant).split())
    line = re.sub(r"\( SELECT fairway_(\w+)\(\) AS fairway_\w+\)", r"{\1}", line)
    return line.replace("::uuid[]", "")


@pytest.mark.parametrize("family", [weaken.of_policies, weaken.forgotten])
def test_no_policy_can_lose_a_condition(probes, family):
    mutants = [one for one in family(probes.connection) if reachable(probes, one)]
    first = {}
    survivors = [printed(one) for one in mutants if not noticed(probes, one, first)]
    known = {printed(one) for one in mutants} & EQUIVALENT.keys()
    assert set(survivors) == known
    assert len(mutants) > 200


LOOKED_AT = (
    "trader",
    "site",
    "batch",
    "api_client",
    "delegation",
    "appointment",
    "person",
    "passkey",
)
ASKED_BY = {"fairway_client": "api", "fairway_staff": "console"}
CLOSES = "Without it more is closed, and nothing opens."
NULLS = "A NULL among the ids equals nothing."
EQUIVALENT_IN_FUNCTIONS = {
    "fairway_client: d.jti = t.jti": CLOSES,
    "fairway_client_own: c.trader_id IS NOT NULL": NULLS,
    "fairway_colleagues: a.person_id IS NOT NULL": NULLS,
    "fairway_founded: a.trader_id = t.id": CLOSES,
    "fairway_person: r.person_id = p.id": CLOSES,
}


def open_doors(probes, role):
    """What anybody reads who should not, those included whose token is over, and wrong answers."""
    for who in [*ATTACKERS[role], *DEAD_ATTACKERS[role]]:
        for name in LOOKED_AT:
            yield from probes.reads(who, probes.tables[name])
    yield from probes.answers(role)


@pytest.mark.parametrize("role", ["portal", "api", "console"])
def test_a_token_that_is_over_opens_nothing(probes, role):
    assert list(open_doors(probes, role)) == []


def test_no_function_can_lose_a_condition(probes):
    survivors, count = [], 0
    for function, condition, weaker in weaken.of_functions(probes.connection):
        count += 1
        role = next((ASKED_BY[one] for one in ASKED_BY if function.startswith(one)), "portal")
        point = probes.connection.begin_nested()
        probes.connection.execute(text(weaker.replace(":", r"\:")))
        if not next(open_doors(probes, role), None):
            survivors.append(f"{function}: {condition}")
        point.rollback()
    assert "\n".join(survivors) == "\n".join(EQUIVALENT_IN_FUNCTIONS)
    assert count > 60
