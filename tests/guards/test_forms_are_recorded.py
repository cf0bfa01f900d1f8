"""A form of the agency on a trader leaves a trace, whether it was taken or refused.

It writes, so it has a scene of its own.
"""

from sqlalchemy import text

from app.authz.actor import AgencyRole
from tests.guards.scene import make_scene
from tests.guards.test_reading_is_recorded import asked

NOTHING = {"casework.take": "The scene's reviewer has the case: nothing is done, nothing shown."}


def count(engine, *ids):
    """How many accesses to the files, and events, of these traders are recorded."""
    found = 0
    with engine.connect() as connection:
        for table in ("access_record", "audit_event"):
            found += connection.execute(
                text(
                    f"SELECT count(*) FROM {table}"  # noqa: S608 - one of two names.
                    " WHERE trader_id = ANY(CAST(:ids AS uuid[]))"
                ),
                {"ids": [one["trader_id"] for one in ids]},
            ).scalar_one()
    return found


def test_every_form_of_the_console_on_a_trader_leaves_a_record_or_an_event(
    app, work_as, super_engine
):
    """A refused form shows the file again; one that was taken is an event of its own."""
    scene, silent, answered = make_scene(app, work_as), [], 0
    for cell in asked(app):
        if cell.method != "POST" or cell.rule.endpoint in NOTHING:
            continue
        for role in (AgencyRole.REVIEWER, AgencyRole.SUPERVISOR):
            both = (scene.a, scene.a_returned)
            before = count(super_engine, *both)
            answer = scene.visitors[role].ask("POST", cell.address(scene.a))
            if answer.status_code not in {200, 303, 422}:
                continue
            answered += 1
            if count(super_engine, *both) == before:
                silent.append(f"{role}: {cell}: {answer.status}")
            # Pressed again by the other, it does nothing and shows nothing.
            break
    assert silent == []
    assert answered >= 10
