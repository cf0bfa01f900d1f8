"""Take-on through the command's own function, on the test's database."""

import hashlib
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.audit.models import AuditEvent
from app.authz.actor import system_actor
from app.cli import partners
from app.cli.partners import register
from app.cli.runtime import Runtime
from app.db.session import Principal, transaction
from app.kernel.clock import SystemClock
from app.register.queries import answer

HEADER = "trader_name,entity_type,identifiers,programme,tier,status,valid_from,valid_to,reason\n"
GOOD = "Old Quay Imports,importer,ior:12-345678900;gln:9501101530003,security,2,validated,2025-01-01,,From the old portal\n"
LATER = "Old Quay Imports,importer,ior:12-345678900,trade,1,certified,2025-01-01,,x\n"


@pytest.fixture
def installation(engine, settings, app_url, monkeypatch):
    """The command's runtime on this test's database instead of a home's own."""

    @contextmanager
    def here():
        yield Runtime(settings, app_url, None, engine)

    monkeypatch.setattr(partners, "runtime", here)


def run(*arguments: str):
    return CliRunner().invoke(register, [*arguments])


def test_good_rows_are_taken_on_and_bad_ones_named_by_line(installation, engine, clock, tmp_path):
    file = tmp_path / "old.csv"
    file.write_text(HEADER + GOOD + LATER + GOOD.replace("ior:12-345678900", "ior:536-90-439"))
    result = run("import", str(file))
    assert "1 of 3 rows taken on." in result.output
    assert "line 3: There is no such programme." in result.output
    assert "line 4:" in result.output
    assert "536-90" not in result.output
    with transaction(engine, Principal("system:test")) as session:
        found = answer(session, "ior", "12-345678900", now=clock.now())
    assert found.answer == "active"
    assert found.standings[0].tier == 2


def test_the_same_file_again_changes_nothing(installation, engine, clock, tmp_path):
    file = tmp_path / "old.csv"
    file.write_text(HEADER + GOOD)
    assert run("import", str(file)).exit_code == 0
    again = run("import", str(file))
    assert "0 of 1 rows taken on." in again.output
    assert "already has a standing" in again.output


def test_the_event_tells_file_and_account(installation, work_as, tmp_path):

    file = tmp_path / "old.csv"
    file.write_text(HEADER + GOOD)
    run("import", str(file))
    with work_as(system_actor("test")) as work:
        event = work.session.scalars(
            select(AuditEvent).where(AuditEvent.tag == "register:imported")
        ).one()
    assert event.data["file_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert event.data["os_account"]


def test_export_can_be_imported_elsewhere(installation, tmp_path):
    file = tmp_path / "old.csv"
    file.write_text(HEADER + GOOD)
    run("import", str(file))
    out = run("export").output
    assert out.startswith(HEADER.strip())
    assert "Old Quay Imports,importer" in out
    assert "security,2,validated,2025-01-01T00:00:00+00:00,," in out


def test_urgent_suspension_takes_effect_at_once(installation, engine, tmp_path):
    # A command has the machine's clock, so it is asked about by that clock.
    clock = SystemClock()
    file = tmp_path / "old.csv"
    file.write_text(HEADER + GOOD)
    run("import", str(file))
    with transaction(engine, Principal("system:test")) as session:
        before = answer(session, "ior", "12-345678900", now=clock.now())
    result = run("suspend", str(before.partner_id), "--reason", "no-such-reason")
    assert result.exit_code != 0
    result = run("suspend", str(before.partner_id), "--reason", "seizure")
    assert result.exit_code == 0, result.output
    with transaction(engine, Principal("system:test")) as session:
        after = answer(session, "ior", "12-345678900", now=clock.now())
    assert after.answer == "not_active"
    assert after.seq > before.seq
