"""Raw SQL of every role against every table, on a scene that the catalogue makes."""

import pytest
from sqlalchemy import text

from tests.guards.rows.probes import ATTACKERS, HELD_BY_TRIGGERS, may_see


@pytest.mark.parametrize("role", ATTACKERS)
def test_nothing_of_anybody_else_comes_through(probes, role):
    found = [
        breach
        for who in ATTACKERS[role]
        for table in probes.tables.values()
        for breach in probes.breaches(who, table)
    ]
    assert "\n".join(found) == ""


@pytest.mark.parametrize("role", ATTACKERS)
def test_everybody_sees_what_is_theirs(probes, role):
    """Else an attack would fail for want of a scene, and a mutant would go unnoticed."""
    wrong = []
    for who in ATTACKERS[role]:
        for table in probes.tables.values():
            if set(table.key) <= probes.may(who, table, "SELECT"):
                wanted = table.of(may_see(who, table.name))
                if missing := wanted - probes.visible(who, table):
                    wrong.append(f"{who.role} {who.side} misses {table.name} of {sorted(missing)}")
    assert "\n".join(wrong) == ""


@pytest.mark.parametrize(("name", "column"), sorted(HELD_BY_TRIGGERS))
def test_what_no_policy_holds_a_trigger_does(probes, name, column):
    table, who = probes.tables[name], ATTACKERS["portal"][0]
    change = {column: table.rows["b"][column]}
    point = probes.connection.begin_nested()
    probes.connection.execute(text("SET LOCAL session_replication_role = origin"))
    assert not isinstance(probes.update(who, table, table.rows["a"], change), int)
    point.rollback()
