"""The guards of sent forms, taken away in turn: the form's own token, the fresh proof, four eyes.

The table of verdicts has no column for them, since each of them is one rule for many forms. Here
each form is asked without what it must have, and again with the guard out of the way.
"""

from contextlib import contextmanager
from dataclasses import replace

import pytest
from flask_wtf import csrf
from sqlalchemy import text

from app.identity import step_up
from tests.guards.matrix.table import NAMES, rows
from tests.guards.matrix.test_verdicts import NEVER_DONE

OWN = 0
"""A verdict's first letter is about one's own object."""
ACTORS = ("officer", "supervisor", "reviewer", "manager", "agent", "newcomer", "rival", "nobody")
"""Who is asked first to send a form; the first who can is enough."""


def forms(run):
    """Each page's form with its row of the table, and somebody who may send it."""
    by_route = {(row["method"], row["route"]): row for row in rows()}
    for cell in run.routes():
        row = by_route[cell.method, cell.rule.rule]
        senders = [name for name in (*ACTORS, *NAMES) if row[name][OWN] == "A"]
        if cell.method == "POST" and cell.area != "api" and senders:
            yield cell, senders[0]


def own_letter(run, cell, caller) -> str:
    return run.verdict(cell, caller)[OWN]


def test_no_form_is_sent_from_elsewhere(run, monkeypatch):
    """Without the token of the session nothing is done; with the guard gone each would be done.

    The guard stands at the door of every page and again in every form; both ask one function.
    """
    asked, done, survivors = 0, [], []
    for cell, name in forms(run):
        stranger = replace(run.callers[name], csrf="")
        asked += 1
        if own_letter(run, cell, stranger) == "A":
            done.append(f"{cell.method} {cell.rule.rule}")
        with monkeypatch.context() as mutant:
            mutant.setattr(csrf, "validate_csrf", lambda *_args, **_named: None)
            if own_letter(run, cell, stranger) != "A":
                survivors.append(f"{cell.method} {cell.rule.rule}")
    assert done == []
    assert survivors == []
    assert asked + len(NEVER_DONE) > 70


def stale(run):
    """Forms that somebody who signed in a while ago cannot send, and whoever is fresh can."""
    by_route = {(row["method"], row["route"]): row for row in rows()}
    for cell in run.routes():
        row = by_route[cell.method, cell.rule.rule]
        for fresh, old in (("officer", "stale"), ("supervisor", "stale-sup")):
            if row[fresh][OWN] == "A" and row[old][OWN] in "RC":
                yield cell, row, old


def test_no_form_can_lose_its_fresh_proof(run, monkeypatch):
    survivors, seen = [], set()
    for cell, row, old in stale(run):
        seen.add(cell.rule.rule)
        with monkeypatch.context() as mutant:
            mutant.setattr(step_up, "is_fresh", lambda: True)
            if run.verdict(cell, run.callers[old]) == row[old]:
                survivors.append(f"{cell.method} {cell.rule.rule}")
    assert survivors == []
    assert len(seen) > 8


@contextmanager
def proposed_by_the_signer(engine, determination_id, signer_id):
    """The determination as if its second signer had proposed it, for the length of a test."""
    change = text("UPDATE determination SET proposed_by = :who WHERE id = :id")
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        before = connection.scalar(
            text("SELECT proposed_by FROM determination WHERE id = :id"), {"id": determination_id}
        )
        connection.execute(change, {"who": signer_id, "id": determination_id})
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(change, {"who": before, "id": determination_id})


GUARDS_IN_SQL = (
    ("DROP CONSTRAINT ck_determination_two_people", "determination"),
    ("DISABLE TRIGGER signatures", "register_entry"),
)
GUARDS_AGAIN = (
    (
        "ADD CONSTRAINT ck_determination_two_people CHECK (decided_by <> proposed_by)",
        "determination",
    ),
    ("ENABLE TRIGGER signatures", "register_entry"),
)
RULE = "app.register.service.proposals.require_second_person"


def alter(engine, steps):
    with engine.begin() as connection:
        for change, table in steps:
            connection.execute(text(f"ALTER TABLE {table} {change}"))


@contextmanager
def without_sql(engine):
    """Both of SQL's own guards of four eyes out of the way, for the length of a test."""
    try:
        alter(engine, GUARDS_IN_SQL)
        yield
    finally:
        alter(engine, GUARDS_AGAIN)


@pytest.mark.parametrize("verb", ["approve", "decline"])
def test_nobody_signs_alone_by_rule_or_by_sql(run, scene, super_engine, monkeypatch, verb):
    """Either guard alone refuses the proposer's second signature; without both it is taken."""
    [cell] = [
        one
        for one in run.routes()
        if one.rule.rule == f"/console/determinations/<uuid:determination_id>/{verb}"
    ]
    supervisor = run.callers["supervisor"]
    own = run.sides[supervisor.side]
    address = cell.address(own.of(cell, "own", own))
    determination_id = address.split("/")[3]
    assert own_letter(run, cell, supervisor) == "A"
    signer = scene.people["supervisor"].id
    with proposed_by_the_signer(super_engine, determination_id, signer):
        assert own_letter(run, cell, supervisor) == "F"
        with without_sql(super_engine):
            assert own_letter(run, cell, supervisor) == "F"
        monkeypatch.setattr(RULE, lambda *_args: None)
        assert own_letter(run, cell, supervisor) == "R"
        with without_sql(super_engine):
            assert own_letter(run, cell, supervisor) == "A"
