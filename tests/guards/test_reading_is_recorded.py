"""Reading a trader's file is an event: no page of the agency shows one without leaving a record.

The routes are those of the application's own map, so a new page of the console is asked for from
its first day.
"""

from sqlalchemy import text

from app.activity.wording import LOOKED, NOT_TOLD
from app.authz.actor import AgencyRole
from tests.guards.addresses import cells

NO_FILE = {
    "casework.queue_tab": "A list of cases with names and dates; no case is opened.",
    **dict.fromkeys(
        (
            "casework.catalogue",
            "casework.propose_catalogue",
            "casework.publish_catalogue",
            "casework.decline_catalogue",
            "casework.withdraw_catalogue",
        ),
        "Criteria, with a list of whom a version touches: names, references, tiers, no answer.",
    ),
}
PROGRAMS = ("agency_clients.", "webhooks.")
"""A program's name, address, quota and keys, whoever's it is; nothing of a file."""
ROLES = (AgencyRole.SUPERVISOR, AgencyRole.AUDITOR, AgencyRole.PROGRAMME_MANAGER)


def asked(app):
    found = [
        one
        for one in cells(app, "console")
        if one.rule.endpoint not in NO_FILE and not one.rule.endpoint.startswith(PROGRAMS)
    ]
    return [*found, *(one for one in cells(app, "trader") if one.permission == "document:read")]


def count(engine, *ids):
    """How many accesses to the files of these traders are recorded."""
    statement = "SELECT count(*) FROM access_record WHERE trader_id = ANY(CAST(:ids AS uuid[]))"
    with engine.connect() as connection:
        return connection.execute(
            text(statement), {"ids": [one["trader_id"] for one in ids]}
        ).scalar_one()


def test_every_page_of_the_console_on_a_trader_leaves_a_record(site, scene, super_engine):
    unrecorded, shown = [], 0
    for cell in asked(site):
        if cell.method != "GET":
            continue
        for role in ROLES:
            before = count(super_engine, scene.a, scene.a_returned)
            answer = scene.visitors[role].ask("GET", cell.address(scene.a))
            answer.close()
            if answer.status_code not in {200, 303}:
                continue
            shown += 1
            if count(super_engine, scene.a, scene.a_returned) == before:
                unrecorded.append(f"{role}: {cell}")
    assert unrecorded == []
    assert shown > 2 * len(ROLES) * 5


def test_somebody_has_decided_whether_each_kind_of_access_is_told(site, scene, super_engine):
    for cell in asked(site):
        if cell.method == "GET":
            scene.visitors[AgencyRole.SUPERVISOR].ask("GET", cell.address(scene.a)).close()
    with super_engine.connect() as connection:
        kinds = set(connection.scalars(text("SELECT DISTINCT subject_kind FROM access_record")))
    assert len(kinds) > 3
    assert kinds - set(LOOKED) - NOT_TOLD == set(), (
        "Word it in app/activity/wording.py, or list it."
    )
