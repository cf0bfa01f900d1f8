"""`fairway catalogue`: proposing, whom a version touches, and no start on altered criteria."""

import csv
import importlib
import io
import signal
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from app.applications import service as applications
from app.authz.actor import AgencyRole, system_actor
from app.catalogues import loader
from app.cli import serving
from app.cli.runtime import RefusedError, Runtime
from app.kernel.errors import ConflictError
from app.publications import queries
from tests.factories.applications import make_submitted
from tests.factories.casework import make_staff
from tests.factories.publications import publish_version, shipped
from tests.factories.register import decide

SYSTEM = system_actor("test")
# In the package the name is that of the command, which hides its own module.
COMMANDS = importlib.import_module("app.cli.catalogue")


@pytest.fixture
def here(engine, settings, app_url):
    @contextmanager
    def runtime():
        yield Runtime(settings, app_url, None, engine)

    return runtime


@pytest.fixture
def command(here, monkeypatch):
    monkeypatch.setattr(COMMANDS, "runtime", here)

    def do(*words):
        result = CliRunner().invoke(COMMANDS.catalogue, [str(word) for word in words])
        if isinstance(result.exception, Exception):
            raise result.exception
        return result.output

    return do


def test_a_version_is_proposed_in_the_name_of_somebody_of_the_agency(command, work_as, tmp_path):
    with work_as(SYSTEM) as work:
        manager = make_staff(work, AgencyRole.PROGRAMME_MANAGER, "Lena Proposes")
    words = ("--as", manager.email, "--note", "Two questions in one.")
    file = tmp_path / "criteria.yaml"
    file.write_bytes(shipped())
    told = command("publish", file, *words)
    assert "/console/catalogues/importer/2026.2" in told
    with work_as(SYSTEM) as work:
        found = queries.live(work.session, "importer", "2026.2")
        assert (found.state, found.proposed_by_name) == ("proposed", "Lena Proposes")
    with pytest.raises(ConflictError):
        command("publish", "importer-2026.2", *words)
    with pytest.raises(RefusedError, match="nobody of the agency"):
        command("publish", "broker-2026.2", "--as", "nobody@example.com", "--note", "x")
    with pytest.raises(RefusedError, match="neither a file nor"):
        command("publish", "importer-1999.1", *words)


def test_the_impact_has_a_line_for_each_partner_with_answers(command, app, work_as):
    with work_as(SYSTEM) as work:
        granted, _ = make_submitted(work)
        applications.grant(work, granted, reason="All is in place.")
        trader_id = granted.trader_id
    decide(work_as, trader_id, "certify", tier=1)
    (row,) = csv.DictReader(io.StringIO(command("impact", "importer", "2026.2")))
    assert (row["trader"], row["held"], row["before"]) == (str(trader_id), "1", "1")
    assert (row["after"], row["not_met"]) == ("0", "")
    assert row["unknown"].split()
    (same,) = csv.DictReader(io.StringIO(command("impact", "importer", "2026.1")))
    assert (same["before"], same["after"], same["unknown"]) == ("1", "1", "")
    with pytest.raises(RefusedError, match=r"no importer 1999\.1"):
        command("impact", "importer", "1999.1")


@pytest.mark.parametrize("start", ["serve", "worker"])
def test_nothing_starts_on_criteria_that_nobody_signed(start, here, work_as, monkeypatch, tmp_path):
    with work_as(SYSTEM) as work:
        publish_version(work)
    for path in loader.SHIPPED.glob("*.yaml"):
        more = b"# A comma.\n" if path.stem == "importer-2026.2" else b""
        (tmp_path / path.name).write_bytes(path.read_bytes() + more)
    altered = loader.load_folder(tmp_path)
    monkeypatch.setattr(queries, "catalogues", lambda: altered)
    monkeypatch.setattr(serving, "runtime", here)
    # Whatever comes after the check would start programs; here it ends the test instead.
    monkeypatch.setattr(serving, "prepare_demo", went_on)
    monkeypatch.setattr(serving, "_work_on_jobs", went_on)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(RefusedError, match=r"importer-2026\.2\.yaml"):
            serving.serve(workers=1) if start == "serve" else serving.work_on_jobs()
    finally:
        signal.signal(signal.SIGTERM, before)


def went_on(*_arguments: object) -> None:
    pytest.fail("It went on although a file was altered.")
