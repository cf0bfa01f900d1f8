"""What nobody asked for is not done: added fields and headers change nothing, swapped ids reach nobody.

Each changing route is sent by somebody who succeeds there: twice as it is, which tells what differs
by itself (ids, times, tokens), then with more, and then with the ids of the other importer in place
of its own in body, query and headers.
"""

import json
import re

import pytest

from tests.guards.matrix.journal import KEEPING
from tests.guards.matrix.objects import Side
from tests.guards.matrix.runner import SAFE, letter_of
from tests.guards.matrix.table import rows
from tests.guards.scene import CANARY, PLAIN, Ids

HEADERS = {
    "X-HTTP-Method-Override": "DELETE",
    "X-Original-URL": "/console/",
    "X-Rewrite-URL": "/console/",
    "X-Forwarded-User": "supervisor",
    "X-Forwarded-Host": "elsewhere.example",
}
OF_THE_AGENCY = {"reviewer", "supervisor", "manager", "agency-api"}
"""To them no importer is foreign."""
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def more(foreign: Ids) -> dict[str, str]:
    """Names of columns that no form should ever set."""
    return {
        "id": foreign["case_id"],
        "trader_id": foreign["trader_id"],
        "acting_trader_id": foreign["trader_id"],
        "person_id": foreign["person_id"] if "person_id" in foreign else foreign["trader_id"],
        "registered_by": foreign["trader_id"],
        "state": "active",
        "status": "validated",
        "tier": "3",
        "is_agency": "1",
        "agency_roles": "supervisor",
        "submitted_at": "2020-01-01T00:00:00Z",
        "created_at": "2020-01-01T00:00:00Z",
        "verified_at": "2020-01-01T00:00:00Z",
        "mail_verified_at": "2020-01-01T00:00:00Z",
        "approved_by": foreign["trader_id"],
        "decided_by": foreign["trader_id"],
        "seq": "1",
        "_method": "DELETE",
    }


def succeeding(run):
    """Every changing route with the first caller who succeeds at it with their own."""
    by_route = {(row["method"], row["route"]): row for row in rows()}
    for cell in run.routes():
        row = by_route[cell.method, cell.rule.rule]
        names = [name for name in run.callers if row[name].startswith("A")]
        if cell.method not in SAFE and names:
            yield cell, run.callers[names[0]]


def sent(run, cell, caller, body):
    """The letter and the rows that one request wrote; the scene is then as it was."""
    side: Side = run.sides[caller.side]
    answer = caller.send(cell.method, cell.address(side.own), body)
    written = run.journal.since()
    letter = letter_of(cell, answer, written)
    answer.close()
    if written.rows:
        run.journal.rewind()
    return letter, written.rows


def flat(found) -> list[tuple[str, str, str, str]]:
    """Each column of each row by its place, so that two runs can be laid side by side.

    Several sessions that end together do so in any order, so what only keeps sessions is left out.
    """
    found = [one for one in found if one[0] not in KEEPING]
    return [
        (f"{number} {table} {op}", column, json.dumps(value, sort_keys=True), "")[:3]
        for number, (table, op, row) in enumerate(found)
        for column, value in sorted(row.items())
    ]


def steady(first, second) -> dict[tuple[str, str], str]:
    """What two equal requests wrote alike."""
    again = {(place, column): value for place, column, value in flat(second)}
    return {
        (place, column): value
        for place, column, value in flat(first)
        if again.get((place, column)) == value
    }


def test_added_fields_and_headers_change_nothing(run):
    changed, asked = [], 0
    for cell, caller in succeeding(run):
        own, foreign = run.sides[caller.side], other(run, caller)
        body = run.body(cell, own, own.own)
        letter, first = sent(run, cell, caller, body)
        _, second = sent(run, cell, caller, run.body(cell, own, own.own))
        probe = dict(run.body(cell, own, own.own) or {})
        probe["headers"] = {**probe.get("headers", {}), **HEADERS}
        if isinstance(probe.get("data"), dict):
            probe["data"] = {**more(foreign.own), **probe["data"]}
        found, third = sent(run, cell, caller, probe)
        asked += 1
        if found == "R" and not [row for row in third if row[0] != "rate_count"]:
            continue  # Refused as a whole, which is as good.
        alike = {(place, column): value for place, column, value in flat(third)}
        wrong = {
            f"{place}.{column}"
            for (place, column), value in steady(first, second).items()
            if alike.get((place, column)) != value
        }
        if found != letter or len(flat(third)) != len(flat(first)) or wrong:
            changed.append(f"{cell} {caller.name}: {letter} {found} {sorted(wrong)[:5]}")
    assert "\n".join(changed) == ""
    assert asked > 60


def other(run, caller) -> Side:
    return run.sides[PLAIN if caller.side == CANARY else CANARY]


def swapped(value, own: Ids, foreign: Ids):
    """The value with each id of one's own in it turned into the other importer's."""
    if isinstance(value, dict):
        return {name: swapped(one, own, foreign) for name, one in value.items()}
    if isinstance(value, list):
        return [swapped(one, own, foreign) for one in value]
    if isinstance(value, bytes):
        return swapped(value.decode(), own, foreign).encode()
    if not isinstance(value, str):
        return value
    for name, one in own.items():
        if name in foreign and len(one) >= len("12-345678900") and one in value:
            value = value.replace(one, foreign[name])
    return value


def test_ids_of_another_in_the_body_reach_nobody(run):
    reached, asked = [], 0
    for cell, caller in succeeding(run):
        own, foreign = run.sides[caller.side], other(run, caller)
        body = run.body(cell, own, own.own)
        tried = swapped(body, own.own, foreign.own)
        if tried == body or caller.name in OF_THE_AGENCY:
            continue
        asked += 1
        _, written = sent(run, cell, caller, tried)
        theirs = {value for value in foreign.own.values() if UUID.fullmatch(value)}
        shared = {value for value in own.own.values() if UUID.fullmatch(value)}
        touched = [
            table
            for table, _, row in written
            if table not in {"access_record", "security_event"}
            and set(UUID.findall(json.dumps(row))) & (theirs - shared)
        ]
        if touched:
            reached.append(f"{cell} {caller.name}: {touched}")
    assert "\n".join(reached) == ""
    assert asked >= 3


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_no_header_changes_the_method(run, header):
    caller = run.callers["officer"]
    trader_id = run.sides[CANARY].own["trader_id"]
    answer = caller.client.get(
        f"/traders/{trader_id}/overview", headers={**caller.headers, header: "POST"}
    )
    assert answer.status_code == 200
    assert run.journal.since().outside(frozenset({"access_record", "web_session"})) == []
