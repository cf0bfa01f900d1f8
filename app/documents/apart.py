"""A file read by a process of its own, bounded in memory and time and without any of our secrets.

The child gets the bytes on its standard input and gives an answer of bounded length; nothing else
is taken from it, whatever the file did to the parser.
"""

import ctypes
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import IO, Final

ROOT: Final = Path(__file__).resolve().parents[2]
MEMORY: Final = 512 << 20
OUT_OF_MEMORY: Final = 3

STOPPED: Final = frozenset(
    (
        OUT_OF_MEMORY,
        *(-number for number in (signal.SIGXCPU, signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS)),
    )
)
"""How a child ends that has reached a limit."""


class TooMuchError(Exception):
    """The file takes more memory, time or words than it may."""


class ReadingFailedError(RuntimeError):
    """The child ended for a reason of ours, not of the file; it may be tried again."""


def start(program: str, *words: str) -> subprocess.Popen[bytes]:
    """A child that runs `program` with our folder and `words` as its arguments, and nothing of ours.

    It has no environment, no open file but its two pipes, and no packages of the user's.
    """
    return subprocess.Popen(  # noqa: S603 - our own program with words of our own.
        [sys.executable, "-I", "-c", program, str(ROOT), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        close_fds=True,
    )


def read_apart(module: str, content: bytes, *, seconds: int, most: int) -> bytes:
    """What `module.main()` writes in a child process that is given `content`.

    `most` bytes are taken at most, within `seconds` of the child's own time and three times as
    many on the wall. `TooMuchError` when a limit is reached, `ReadingFailedError` when the child
    ends otherwise without success.
    """
    child = start(_PROGRAM, module, str(seconds), str(MEMORY))
    assert child.stdin is not None  # noqa: S101 - both are pipes.
    assert child.stdout is not None  # noqa: S101
    watch = Timer(3 * seconds, child.kill)
    watch.start()
    hands = ThreadPoolExecutor(max_workers=1)
    try:
        hands.submit(_feed, content, child.stdin)
        answer = child.stdout.read(most + 1)
        if len(answer) > most:
            raise TooMuchError
        code = child.wait()
    finally:
        watch.cancel()
        child.kill()
        hands.shutdown()
        child.stdout.close()
        child.wait()
    # The watch kills a child that waits for something instead of working.
    if code in STOPPED or code == -signal.SIGKILL:
        raise TooMuchError
    if code:
        msg = f"the process that reads a file ended with {code}"
        raise ReadingFailedError(msg)
    return answer


_PROGRAM: Final = (
    "import sys, importlib; sys.path.insert(0, sys.argv[1]); from app.documents.apart import begin;"
    " begin(int(sys.argv[3]), int(sys.argv[4])); importlib.import_module(sys.argv[2]).main()"
)


def _feed(content: bytes, into: IO[bytes]) -> None:
    """Hand the bytes over; a child that stops listening is no trouble."""
    with suppress(BrokenPipeError):
        into.write(content)
    with suppress(BrokenPipeError):
        into.close()


def begin(seconds: int, memory: int) -> None:
    """Bound this process; the child calls it before it reads a byte of the file."""
    bound(seconds, seconds + 5, memory)


def bound(seconds: int, most: int, memory: int) -> None:
    """Bound this process to `seconds` of processor, which it may raise to `most`, and to `memory`.

    It may start no other process (which root may all the same) and gain no rights by running a
    program, and other processes of this account may not look into its memory.
    """
    _renounce()
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, most))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


# The numbers of Linux, include/uapi/linux/prctl.h.
_DUMPABLE, _NO_NEW_PRIVS = 4, 38


def _renounce() -> None:
    """Give up for good what this process could gain; where the system knows of it."""
    control = getattr(ctypes.CDLL(None), "prctl", None)
    if control is not None:
        control(_DUMPABLE, 0, 0, 0, 0)
        control(_NO_NEW_PRIVS, 1, 0, 0, 0)
