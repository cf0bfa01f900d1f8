"""Requests over raw sockets from a process of its own, where wrk is not installed.

`python benchmarks/load.py PORT SECONDS CONNECTIONS [RATE]` with BENCH_N, BENCH_TOKEN and
BENCH_ACCEPT set. Without a rate each connection asks again when it is answered; with one, requests
start by the clock, and an answer is late by what it waited for its turn as well. Prints one line of
JSON: requests, the 50th and 99th percentile in microseconds. Anything but 200 ends it.
"""

import json
import os
import random
import selectors
import socket
import sys
import time
from collections import deque

KINDS = 20_000
DEADLINE = 5.0


def requests(count, token, accept):
    """Requests about partners at random, ready to send."""
    chance = random.Random(7)  # noqa: S311 - a load, not a secret.
    made = []
    for _ in range(KINDS):
        i = chance.randrange(count)
        made.append(
            f"GET /api/v1/partners/ior/{10 + i % 89:02d}-{i:07d}00/status HTTP/1.1\r\n"
            f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nAccept: {accept}\r\n\r\n".encode()
        )
    return made


def left_of(answer):
    """How many bytes of the answer are missing; `SystemExit` for anything but a 200."""
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(answer.decode(errors="replace"))
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return 1
    lines = answer[:end].lower()
    place = lines.index(b"content-length:") + 15
    length = int(lines[place : (lines + b"\r\n").index(b"\r\n", place)])
    return end + 4 + length - len(answer)


class Load:
    """Connections to one server, how long each answer took, and what is still owed."""

    def __init__(self, port, connections, made):
        self.made, self.number, self.took = made, 0, []
        self.chosen = selectors.DefaultSelector()
        self.idle = deque()
        for _ in range(connections):
            one = socket.create_connection(("127.0.0.1", port))
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # What is asked on it: since when, and what has come of the answer.
            self.chosen.register(one, selectors.EVENT_READ, [0.0, b""])
            self.idle.append(one)

    def ask(self, one, since):
        self.chosen.get_key(one).data[:] = [since, b""]
        one.send(self.made[self.number % len(self.made)])
        self.number += 1

    def hear(self, patience):
        """Take in what has come; the connections that are free again go to `idle`."""
        for key, _ in self.chosen.select(patience):
            part = key.fileobj.recv(65536)
            since, before = key.data
            whole = before + part
            if not part or left_of(whole) > 0:
                if not part:
                    raise SystemExit("a connection was closed")
                key.data[1] = whole
                continue
            self.took.append(time.perf_counter() - since)
            self.idle.append(key.fileobj)

    def closed(self, seconds):
        """As fast as they are answered."""
        ends = time.perf_counter() + seconds
        while (now := time.perf_counter()) < ends:
            while self.idle:
                self.ask(self.idle.popleft(), now)
            self.hear(0.1)

    def paced(self, seconds, rate):
        """By the clock, whatever the answers do."""
        began = time.perf_counter()
        for turn in range(int(seconds * rate)):
            due = began + turn / rate
            while not self.idle or time.perf_counter() < due:
                self.hear(max(0.0, due - time.perf_counter()) if self.idle else 0.1)
            self.ask(self.idle.popleft(), due)

    def finish(self):
        """Wait for what is owed."""
        ends = time.perf_counter() + DEADLINE
        while len(self.took) < self.number:
            if time.perf_counter() > ends:
                raise SystemExit(f"{self.number - len(self.took)} requests were not answered")
            self.hear(0.1)


def main():
    port, seconds, connections = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    count, token, accept = (os.environ[f"BENCH_{one}"] for one in ("N", "TOKEN", "ACCEPT"))
    load = Load(port, connections, requests(int(count), token, accept))
    if len(sys.argv) > 4:  # noqa: PLR2004 - the fourth is the rate.
        load.paced(seconds, float(sys.argv[4]))
    else:
        load.closed(seconds)
    load.finish()
    took = sorted(load.took)
    tail = {f"p{part}": round(1e6 * took[len(took) * part // 100], 1) for part in (50, 99)}
    print(json.dumps({"requests": len(took), **tail}))


if __name__ == "__main__":
    main()
