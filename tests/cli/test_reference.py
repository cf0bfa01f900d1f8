"""`fairway reference`: a list is loaded or refused with its lines, and its age is told."""

from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from app.cli import lists
from app.cli.runtime import RefusedError, Runtime
from app.kernel.errors import NotReadyError


@pytest.fixture
def command(engine, settings, app_url, monkeypatch):
    @contextmanager
    def here():
        yield Runtime(settings, app_url, None, engine)

    monkeypatch.setattr(lists, "runtime", here)

    def do(*words):
        result = CliRunner().invoke(lists.reference, [str(word) for word in words])
        if isinstance(result.exception, Exception):
            raise result.exception
        return result

    return do


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "ports.csv"
    path.write_text("code,name\n2704,Los Angeles\n4601,New York\n")
    return path


def test_a_list_is_loaded_and_its_age_is_told(command, file):
    assert "none" in command("list").output
    told = command("load", "schedule-d", file, "--as-of", "2026-01-02").output
    assert "2 codes of schedule-d, as of 2026-01-02" in told
    listed = command("list").output
    assert "as of 2026-01-02" in listed
    assert "ports.csv" in listed
    assert "pycountry" in listed


def test_what_is_no_such_list_changes_nothing(command, file):
    command("load", "schedule-d", file, "--as-of", "2026-01-02")
    file.write_text("code\n2704\nNEW YORK\n")
    with pytest.raises(RefusedError, match="Line 3"):
        command("load", "schedule-d", file, "--as-of", "2026-01-03")
    file.write_bytes(b"code\n\xff\xfe\n")
    with pytest.raises(RefusedError, match="UTF-8"):
        command("load", "schedule-d", file, "--as-of", "2026-01-03")
    file.write_text("code\n2704\n4601\n")
    with pytest.raises(NotReadyError, match="later day"):
        command("load", "schedule-d", file, "--as-of", "2026-01-01")
    assert "as of 2026-01-02" in command("list").output


def test_another_kind_is_wrong_usage(command, file):
    assert command("load", "bicycles", file).exit_code == 2
