"""Signed notes and checkpoints in the forms of C2SP: signed-note, tlog-checkpoint, tlog-cosignature.

Pure: text in, text out, keys given. The names of keys are the names of who signs.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LOG = 1
"""The algorithm byte of a plain Ed25519 signature of a note."""
WITNESS = 4
"""The algorithm byte of a cosignature with its time (cosignature/v1)."""
_DASH = "\u2014 "
_ROOT_LENGTH = 32


class NoteError(ValueError):
    """A note, key or signature that is not of the form, or does not hold; the text says which."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name and kind; its text form is what C2SP calls a vkey."""

    name: str
    kind: int
    key: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that a signature line begins with."""
        return hashlib.sha256(f"{self.name}\n".encode() + bytes([self.kind]) + self.key).digest()[
            :4
        ]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_b64(bytes([self.kind]) + self.key)}"

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Read a vkey; `NoteError` when it is none or its id does not fit."""
        parts = text.strip().split("+", 2)
        raw = _unb64(parts[-1]) if len(parts) == 3 else b""  # noqa: PLR2004 - name, id, key.
        if len(raw) != 33 or raw[0] not in (LOG, WITNESS):  # noqa: PLR2004 - a byte and a key.
            raise NoteError("That is no verifier key.")
        found = cls(parts[0], raw[0], raw[1:])
        if found.key_id.hex() != parts[1]:
            raise NoteError("The verifier key's id does not fit the key.")
        return found

    def holds(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (what follows the key's id) is this key's over the note's text."""
        message = text.encode()
        if self.kind == WITNESS:
            if len(signature) != 72:  # noqa: PLR2004 - eight bytes of time and a signature.
                return False
            message, signature = cosigned(text, int.from_bytes(signature[:8])), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name and kind; its text form is the whole content of a key file."""

    name: str
    kind: int
    key: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.kind, self.key.public_key().public_bytes_raw())

    def __str__(self) -> str:
        secret = _b64(bytes([self.kind]) + self.key.private_bytes_raw())
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{secret}"

    @classmethod
    def parse(cls, text: str) -> "Signer":
        """Read a key file's content; `NoteError` when it is none."""
        parts = text.strip().removeprefix("PRIVATE+KEY+").split("+", 2)
        raw = _unb64(parts[-1]) if len(parts) == 3 else b""  # noqa: PLR2004 - name, id, key.
        if len(raw) != 33 or raw[0] not in (LOG, WITNESS):  # noqa: PLR2004 - a byte and a key.
            raise NoteError("That is no signing key.")
        found = cls(parts[0], raw[0], Ed25519PrivateKey.from_private_bytes(raw[1:]))
        if found.verifier.key_id.hex() != parts[1]:
            raise NoteError("The signing key's id does not fit the key.")
        return found

    def sign(self, text: str, time: int = 0) -> str:
        """The signature line over a note's text; a witness names the second at which it signs."""
        if self.kind == WITNESS:
            signature = time.to_bytes(8) + self.key.sign(cosigned(text, time))
        else:
            signature = self.key.sign(text.encode())
        return f"{_DASH}{self.name} {_b64(self.verifier.key_id + signature)}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log claims: its name, its size, its root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note's text, which signatures are over."""
        return f"{self.origin}\n{self.size}\n{_b64(self.root)}\n"


def cosigned(text: str, time: int) -> bytes:
    """The bytes that a witness signs."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def parse_note(note: str) -> tuple[Checkpoint, list[tuple[str, bytes, bytes]]]:
    """A note's checkpoint and its signatures as (name, key id, signature); none is verified."""
    text, found, rest = note.partition("\n\n")
    lines = text.split("\n")
    if not found or len(lines) != 3 or not rest.endswith("\n"):  # noqa: PLR2004 - no extensions.
        raise NoteError("That is no checkpoint.")
    origin, size, root = lines[0], lines[1], _unb64(lines[2])
    plain = size.isascii() and size.isdigit() and (size == "0" or size[0] != "0")
    if not origin or not plain or len(root) != _ROOT_LENGTH:
        raise NoteError("That is no checkpoint.")
    signatures = []
    for line in rest[:-1].split("\n"):
        name, _, value = line.removeprefix(_DASH).partition(" ")
        raw = _unb64(value)
        if not line.startswith(_DASH) or not name or len(raw) <= 4:  # noqa: PLR2004 - key id.
            raise NoteError("A signature line is not of the form.")
        signatures.append((name, raw[:4], raw[4:]))
    return Checkpoint(origin, int(size), root), signatures


def submission(old: int, proof: Sequence[bytes], note: str) -> str:
    """What a witness is sent (tlog-witness): the size it has, the proof from there, the checkpoint."""
    hashes = "".join(_b64(one) + "\n" for one in proof)
    return f"old {old}\n{hashes}\n{note}"


def open_note(note: str, log: Verifier) -> Checkpoint:
    """The checkpoint of a note that the log's own key has signed; else `NoteError`."""
    found, _ = parse_note(note)
    if found.origin != log.name:
        raise NoteError(f"The checkpoint is of another log, {found.origin}.")
    if not signed_by(note, log):
        raise NoteError("The log's key has not signed this checkpoint.")
    return found


def signed_by(note: str, key: Verifier) -> bool:
    """Whether the note carries a good signature of `key`."""
    found, signatures = parse_note(note)
    return any(
        name == key.name and key_id == key.key_id and key.holds(found.text, signature)
        for name, key_id, signature in signatures
    )


def cosigned_by(note: str, line: str, key: Verifier) -> bool:
    """Whether `line`, put behind the note, is a good signature of `key`."""
    try:
        return signed_by(note + line, key) and not signed_by(note, key)
    except NoteError:
        return False


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("That is not base64.") from None
