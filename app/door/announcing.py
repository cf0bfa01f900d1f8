"""Wait for the first answer of a server and for the feeder's map, then print where everything is.

A process of its own, which loads the standard library alone: a thread in the serving process
could hold an import lock at the moment when the server forks its workers, and a worker would wait
for that lock for ever.
"""

import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from app.door.exchange import ask
from app.door.places import DoorError, Place

GIVE_UP_AFTER = 120
FAULTY = 400


def main(probe: str, started: str, text: str, fed: str) -> None:
    """Ask `probe` until it answers, then print `text` under the seconds since `started`.

    `fed` is a file that has to be there as well, or empty.
    """
    begun = time.monotonic()
    host = urlsplit(probe).hostname or ""
    here = Place("our own address", (host,), inside=True, plain=True, ourselves=host, any_port=True)
    while time.monotonic() - begun < GIVE_UP_AFTER:
        if fed and not Path(fed).exists():
            time.sleep(0.05)
            continue
        try:
            answered = ask(here, probe).status < FAULTY
        except DoorError:
            answered = False
        if not answered:
            time.sleep(0.05)
            continue
        print(f"Ready after {time.monotonic() - float(started):.1f} s\n\n{text}", flush=True)  # noqa: T201
        return


if __name__ == "__main__":
    main(*sys.argv[1:5])
