"""For a line that is down: answers that were given once, while a signed list says they stand."""

import threading
from collections.abc import Mapping
from dataclasses import replace

from fairway_client.answer import Answer, UnusableError
from fairway_client.client import Fairway
from fairway_client.status_list import StatusList

A_DAY = 24 * 60 * 60.0


class LocalCopy:
    """Asks as `Fairway` does, and has something to say when nobody answers.

    Call `refresh` each minute, and `follow` as often as you like: it asks again for what has changed, so
    that the copy has something to say about a partner whose version the list has ended. Without an answer in time, what was answered for the identifier
    before is given again, as long as the newest list is not over and says that this very version
    stands, no date of it has come, and it is at most `seconds` old. Nothing else is ever kept: an
    identifier that was never asked for, or is no active partner's, is `unknown`.
    """

    def __init__(self, fairway: Fairway, *, seconds: float = A_DAY) -> None:
        self._fairway = fairway
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], Answer] = {}
        self._list: StatusList | None = None
        self._followed: int | None = None

    def status(self, scheme: str, value: str) -> Answer:
        """What the identifier's holder is; `why` is `kept` for an answer of this copy's."""
        found = self._fairway.status(scheme, value)
        with self._lock:
            if found.answer == "unknown":
                return self._given_again((scheme, value), found)
            if found.answer == "active" and found.index is not None:
                self._kept[scheme, value] = found
            else:
                self._kept.pop((scheme, value), None)
        return found

    def refresh(self) -> str:
        """Take the newest list; the word for why there is none, or an empty text.

        The list before is still good until its own end. What the new one does not let stand is
        forgotten for good, so that no later list can bring it back.
        """
        try:
            found = self._fairway.status_list()
        except UnusableError as error:
            return error.why
        at = self._fairway.now()
        with self._lock:
            if self._list is None or (found.seq, found.issued_at) >= (
                self._list.seq,
                self._list.issued_at,
            ):
                self._list = found
                self._kept = {
                    asked: one
                    for asked, one in self._kept.items()
                    # What was answered after the list was made is not in it yet.
                    if one.seq > found.seq or self._stands(one, at)
                }
        return ""

    def follow(self) -> str:
        """Read what has changed since the last time and ask again for those who are kept.

        The word for why it could not, or an empty text. Nobody signs the feed, so it can have an
        answer forgotten or asked for anew, and never lets one stand: that the list alone does.
        The first call begins at the oldest change up to which a kept answer knows everything.
        """
        try:
            while True:
                with self._lock:
                    if self._followed is None:
                        # What was answered is older than everything that comes after it.
                        oldest = min((one.seq for one in self._kept.values()), default=None)
                        self._followed = self._fairway.newest if oldest is None else oldest
                    after = self._followed
                found = self._fairway.changes(after)
                self._ask_again(found.partners)
                with self._lock:
                    self._followed = found.until
                if found.until >= found.head:
                    return ""
        except UnusableError as error:
            return error.why

    def _ask_again(self, partners: Mapping[str, int]) -> None:
        with self._lock:
            outdated = [
                asked
                for asked, one in self._kept.items()
                if partners.get(one.partner_id, 0) > one.seq
            ]
            for asked in outdated:
                del self._kept[asked]
        for scheme, value in outdated:
            self.status(scheme, value)

    def _given_again(self, asked: tuple[str, str], unknown: Answer) -> Answer:
        kept, at = self._kept.get(asked), self._fairway.now()
        if kept is None or self._list is None or not self._stands(kept, at):
            return unknown
        ends = min(self._list.expires_at, kept.changes_at, kept.read_at + self._seconds)
        return replace(kept, why="kept", read_at=at, expires_at=ends)

    def _stands(self, kept: Answer, at: float) -> bool:
        return (
            self._list is not None
            and kept.index is not None
            # A list that knows less than this program has seen elsewhere may lack a suspension.
            and self._list.seq >= self._fairway.newest
            and self._list.stands(kept.index, at=at)
            and kept.read_at <= at < min(kept.changes_at, kept.read_at + self._seconds)
        )
