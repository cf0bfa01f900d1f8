"""The status list: for every version of every partner's answer, whether it still stands.

The form is the Token Status List of the IETF (draft-ietf-oauth-status-list): two bits an entry,
packed from the lowest bit up, zlib, signed. A signed answer names its entry in `status`. An entry
is a version's number in the register, so the list says nothing about identifiers, and a number is
never given to another partner. What is not known to be good is `INVALID`, the list's filling.
"""

import base64
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app.register.queries import head
from app.register.versions import Validity, newest_versions
from app.status_api.signing import StatusSigner

MEDIA: Final = "application/statuslist+jwt"
BITS: Final = 2
LIFETIME: Final = timedelta(minutes=15)
TTL: Final = timedelta(seconds=60)
_A_BYTE: Final = 8 // BITS
_FILLING: Final = sum(Validity.INVALID << (BITS * place) for place in range(_A_BYTE))


@dataclass(frozen=True, slots=True)
class SignedList:
    """A list as it is handed out, and the change up to which it knows."""

    token: str
    seq: int
    made_at: datetime


class StatusLists:
    """Makes the list of one process, once for each state of the register and at most each minute."""

    def __init__(self, signer: StatusSigner) -> None:
        self._signer = signer
        self._lock = threading.Lock()
        self._made: SignedList | None = None

    def at(self, session: Session, now: datetime) -> SignedList:
        """The list for `now`; a kept one only while no change has come after it.

        `UnavailableError` with `register-stale` as `app.register.versions.newest_versions` says.
        """
        with self._lock:
            made = self._made
            if made is None or not (
                head(session, now=now).seq == made.seq and made.made_at <= now < made.made_at + TTL
            ):
                # Begun on a whole second, since that is what the token can say.
                since = now.replace(microsecond=0)
                versions = newest_versions(session, now=now, until=since + LIFETIME)
                claims = {
                    "iat": int(since.timestamp()),
                    "exp": int((since + LIFETIME).timestamp()),
                    "ttl": int(TTL.total_seconds()),
                    "seq": versions.head.seq,
                    "status_list": {
                        "bits": BITS,
                        "lst": packed(versions.known, versions.head.seq + 1),
                    },
                }
                made = SignedList(self._signer.sign_list(claims), versions.head.seq, now)
                self._made = made
        return made


def packed(known: Mapping[int, Validity], size: int) -> str:
    """`size` entries, those that are not `known` as `INVALID`, compressed, in base64url.

    A last byte that is not full is filled up alike.
    """
    found = bytearray([_FILLING]) * -(-size // _A_BYTE)
    for index, validity in known.items():
        place = BITS * (index % _A_BYTE)
        at = index // _A_BYTE
        found[at] = found[at] & ~(0b11 << place) | validity << place
    return base64.urlsafe_b64encode(zlib.compress(found, 9)).rstrip(b"=").decode()
