"""A real installation, started as `make run` starts it, and a browser to visit it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.release_system import ReleaseSystem
from tests.journeys.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STARTS_WITHIN = 240


@dataclass(frozen=True)
class Served:
    """An installation that answers. `home` is its FAIRWAY_HOME."""

    address: str
    home: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """`fairway serve` in an empty home, with its demo data; stopped by the signal of Ctrl-C.

    With `JOURNEY_AT=address;home` an installation that is already running is visited instead,
    which saves a developer the start.
    """
    if "JOURNEY_AT" in os.environ:
        address, _, folder = os.environ["JOURNEY_AT"].partition(";")
        yield Served(address, Path(folder))
        return
    home = Path(tempfile.mkdtemp(prefix="fairway-journey-"))
    home.chmod(0o755)  # The server's account must be able to pass through.
    port = free_port()
    names = {name: value for name, value in os.environ.items() if not name.startswith("FAIRWAY_")}
    log = (home / "serve.log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--workers", "1"],
        cwd=ROOT,
        env={**names, "FAIRWAY_HOME": str(home / "var"), "PORT": str(port)},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while "Ctrl-C stops it all." not in (home / "serve.log").read_text():
            told = (home / "serve.log").read_text()
            assert process.poll() is None, told
            assert time.monotonic() < deadline, told
            time.sleep(0.2)
        yield Served(f"http://localhost:{port}", home / "var")
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            log.close()
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    assert path, "Chromium is missing; `make test` installs it."
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def visitor(browser: Browser, served: Served) -> Iterator[Callable[..., Visitor]]:
    """Make a visitor with cookies of their own; every page they reach is checked."""
    opened = []

    def come(*, javascript: bool = True, width: int = 1280) -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=javascript
        )
        opened.append(context)
        return Visitor(context.new_page(), served.address, javascript=javascript)

    yield come
    for context in opened:
        context.close()


@pytest.fixture
def release_system(served: Served) -> ReleaseSystem:
    """A program of the agency with a fresh token."""
    return ReleaseSystem(served.home)
