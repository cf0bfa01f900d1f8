"""A receiver on a real socket, which verifies as docs/api.md tells it and remembers what it took."""

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECIPE = re.compile(r"```python\n(?=# Verifying a webhook)(.*?)```", re.DOTALL)


def recipe():
    """The function of the documentation, as it stands there."""
    [text] = RECIPE.findall((ROOT / "docs" / "api.md").read_text("utf-8"))
    names = {}
    exec(compile(text, "docs/api.md", "exec"), names)  # noqa: S102 - our own documentation.
    return names["verified"]


class Receiver:
    """`status` is what it answers to a good message; `keys` are the public ones that it trusts.

    `taken` holds what it answered 2xx to, in order, duplicates included; `refused` why it would not
    believe a message. `at` tells it the time, in seconds.
    """

    def __init__(self, at):
        self.at = at
        self.status = 204
        self.headers = {}
        self.keys = []
        self.seen = []
        self.taken = []
        self.refused = []

    def hear(self, headers, body):
        self.seen.append((dict(headers), body))
        try:
            message = recipe()(headers, body, self.keys, self.at())
        except ValueError as error:
            self.refused.append(str(error))
            return 400
        if 200 <= self.status < 300:
            self.taken.append((headers["webhook-id"], message))
        return self.status

    @property
    def partners(self):
        """The changes that it knows of, by number."""
        return {
            one["seq"]: one["partner_id"]
            for _, message in self.taken
            for one in message["data"]["changes"]
        }


@contextmanager
def listening(receiver, port=0):
    """Serve the receiver on this machine; gives its address. Nobody listens there afterwards."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.hear(self.headers, body)
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}/hook"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
