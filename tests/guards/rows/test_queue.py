"""Each role puts its own kinds of jobs into the queue, about rows that it sees, and reads none."""

import ast
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.guards.rows import weaken
from tests.guards.rows.particular import by
from tests.guards.rows.world import uuid_of

# ruff: noqa: S608

APP = Path(__file__).parents[3] / "app"
A, ENTRY = by("portal", "a"), by("entry", "entry")
STAFF, PROGRAM = by("console", "s"), by("api", "a")
ARGUMENT = {
    "advance_data.check": ("batch_id", "batch"),
    "advance_data.measure": ("batch_id", "batch"),
    "delegations.tell": ("delegation_id", "delegation"),
    "documents.scan": ("revision_id", "document_revision"),
    "notifications.deliver": ("message_id", "message"),
    "verifications.bring": ("verification_id", "verification"),
}
MAY = {
    A: set(ARGUMENT),
    STAFF: {"documents.scan", "notifications.deliver"},
    PROGRAM: {"advance_data.check", "advance_data.measure"},
    ENTRY: {"notifications.deliver"},
}
OWNERS = {"webhooks.deliver", "identity.prune", "jobs.tidy", "documents.let_go"}
INSERT = (
    "INSERT INTO procrastinate.procrastinate_jobs (queue_name, task_name, priority, lock,"
    " queueing_lock, args, status, attempts, scheduled_at, abort_requested, worker_id)"
    " VALUES ('{queue}', :task, {priority}, {lock}, {queueing_lock}, CAST(:args AS jsonb),"
    " '{status}', {attempts}, {scheduled_at}, {abort_requested}, {worker_id}) RETURNING id"
)
PLAIN = {
    "queue": "default",
    "priority": "0",
    "lock": "NULL",
    "queueing_lock": "NULL",
    "status": "todo",
    "attempts": "0",
    "scheduled_at": "NULL",
    "abort_requested": "false",
    "worker_id": "NULL",
}
ODD = [
    {"queue": "another"},
    {"priority": "9"},
    {"lock": f"'filings:{uuid_of('trader', 'b')}'"},
    {"queueing_lock": "'jobs.tidy'"},
    {"status": "doing"},
    {"status": "succeeded"},
    {"attempts": "7"},
    {"scheduled_at": "now() + interval '9 years'"},
    {"abort_requested": "true"},
    {"worker_id": "1"},
]


def put(probes, who, task, side, **odd):
    """Whether the job got into the queue."""
    argument, table = ARGUMENT.get(task, ("x", ""))
    args = {argument: str(uuid_of(table, side))}
    values = {"task": task, "args": json.dumps(args)}
    return probes.attempt(who, INSERT.format(**PLAIN | odd), values) is not None


def breaches(probes, who):
    """The jobs that the role put into the queue and should not have."""
    for task in {*ARGUMENT, *OWNERS}:
        if task not in MAY[who] and put(probes, who, task, "a"):
            yield f"{who.role} {task}"
        seen_by_all = who is STAFF or task == "notifications.deliver"
        if task in MAY[who] and not seen_by_all and put(probes, who, task, "b"):
            yield f"{who.role} {task} of b"
        if task in MAY[who] and task != "notifications.deliver" and put(probes, who, task, "none"):
            yield f"{who.role} {task} of nothing"
    task = min(MAY[who])
    for odd in ODD:
        if put(probes, who, task, "a", **odd):
            yield f"{who.role} {odd}"
    event = "INSERT INTO procrastinate.procrastinate_events (job_id, type) VALUES (1, 'started')"
    if probes.attempt(who, event) is not None:
        yield f"{who.role} tells what became of a job"


@pytest.mark.parametrize("who", MAY, ids=lambda who: who.role)
def test_each_role_puts_its_own_jobs_and_no_others(probes, who):
    for task in MAY[who]:
        assert put(probes, who, task, "a"), task
    assert list(breaches(probes, who)) == []


def test_files_wait_in_their_own_companys_turn(probes):
    turn = f"'filings:{uuid_of('trader', 'a')}'"
    for who in (A, PROGRAM):
        assert put(probes, who, "advance_data.check", "a", lock=turn)
    for who in (STAFF, ENTRY):
        assert not put(probes, who, "notifications.deliver", "a", lock=turn)


def test_who_was_asked_to_verify_passes_on_what_they_said(probes):
    """The question is another company's, whose row they do not see; their own consent they do."""
    job = INSERT.format(**PLAIN)
    for side, passes in (("a", True), ("b", False)):
        asked = str(uuid_of("verification", side))
        values = {"task": "verifications.bring", "args": json.dumps({"verification_id": asked})}
        point = probes.connection.begin_nested()
        probes.connection.execute(text("DELETE FROM verification"))
        assert (probes.attempt(A, job, values) is not None) is passes
        point.rollback()


def test_jobs_of_others_are_neither_read_nor_changed(probes):
    point = probes.connection.begin_nested()
    values = {"task": "webhooks.deliver", "args": json.dumps({"webhook_id": "x"})}
    probes.connection.execute(text(INSERT.format(**PLAIN)), values)
    table = "procrastinate.procrastinate_jobs"
    for who in MAY:
        for statement in (
            f"SELECT args FROM {table}",
            f"SELECT task_name FROM {table}",
            f"SELECT lock FROM {table}",
            f"UPDATE {table} SET args = '{{}}'",
            f"UPDATE {table} SET abort_requested = true",
            f"DELETE FROM {table}",
            f"SELECT id FROM {table} FOR UPDATE",
            "SELECT procrastinate.procrastinate_fetch_job_v2(NULL, 1)",
            "SELECT procrastinate.procrastinate_cancel_job_v1(1, true, true)",
        ):
            assert probes.attempt(who, statement) is None, statement
    point.rollback()


def test_the_rules_name_every_task_that_is_deferred():
    """What no rule names, the worker alone can put there; a new one needs a migration."""
    deferred = set()
    for path in APP.rglob("*.py"):
        tree = ast.parse(path.read_text())
        names = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "defer":
                task = node.args[1]
                deferred.add(
                    task.value
                    if isinstance(task, ast.Constant)
                    else names.get(task.id, "its worker's")
                )
    assert deferred - {"its worker's"} >= {"documents.scan", "notifications.deliver"}
    assert deferred <= {*ARGUMENT, "webhooks.deliver", "its worker's"}


def test_no_rule_of_the_queue_can_lose_a_condition(probes):
    survivors = []
    for mutant in weaken.of_policies(probes.connection, "procrastinate"):
        if mutant.role == "worker":
            continue
        who = next(one for one in MAY if one.role == mutant.role)
        point = probes.connection.begin_nested()
        probes.connection.execute(text(mutant.statement.replace(":", r"\:")))
        if not next(breaches(probes, who), None):
            survivors.append(str(mutant))
        point.rollback()
    assert survivors == []
