"""One scene for all attacks and mutants, in a transaction that is never committed."""

import pytest

from tests.guards.rows.particular import furnish
from tests.guards.rows.probes import Probes
from tests.guards.rows.world import build


@pytest.fixture(scope="module")
def probes(super_engine):
    with super_engine.connect() as connection:
        tables = build(connection)
        furnish(connection, tables)
        yield Probes(connection, tables)
        connection.rollback()
