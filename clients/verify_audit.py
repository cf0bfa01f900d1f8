"""Verify an export or a receipt of Fairway's audit log, with Python and `cryptography` alone.

    python verify_audit.py EXPORT KEY [CHECKPOINT] [--witness KEY]
    python verify_audit.py RECEIPT.tlog-proof KEY [--witness KEY]

KEY is the log's public key in its text form, from the agency's notice board and not from the file.
CHECKPOINT is a file with a checkpoint that was kept elsewhere: the export must have grown from it. Only
this finds an export that was cut off at an earlier checkpoint and closed again. What a witness keeps is such
a file. With --witness, the witness's public key, everything must also be cosigned by it, so that nobody was
shown another log. One pass; exit 1 at the first thing that is not as it was signed, with its place.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterator

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha(*parts: bytes) -> bytes:
    """SHA-256 of the parts in a row."""
    return hashlib.sha256(b"".join(parts)).digest()


PROOF = "c2sp.org/tlog-proof@v1"


def unbase64(text: str) -> bytes:
    """The bytes of base64 that is written in the one right way."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError
    return raw


def read_note(note: str, key: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint (C2SP signed note) that `key` has signed."""
    name, key_id, public = key.split("+", 2)
    raw = base64.b64decode(public)[1:]
    text, _, signatures = note.partition("\n\n")
    origin, size, root = text.split("\n")
    for line in signatures.splitlines():
        signed = unbase64(line.split(" ")[-1])
        if line.startswith(f"\u2014 {name} ") and signed[:4].hex() == key_id and origin == name:
            Ed25519PublicKey.from_public_bytes(raw).verify(signed[4:], f"{text}\n".encode())
            return int(size), unbase64(root)
    raise InvalidSignature


def cosigned(note: str, witness: str) -> bool:
    """Whether `witness` has cosigned this checkpoint (C2SP cosignature/v1)."""
    name, key_id, public = witness.split("+", 2)
    text, _, signatures = note.partition("\n\n")
    for line in signatures.splitlines():
        signed = unbase64(line.split(" ")[-1])
        if line.startswith(f"\u2014 {name} ") and signed[:4].hex() == key_id:
            message = f"cosignature/v1\ntime {int.from_bytes(signed[4:12])}\n{text}\n".encode()
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public)[1:])
            key.verify(signed[12:], message)
            return True
    return False


def verify(path: str, key: str, kept: str = "", witness: str = "") -> str:
    """What is wrong, in words, or nothing."""
    try:
        with open(path, encoding="utf-8", newline="") as lines:
            if lines.read(len(PROOF)) == PROOF:
                return check_receipt(PROOF + lines.read(), key, witness)
            lines.seek(0)
            return check(lines, key, kept, witness)
    except (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError):
        return "The export is cut off or is none: a line is not of the form."


def root_of(stack: list[bytes]) -> bytes:
    """The root over the complete subtrees so far."""
    whole = stack[-1]
    for one in reversed(stack[:-1]):
        whole = sha(b"\x01", one, whole)
    return whole


def climb(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that the path from this leaf leads to (RFC 9162, 2.1.3.2); `ValueError` if none."""
    here, last = index, size - 1
    for one in path:
        if here & 1 or here == last:
            leaf = sha(b"\x01", one, leaf)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            leaf = sha(b"\x01", leaf, one)
        here, last = here >> 1, last >> 1
    if not 0 <= index < size or last:
        raise ValueError
    return leaf


def check_receipt(text: str, key: str, witness: str) -> str:
    """What is wrong with this receipt; what it shows is printed."""
    proof, _, note = text.partition("\n\n")
    _, extra, index, *path = proof.split("\n")
    held = unbase64(extra.removeprefix("extra ")).decode()
    told = json.loads(held)
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    whole = f"{PROOF}\n{extra}\nindex {int(index.split(' ')[1])}" + "".join(
        f"\n{one}" for one in path
    )
    filing = {"content", "entry", "index", "path"}
    if (canonical, whole, extra[:6]) != (held, proof, "extra ") or not note.endswith("\n"):
        return "The receipt is not of the form."
    if not all(one.startswith("\u2014 ") for one in note.partition("\n\n")[2][:-1].split("\n")):
        return "The receipt is not of the form."
    if told["format"] != "fairway-receipt/1" or set(told) - {"format", "body"} not in (
        set(),
        filing,
    ):
        return "The receipt is of a form that this program does not know."
    try:
        size, root = read_note(note, key)
    except (InvalidSignature, ValueError):
        return "The checkpoint is not signed by the log."
    try:
        if witness and not cosigned(note, witness):
            return "The checkpoint is not cosigned by the witness."
    except (InvalidSignature, ValueError):
        return "The cosignature of the checkpoint is not good."
    hashes = [unbase64(one) for one in path]
    if climb(sha(b"\x00", told["body"].encode()), int(index[6:]), size, hashes) != root:
        return "The event is not in the log that was signed."
    event = json.loads(told["body"])["event"]
    shown = [f"{event['tag']} at {event['at']}, leaf {index[6:]} of {size} signed", told["body"]]
    if filing <= set(told):
        entry, data = json.loads(told["entry"]), event["data"]
        hashes = [bytes.fromhex(one) for one in told["path"]]
        leaf = sha(b"\x00", told["entry"].encode())
        if climb(leaf, told["index"], data["accepted"], hashes).hex() != data["filings_root"]:
            return "The filing is not among those that the event vouches for."
        if (
            sha(told["content"].encode()).hex() != entry["sha256"]
            or [one.hex() for one in hashes] != told["path"]
        ):
            return "The content is not what was filed."
        shown += [told["entry"], told["content"]]
    print("\n".join(shown))
    return ""


def check(lines: Iterator[str], key: str, kept: str, witness: str = "") -> str:
    """What is wrong with these lines."""
    stack: list[bytes] = []
    size = signed = seen = 0
    end, outside = -1, None
    if kept:
        with open(kept, encoding="utf-8") as note:
            try:
                outside = read_note(note.read(), key)
            except (InvalidSignature, ValueError):
                return "The checkpoint that was kept elsewhere is not signed by the log."
    if json.loads(next(lines))["key"] != key:
        return "The export names another key."
    for line in lines:
        entry = json.loads(line)
        if end >= 0:
            return "Something follows after the end."
        if "end" in entry:
            end = entry["end"]
            continue
        if "checkpoint" in entry:
            try:
                claimed, root = read_note(entry["checkpoint"], key)
            except (InvalidSignature, ValueError):
                return f"The checkpoint after leaf {size - 1} is not signed by the log."
            if not stack or (claimed, root) != (size, root_of(stack)):
                return f"Leaves {signed} to {size - 1} are not those that were signed."
            signed = size
            try:
                if witness and cosigned(entry["checkpoint"], witness):
                    seen = size
            except (InvalidSignature, ValueError):
                return f"The cosignature of the checkpoint after leaf {size - 1} is not good."
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
        if outside and size == outside[0] and root_of(stack) != outside[1]:
            return f"The first {size} leaves are not those of the checkpoint kept elsewhere."
    if end != size:
        return f"The export is cut off: its end is missing after {size} leaves."
    if outside and size < outside[0]:
        return f"The tail is cut off: {outside[0]} leaves were signed, {size} are here."
    print(f"{size} leaves, {signed} of them signed" + (f", {seen} cosigned" if witness else ""))
    if size != signed:
        return f"Leaves {signed} to {size - 1} are not signed."
    return "" if seen == size or not witness else f"Leaves {seen} to {size - 1} are not cosigned."


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="Verify an export or a receipt.")
    asked.add_argument("file", metavar="EXPORT_OR_RECEIPT")
    asked.add_argument("key")
    asked.add_argument("checkpoint", nargs="?", default="")
    asked.add_argument("--witness", default="", metavar="KEY")
    given = asked.parse_args()
    fault = verify(given.file, given.key, given.checkpoint, given.witness)
    print(fault or "All is as it was signed.")
    sys.exit(1 if fault else 0)
