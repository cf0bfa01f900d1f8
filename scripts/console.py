"""What the bootstrap's parts share: progress lines, refusals, and running a command."""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent


class Refusal(Exception):  # noqa: N818 - it is a refusal with reasons, not a fault.
    """The command cannot go on; the message says why and what to do."""


def say(text: str) -> None:
    """Print one line of progress at once, also into a pipe."""
    print(f"fairway: {text}", flush=True)


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a step, and say how long it took."""
    say(f"{text} ...")
    began = time.monotonic()
    yield
    say(f"{text}: took {time.monotonic() - began:.1f} s")


def call(*command: str | Path, env: dict[str, str] | None = None) -> int:
    """Run a command in the project folder, its output shown; the exit code."""
    return subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=env, check=False
    ).returncode


def captured(*command: str | Path, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a command in the project folder; the exit code and both its outputs."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=env,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode, done.stdout
