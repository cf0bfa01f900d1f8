"""What a request of the internal API takes from the map of its process, and where it is recorded."""

from collections.abc import Sequence

from flask import current_app

from app.kernel.errors import UnavailableError
from app.status_api.bulk import Told, look_up_all
from app.status_api.common_form import Members, members_of_lines
from app.status_api.joined import Seen, joined
from app.status_api.kept import lookup_record
from app.status_api.lookups import asked_on
from app.status_api.recording import LookupRecorder
from app.status_api.register_map import MapReader, StaleMapError
from app.status_api.rendering import instant_text, microseconds
from app.status_api.schemas import AskedIdentifier, StatusQuery
from app.status_api.streaming import Line
from app.web.requests import current_actor
from app.web.wiring import wiring


def register_map() -> MapReader | None:
    """The map of this host's register; `None` in a process that asks the database itself."""
    found: MapReader | None = current_app.extensions.get("fairway_register_map")
    return found


def stale() -> UnavailableError:
    """What a look-up answers when nobody confirms that the register is what we know."""
    return UnavailableError("The register cannot be read afresh just now.", code="register-stale")


def recorder() -> LookupRecorder:
    """The recorder of this process."""
    known = current_app.extensions
    if "fairway_lookups" not in known:
        wired = wiring()
        known["fairway_lookups"] = LookupRecorder(wired.engine, wired.clock)
    found: LookupRecorder = known["fairway_lookups"]
    return found


def of_the_map(query: StatusQuery) -> bool:
    """Whether the map can answer: not about another instant, and not for one programme."""
    return register_map() is not None and not (query.programme or query.valid_at or query.known_at)


def statuses_of_map(asked: Sequence[AskedIdentifier | None], query: StatusQuery) -> Told:
    """Many answers for now, recorded; refuses as a single look-up does."""
    reader = register_map()
    client_id = current_actor().client_id
    assert reader is not None  # noqa: S101 - asked before; said for the type checker.
    assert client_id is not None  # noqa: S101 - only clients have the scope; for the type checker.
    try:
        told = look_up_all(
            reader,
            asked,
            lookup_record(),
            client_id=client_id,
            now=wiring().clock.now(),
            min_seq=query.min_seq,
        )
    except StaleMapError as error:
        raise stale() from error
    recorder().note_lines(told.lines)
    return told


def lines_of_map(block: Sequence[Line], query: StatusQuery) -> tuple[bytes, int]:
    """The answers to a block of lines, each with its end, recorded; and the newest change."""
    members = members_of_lines(block)
    quick = None if members is None else _members_of_map(members, query)
    if quick is not None:
        return quick
    told = statuses_of_map([None if one is None else asked_on(one) for one in block], query)
    return b"".join(b"%b\n" % one for one in told.answers), told.seq


def _members_of_map(members: Members, query: StatusQuery) -> tuple[bytes, int] | None:
    """The same for what is written in the common form; `None` where that is not enough."""
    reader, client_id = register_map(), current_actor().client_id
    assert reader is not None  # noqa: S101 - asked before; said for the type checker.
    at = microseconds(wiring().clock.now())
    try:
        seen = Seen(*reader.look_all(members.keys))
        if seen.meta.seq < (query.min_seq or 0):
            return None
        told = joined(reader, members, seen, lookup_record(), at=at, between=b"\n")
    except StaleMapError as error:
        raise stale() from error
    if told is None:
        return None
    recorder().refuse_if_late()
    recorder().note_blocks(told.recorded, instant_text(at), str(client_id).encode(), seen.meta.seq)
    return b"".join(b"%b\n" % one for one in told.parts), seen.meta.seq
