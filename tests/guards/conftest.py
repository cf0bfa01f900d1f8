"""The scene of the guards that ask every address, and the proof that nothing was written."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from structlog.testing import capture_logs

from app.web.requests import FairwayApp
from tests.conftest import CLEAN, NOON
from tests.guards.scene import CANARY, Scene, make_scene, work_as_on

GROWS = {
    "security_event",
    "access_record",
    "lookup_block",
    "lookup_record",
    "log_pending",
    "web_session",
    "rate_count",
}


@pytest.fixture(scope="module")
def site(_app: FairwayApp) -> FairwayApp:
    """All three surfaces, for as long as the scene lasts."""
    return _app


@pytest.fixture(scope="module")
def scene(site, _engine, _clock, super_engine) -> Iterator[Scene]:
    """One scene for all of these tests, which is safe because each shows that it wrote nothing."""
    _clock.at = NOON
    yield make_scene(site, work_as_on(_engine, _clock))
    with super_engine.begin() as connection:
        connection.execute(text(CLEAN))


@pytest.fixture
def silent_logs(caplog) -> Iterator[None]:
    """Fails a test in which anything was logged that holds the canary."""
    with capture_logs() as lines:
        yield
    assert CANARY not in f"{lines}{caplog.text}"


@pytest.fixture
def ledger(super_engine: Engine) -> Iterator[None]:
    """Fails a test after which any table but those of `GROWS` is not as it was before."""
    before = digests(super_engine)
    yield
    after = digests(super_engine)
    assert {name for name in before if before[name] != after[name]} <= GROWS


def digests(engine: Engine) -> dict[str, tuple[int, int]]:
    """The number of rows and a sum over their contents, by table."""
    with engine.connect() as connection:
        names = connection.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).all()
        each = " UNION ALL ".join(
            f"SELECT '{name}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)"  # noqa: S608
            f" FROM {name} t"
            for name in names
        )
        return {row[0]: (row[1], row[2]) for row in connection.execute(text(each))}
