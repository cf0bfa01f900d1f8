"""One request, one transaction, one owner: the unit of work is opened and committed here."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flask import Response, current_app, g, request
from flask_openapi import OpenAPI

from app.audit.access import Circumstances
from app.authz.actor import ANONYMOUS, Actor, ActorKind
from app.db.session import BoundSession, Principal, Role, has_login
from app.kernel.ids import new_id
from app.web.wiring import wiring
from app.work import Work

LANE = "/api/v1/partners/"
BULK_LANE = "/api/v1/statuses"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
View = TypeVar("View", bound=Callable[..., object])
BY_LINK = "_by_link"
WRITING_GETS = "_writes_on_get"


class FairwayApp(OpenAPI):
    """Flask, with the commit inside `dispatch_request`.

    Not in `after_request`: an error at commit would skip the error handlers there and reach the
    person as a bare 500, while from here a clash of two reviewers becomes the 409 it is.

    `lane` is what answers addresses that begin with `LANE` before Flask sees them, if anything,
    and `bulk_lane` the same for `BULK_LANE`.
    """

    lane: Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]] | None = None
    bulk_lane: Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]] | None = None

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """One request, through the lane if it is for it."""
        path = environ["PATH_INFO"]
        if self.lane is not None and path.startswith(LANE):
            return self.lane(environ, start_response)
        if self.bulk_lane is not None and path == BULK_LANE:
            return self.bulk_lane(environ, start_response)
        return self.wsgi_app(environ, start_response)

    def dispatch_request(self) -> Any:  # noqa: ANN401 - Flask's own signature.
        try:
            response = self.make_response(super().dispatch_request())
            _finish(response)
        except Exception:
            _abandon()
            raise
        return response


def current_actor() -> Actor:
    """Who is asking; set by `app.web.access` before any view runs."""
    actor = g.get("actor", ANONYMOUS)
    assert isinstance(actor, Actor)  # noqa: S101 - tells the type checker what access set.
    return actor


def credential() -> str:
    """The opaque token that the actor came with, for the database; set beside the actor."""
    return str(g.get("credential", ""))


def request_id() -> str:
    """The id of this request, which the person can quote and the log carries."""
    if "request_id" not in g:
        g.request_id = new_id().hex
    return str(g.request_id)


def current_work() -> Work:
    """The one unit of work of this request, begun at the first call.

    A safe method runs in a read-only transaction, so that a stray write fails in the database.
    """
    if "work" not in g:
        wired = wiring()
        actor = current_actor()
        session = BoundSession(
            wired.engine,
            Principal(actor.principal, credential(), _role(actor)),
            read_only=request.method in SAFE_METHODS,
        )
        g.work = Work(
            session=session,
            actor=actor,
            now=wired.clock.now(),
            reactions=wired.reactions,
            request_id=request_id(),
        )
    work = g.work
    assert isinstance(work, Work)  # noqa: S101 - tells the type checker what was set above.
    return work


def settle() -> None:
    """Commit what this request has done so far.

    For the one case in which a short transaction of its own refers to a row that is only just
    being made: the session of a person who has just joined. What follows must not fail.
    """
    current_work().session.commit()


def by_link(view: View) -> View:
    """Mark a view whose authority is not who is signed in.

    Such are a secret link, signing in and up, perhaps in the place of somebody else who sits at the
    same browser, and the demonstration. It runs in the role of the entry, which sees everybody's ways in, so it must look
    for nothing but what the link or the proof names.
    """
    setattr(view, BY_LINK, True)
    return view


def _role(actor: Actor) -> Role:
    """Rows of other traders do not exist for a trader's people and programs, whatever is asked.

    At a surface without the console the agency's people are people as any.
    """
    if actor.kind is ActorKind.CLIENT:
        return Role.API
    view = current_app.view_functions.get(request.endpoint or "")
    if actor.kind is ActorKind.PERSON and not hasattr(view, BY_LINK):
        staff = actor.is_agency and has_login(wiring().engine, Role.CONSOLE)
        return Role.CONSOLE if staff else Role.PORTAL
    return Role.ENTRY


def circumstances(**data: object) -> Circumstances:
    """Where this request came from, for the short transactions of `app.audit.access`."""
    return Circumstances(
        at=wiring().clock.now(),
        address=request.remote_addr or "",
        request_id=request_id(),
        data=dict(data),
    )


def _finish(response: Response) -> None:
    work: Work | None = g.get("work")
    if work is None:
        return
    if response.status_code >= 400:  # noqa: PLR2004 - the border that HTTP draws.
        work.session.rollback()
        return
    work.session.commit()


def _abandon() -> None:
    work: Work | None = g.get("work")
    if work is not None:
        work.session.rollback()


def close_work(_error: BaseException | None = None) -> None:
    """Give the connection back when the request is torn down."""
    work: Work | None = g.pop("work", None)
    if work is not None:
        work.session.close()
