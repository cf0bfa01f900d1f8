"""The witness as it is shipped, in a process of its own."""

import http.client
import signal
import subprocess
import sys
from pathlib import Path

from app.audit.witnessing import Witness
from app.cli import record

PROGRAM = Path(record.VERIFIER).with_name("witness.py")


class Running:
    """The shipped program, serving a folder on a port of the system's choice."""

    def __init__(self, folder, *before):
        command = [sys.executable, *before, str(PROGRAM), "serve", str(folder), "--port", "0"]
        # Alone with the standard library and `cryptography`: nothing of ours is in its reach.
        self.process = subprocess.Popen(
            command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.key = self.process.stdout.readline().strip()
        self.port = int(self.process.stdout.readline().rpartition(":")[2] or 0)

    @property
    def witness(self):
        return Witness.parse(f"{self.key} http://127.0.0.1:{self.port}/")

    def post(self, body, path="/add-checkpoint"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("POST", path, body if isinstance(body, bytes) else body.encode())
        answer = connection.getresponse()
        found = (answer.status, answer.read().decode(), answer.headers["Content-Type"])
        connection.close()
        return found

    def stop(self, number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(number)
        said = self.process.communicate(timeout=20)[1]
        assert "Traceback" not in said, said
        return said


def command(*arguments, wanted=0):
    done = subprocess.run(
        [sys.executable, PROGRAM, *arguments],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
        timeout=60,
    )
    assert done.returncode == wanted, done.stderr
    return done.stdout if wanted == 0 else done.stderr
