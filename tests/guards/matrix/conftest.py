"""The scene of the matrix, its callers, and its journal."""

from collections.abc import Iterator

import pytest

from tests.guards.matrix.cast import PRINCIPALS, Stage
from tests.guards.matrix.journal import Journal
from tests.guards.matrix.objects import make_sides
from tests.guards.matrix.runner import Run
from tests.guards.scene import CANARY, PLAIN, work_as_on


@pytest.fixture(scope="module")
def run(site, scene, _engine, _clock, super_engine) -> Iterator[Run]:
    work_as = work_as_on(_engine, _clock)
    a, b = make_sides(site, work_as, scene)
    stage = Stage(site, work_as, scene)
    callers = {one.name: one.caller(stage) for one in PRINCIPALS}
    journal = Journal(super_engine)
    # An error is an answer here, which the matrix judges as one.
    before, site.testing = site.testing, False
    yield Run(site, journal, {CANARY: a, PLAIN: b}, callers, commands=_engine)
    site.testing = before
    journal.remove()
