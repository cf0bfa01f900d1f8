"""A file that came with a form which has to be corrected first: kept for a day, for its sender.

A page cannot put a file back into its field, so without this whoever mistyped a date would have to
look for the file again, and might take another one. What is held is no document yet: it is judged
and scanned when the form is accepted, as if it had just been chosen.

It is sealed (see `app.documents.sealed`) under a key of its own purpose and bound to the person,
the address of the form and the file's name. So the mark that the page carries opens it for nobody
else, on no other page and under no other name.
"""

import io
import tempfile
import uuid
from datetime import datetime, timedelta
from typing import BinaryIO, Final, NamedTuple, cast

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.documents.files import files, held_key_of
from app.documents.rules import LIMIT, clean_filename
from app.documents.sealed import CHUNK, FileKey, Seal, unsealed
from app.kernel.errors import UnavailableError
from app.work import Work

KEPT_FOR: Final = timedelta(days=1)
MOST: Final = 5
"""Files that are held for one person; the next one takes the place of the oldest."""


class Held(NamedTuple):
    """A file that was held, whole in memory as every upload is."""

    filename: str
    stream: BinaryIO


def hold(work: Work, secret: str, *, place: str, filename: str, stream: BinaryIO) -> str:
    """Hold a file for the actor and return the mark by which `fetch` gives it back.

    `place` is the address that the form is sent to. Returns "" for a file over 25 MB, which no
    form accepts. Side effects in order: the file in its place; the oldest ones of the same person
    beyond `MOST` go. No row and no event: nothing was acknowledged.
    """
    name = clean_filename(filename)
    person_id, hold_id = _person(work), work.new_id()
    with tempfile.SpooledTemporaryFile(max_size=LIMIT + CHUNK) as spooled:
        seal = Seal(cast("BinaryIO", spooled), _file_key(secret))
        size = 0
        stream.seek(0)
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > LIMIT:
                return ""
            seal.write(chunk)
        seal.close(_bound_to(person_id, place, hold_id, name))
        files().put_held(person_id, hold_id, cast("BinaryIO", spooled))
    for one in files().held(person_id)[MOST:]:
        files().drop_held(one.key)
    return f"{hold_id}/{name}"


def fetch(work: Work, secret: str, *, place: str, mark: str) -> Held | None:
    """The file of a mark that the actor was given for `place`; `None` when there is none now."""
    hold_text, _, name = mark.partition("/")
    try:
        hold_id = uuid.UUID(hold_text)
    except ValueError:
        return None
    person_id = _person(work)
    key = held_key_of(person_id, hold_id)
    if not any(
        one.key == key and one.since > work.now - KEPT_FOR for one in files().held(person_id)
    ):
        return None
    try:
        sealed = files().read_held(key)
        bound = _bound_to(person_id, place, hold_id, name)
        with unsealed(sealed, _file_key(secret), bound) as stream:
            return Held(name, io.BytesIO(stream.read()))
    except UnavailableError:
        return None


def let_go(now: datetime) -> int:
    """Delete what was held for longer than a day; return how many files went."""
    old = [one for one in files().held() if one.since <= now - KEPT_FOR]
    for one in old:
        files().drop_held(one.key)
    return len(old)


def _person(work: Work) -> uuid.UUID:
    assert work.actor.person_id is not None  # noqa: S101 - only people are shown forms.
    return work.actor.person_id


def _bound_to(person_id: uuid.UUID, place: str, hold_id: uuid.UUID, name: str) -> bytes:
    return "\n".join(("held", str(person_id), place, str(hold_id), name)).encode()


def _file_key(secret: str) -> FileKey:
    """Keys that nothing else uses; each file has one, from its own salt."""

    def key(salt: bytes) -> bytes:
        return HKDF(SHA256(), 32, salt=salt, info=b"fairway held file").derive(secret.encode())

    return key
