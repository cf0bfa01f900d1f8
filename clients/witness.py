"""A witness for transparency logs: it cosigns a log that only grows, and refuses any other.

    python witness.py init FOLDER NAME            make the witness's key, print its public half
    python witness.py serve FOLDER [--host H] [--port P]
    python witness.py show FOLDER                 what was cosigned last, and what was refused

Another office than the log's runs it, on a machine of its own. FOLDER holds the key, the file `logs`
(one public key of a log a line) and, for each log, the newest checkpoint that was cosigned. The key
stands beside that state on purpose: whoever loses the state loses the key, and cannot start anew in the
same name from nothing. Speaks `add-checkpoint` of C2SP's tlog-witness and signs `cosignature/v1`.
Needs Python and the package `cryptography`, and nothing of Fairway.
"""

import argparse
import base64
import binascii
import fcntl
import hashlib
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LOG, WITNESS = 1, 4
MOST_PROOF, MOST_BYTES, MOST_REFUSED = 63, 16_384, 1_000
DASH = "\u2014 "
ACCEPTED, MALFORMED, NOT_SIGNED, UNKNOWN, CONFLICT, UNPROVEN = 200, 400, 403, 404, 409, 422


class MalformedError(ValueError):
    """A request, key or note that is not of the form."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key in its text form: name, algorithm, bytes."""

    name: str
    kind: int
    raw: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that a signature line begins with."""
        return hashlib.sha256(f"{self.name}\n".encode() + bytes([self.kind]) + self.raw).digest()[
            :4
        ]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.raw).decode()}"

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Read the text form; `MalformedError` when it is none."""
        name, _, rest = text.strip().partition("+")
        key_id, _, value = rest.partition("+")
        raw = unb64(value)
        found = cls(name, raw[0] if raw else 0, raw[1:])
        if len(found.raw) != 32 or found.kind not in (LOG, WITNESS) or found.id.hex() != key_id:
            raise MalformedError("That is no public key.")
        return found

    def holds(self, text: str, signature: bytes) -> bool:
        """Whether `signature` is this key's over the note's text."""
        message = text.encode()
        if self.kind == WITNESS:
            message, signature = cosigned(text, int.from_bytes(signature[:8])), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log claims; `text` is what signatures are over, extension lines included."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def signed_by(self, key: Key) -> bool:
        """Whether one of the signatures is a good one of `key`."""
        return any(
            (name, key_id) == (key.name, key.id) and key.holds(self.text, signature)
            for name, key_id, signature in self.signatures
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered to a submission."""

    status: int
    body: str = ""


def read_note(note: str) -> Checkpoint:
    """Read a signed checkpoint; no signature is verified. `MalformedError` when it is none."""
    text, found, rest = note.rpartition("\n\n")
    lines = text.split("\n")
    if not found or len(lines) < 3 or not all(lines) or not rest.endswith("\n"):
        raise MalformedError("That is no checkpoint.")
    root = unb64(lines[2])
    if len(root) != 32:
        raise MalformedError("The root is not of 32 bytes.")
    signatures = []
    for line in rest[:-1].split("\n"):
        name, _, value = line.removeprefix(DASH).partition(" ")
        raw = unb64(value)
        if not line.startswith(DASH) or not name or len(raw) < 5:
            raise MalformedError("A signature line is not of the form.")
        signatures.append((name, raw[:4], raw[4:]))
    return Checkpoint(lines[0], number(lines[1]), root, f"{text}\n", tuple(signatures))


def read_request(body: str) -> tuple[int, list[bytes], str]:
    """The old size, the proof and the note of a submission."""
    head, found, note = body.partition("\n\n")
    first, *proof = head.split("\n")
    if not found or not first.startswith("old ") or len(proof) > MOST_PROOF:
        raise MalformedError("That is no submission.")
    hashes = [unb64(one) for one in proof]
    if any(len(one) != 32 for one in hashes):
        raise MalformedError("A hash is not of 32 bytes.")
    return number(first.removeprefix("old ")), hashes, note


def consistent(old: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree under `root` begins with the one under `old_root`."""
    if old == 0:
        return not proof
    if old == size:
        return not proof and old_root == root
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not steps:
        return False
    here, last = old - 1, size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    before = after = steps[0]
    for one in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            before, after = node(one, before), node(one, after)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            after = node(after, one)
        here, last = here >> 1, last >> 1
    return last == 0 and before == old_root and after == root


class Witness:
    """The key, the logs that are known, and what was cosigned last of each."""

    def __init__(self, folder: Path) -> None:
        """Open the folder; `MalformedError` when its key or its state is not good.

        The folder is locked for as long as the process lives: two witnesses on one state could
        each believe that they alone decide.
        """
        self.folder = folder
        self._held = (folder / "lock").open("w")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise MalformedError(f"Another witness runs on {folder}.") from None
        self._key, self.public = read_key(folder)
        self._turn = threading.Lock()
        self.latest: dict[str, Checkpoint] = {}
        for path in sorted(folder.glob("latest-*")):
            found = read_note(path.read_text("utf-8"))
            if not found.signed_by(self.public):
                raise MalformedError(f"{path} is not what this witness cosigned.")
            self.latest[found.origin] = found

    def add(self, body: str, at: int) -> Answer:
        """Judge one submission, one at a time: remember first, and only then give the cosignature."""
        try:
            old, proof, note = read_request(body)
            new = read_note(note)
        except MalformedError as error:
            return Answer(MALFORMED, f"{error}\n")
        keys = [key for key in self.logs() if key.name == new.origin]
        if not keys:
            return Answer(UNKNOWN, "This log is not known here.\n")
        if not any(new.signed_by(key) for key in keys):
            return Answer(NOT_SIGNED, "The log's key has not signed this checkpoint.\n")
        if old > new.size:
            return Answer(MALFORMED, "The old size is above the new one.\n")
        with self._turn:
            return self._judge(old, proof, new, note, at)

    def _judge(self, old: int, proof: list[bytes], new: Checkpoint, note: str, at: int) -> Answer:
        known = self.latest.get(new.origin)
        size = known.size if known else 0
        if old != size:
            if new.size < size:
                self._refuse(new, note, f"it is smaller than the {size} leaves that were cosigned")
            return Answer(CONFLICT, f"{size}\n")
        if known and new.size == size and new.root != known.root:
            self._refuse(new, note, "it has another root than the one that was cosigned: a fork")
            return Answer(CONFLICT, f"{size}\n")
        if not consistent(size, new.size, known.root if known else b"", new.root, proof):
            self._refuse(new, note, f"nothing shows that it grew from the {size} leaves cosigned")
            return Answer(UNPROVEN, "The consistency proof does not hold.\n")
        line = self._sign(new.text, at)
        durably(self.folder / f"latest-{digest(new.origin)}", note + line)
        self.latest[new.origin] = read_note(note + line)
        return Answer(ACCEPTED, line)

    def logs(self) -> list[Key]:
        """The keys of the logs that are known, read anew each time, so that adding one needs no stop."""
        path = self.folder / "logs"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [Key.parse(line) for line in lines if line.strip() and not line.startswith("#")]

    def _sign(self, text: str, at: int) -> str:
        signature = at.to_bytes(8) + self._key.sign(cosigned(text, at))
        return f"{DASH}{self.public.name} {base64.b64encode(self.public.id + signature).decode()}\n"

    def _refuse(self, new: Checkpoint, note: str, why: str) -> None:
        """Keep what the log has signed and should not have: it is evidence against the log."""
        said = f"{new.origin}: refused a checkpoint of {new.size} leaves: {why}."
        print(said, file=sys.stderr, flush=True)
        folder = self.folder / "refused"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{digest(new.origin)}-{new.size}-{new.root.hex()[:16]}"
        if not path.exists() and sum(1 for _ in folder.iterdir()) < MOST_REFUSED:
            durably(path, f"{said}\n\n{note}")


class Server(ThreadingHTTPServer):
    """Takes many connections at once: a refused one looks like an outage to the log."""

    request_queue_size = 128


class Handler(BaseHTTPRequestHandler):
    """One path, one method."""

    protocol_version = "HTTP/1.1"
    timeout = 20
    witness: Witness

    def do_POST(self) -> None:
        """Take a submission."""
        length = self.headers.get("Content-Length", "")
        if self.path.partition("?")[0] != "/add-checkpoint":
            self.close_connection = True
            self._say(Answer(UNKNOWN, "Submissions go to /add-checkpoint.\n"))
        elif not length.isdecimal() or int(length) > MOST_BYTES:
            self.close_connection = True
            self._say(Answer(MALFORMED, "A submission has a length, and not a large one.\n"))
        else:
            try:
                body = self.rfile.read(int(length)).decode("utf-8")
            except UnicodeDecodeError:
                self._say(Answer(MALFORMED, "That is not text.\n"))
            else:
                self._say(self.witness.add(body, int(time.time())))

    def _say(self, answer: Answer) -> None:
        body = answer.body.encode()
        kind = "text/x.tlog.size" if answer.status == CONFLICT else "text/plain; charset=utf-8"
        self.send_response(answer.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing of each request: what matters is said where it is judged."""


def read_key(folder: Path) -> tuple[Ed25519PrivateKey, Key]:
    """The witness's own key; others than its account may not be able to read it."""
    path = folder / "key"
    if path.stat().st_mode & 0o077:
        raise MalformedError(f"{path} can be read by other accounts.")
    name, _, secret = path.read_text("utf-8").strip().partition(" ")
    raw = unb64(secret)
    if not name or len(raw) != 32:
        raise MalformedError(f"{path} holds no key.")
    key = Ed25519PrivateKey.from_private_bytes(raw)
    return key, Key(name, WITNESS, key.public_key().public_bytes_raw())


def durably(path: Path, content: str) -> None:
    """Write a file so that after a power cut it is there as it was before or as a whole."""
    unfinished = path.with_name(f".{path.name}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        print(content, end="", file=file, flush=True)
        os.fsync(handle)
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 6962)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def cosigned(text: str, at: int) -> bytes:
    """The bytes that a witness signs."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def digest(origin: str) -> str:
    """A log's name as a file's name."""
    return hashlib.sha256(origin.encode()).hexdigest()[:32]


def number(text: str) -> int:
    """A size in decimal without leading zeroes."""
    if (
        not (text.isascii() and text.isdecimal())
        or (text[0] == "0" and text != "0")
        or len(text) > 18
    ):
        raise MalformedError("That is no size.")
    return int(text)


def unb64(text: str) -> bytes:
    """Base64 read strictly; `MalformedError` when it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedError("That is not base64.") from None


def init(folder: Path, name: str) -> Key:
    """Make a folder with a new key; one that is there already is refused."""
    if not name or any(one in name for one in " +\n"):
        raise MalformedError("A name has no blanks and no plus signs.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / "key").exists():
        raise MalformedError(f"{folder} has a key already.")
    secret = Ed25519PrivateKey.generate().private_bytes_raw()
    durably(folder / "key", f"{name} {base64.b64encode(secret).decode()}\n")
    return read_key(folder)[1]


def serve(folder: Path, host: str, port: int) -> None:
    """Serve until interrupted."""
    Handler.witness = Witness(folder)
    server = Server((host, port), Handler)
    print(f"{Handler.witness.public}\nListening on {host}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def main(arguments: Sequence[str] | None = None) -> int:
    """The three commands."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("init", "serve", "show"):
        commands.add_parser(name).add_argument("folder", type=Path)
    commands.choices["init"].add_argument("name")
    commands.choices["serve"].add_argument("--host", default="127.0.0.1")
    commands.choices["serve"].add_argument("--port", type=int, default=8014)
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "init":
            print(init(asked.folder, asked.name))
        elif asked.command == "show":
            for pattern in ("latest-*", "refused/*"):
                for path in sorted(asked.folder.glob(pattern)):
                    print(path.read_text("utf-8"))
        else:
            serve(asked.folder, asked.host, asked.port)
    except (MalformedError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
