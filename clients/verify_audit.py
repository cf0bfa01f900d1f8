"""Verify an export of Fairway's audit log, with `python verify_audit.py EXPORT KEY`.

KEY is the log's public key in its text form, from the agency's notice board and not from the export.
Needs Python and the package `cryptography`, and nothing of Fairway. One pass; exit 1 at the first
thing that is not as it was signed, with its place.
"""

import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha(*parts: bytes) -> bytes:
    """SHA-256 of the parts in a row."""
    return hashlib.sha256(b"".join(parts)).digest()


def read_note(note: str, key: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint (C2SP signed note) that `key` has signed."""
    name, key_id, public = key.split("+", 2)
    raw = base64.b64decode(public)[1:]
    text, _, signatures = note.partition("\n\n")
    origin, size, root = text.split("\n")
    for line in signatures.splitlines():
        signed = base64.b64decode(line.split(" ")[-1])
        if line.startswith(f"\u2014 {name} ") and signed[:4].hex() == key_id and origin == name:
            Ed25519PublicKey.from_public_bytes(raw).verify(signed[4:], f"{text}\n".encode())
            return int(size), base64.b64decode(root)
    raise InvalidSignature


def verify(path: str, key: str) -> str:
    """What is wrong, in words, or nothing."""
    stack: list[bytes] = []
    size = signed = 0
    with open(path, encoding="utf-8") as lines:
        if json.loads(next(lines))["key"] != key:
            return "The export names another key."
        for line in lines:
            entry = json.loads(line)
            if "checkpoint" in entry:
                try:
                    claimed, root = read_note(entry["checkpoint"], key)
                except (InvalidSignature, ValueError):
                    return f"The checkpoint after leaf {size - 1} is not signed by the log."
                whole = stack[-1]
                for one in reversed(stack[:-1]):
                    whole = sha(b"\x01", one, whole)
                if (claimed, root) != (size, whole):
                    return f"Leaves {signed} to {size - 1} are not those that were signed."
                signed = size
                continue
            leaf = sha(b"\x00", entry["body"].encode())
            if entry["index"] != size:
                return f"Leaf {size} is missing."
            if leaf.hex() != entry["leaf"]:
                return f"Leaf {size} was altered."
            level = size
            while level & 1:
                leaf, level = sha(b"\x01", stack.pop(), leaf), level >> 1
            stack.append(leaf)
            size += 1
    print(f"{size} leaves, {signed} of them signed")
    return "" if size == signed else f"Leaves {signed} to {size - 1} are not signed."


if __name__ == "__main__":
    fault = verify(*sys.argv[1:])
    print(fault or "All is as it was signed.")
    sys.exit(1 if fault else 0)
