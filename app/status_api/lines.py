"""Answering one block of identifiers after another, each as if it were a request of its own."""

from collections.abc import Callable

from flask import request
from werkzeug.exceptions import Unauthorized

from app.audit.access import Seen
from app.authz.permissions import Permission
from app.authz.policy import may_ever
from app.db.session import Principal, Role, transaction
from app.status_api.lookups import LookupRecord, asked_on, look_up
from app.status_api.schemas import GivenStatus, StatusQuery
from app.status_api.streaming import Line
from app.web.requests import credential, current_actor, request_id
from app.web.wiring import wiring
from app.work import Work


class AnsweredLines:
    """The answers to the lines of one request; `note` keeps who asked about whom.

    `of_map`, where there is one, answers and records from the map of this host instead.

    A stream can last. So its token is looked at before every block but the first, for which the
    request's own was looked at, and each block counts as one request of the client's quota: a
    token that has ended, or was revoked, ends the stream. What has been answered is never known
    less of in a later block.
    """

    def __init__(
        self,
        query: StatusQuery,
        record: LookupRecord,
        note: Callable[[list[Seen]], None],
        of_map: Callable[[list[Line], StatusQuery], tuple[bytes, int]] | None = None,
    ) -> None:
        self._of_map = of_map
        self._note = note
        self._query = query
        self._record = record
        self._begun = False

    def __call__(self, block: list[Line]) -> bytes:
        """The answers as lines, recorded before they are given; refusals as for any look-up."""
        wired = wiring()
        actor = wired.recognise(request) if self._begun else current_actor()
        self._begun = True
        if not may_ever(actor, Permission.STATUS_READ):
            raise Unauthorized("The access token has ended.")
        if self._of_map is not None:
            told, newest = self._of_map(block, self._query)
            self._never_less(newest)
            return told
        asked = [None if line is None else asked_on(line) for line in block]
        principal = Principal(actor.principal, credential(), Role.API)
        with transaction(wired.engine, principal, read_only=True) as session:
            work = Work(
                session=session,
                actor=actor,
                now=wired.clock.now(),
                reactions=wired.reactions,
                request_id=request_id(),
            )
            given, seen = look_up(work, asked, self._query, self._record)
        self._note(seen)
        newest = max((one.seq for one in given if isinstance(one, GivenStatus)), default=0)
        self._never_less(newest)
        return b"".join(b"%b\n" % one.model_dump_json().encode() for one in given)

    def _never_less(self, seq: int) -> None:
        if seq > (self._query.min_seq or 0):
            self._query = self._query.model_copy(update={"min_seq": seq})
