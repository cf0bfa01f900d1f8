"""Flask's session, kept in PostgreSQL: the cookie holds a token and nothing else.

A row comes into being when something is first put into the session, and its token changes at
sign-in, so that nobody can hand another person a session that is already open. Every access is
a short transaction of its own, committed whatever the answer to the request.
"""

import secrets
import uuid
from datetime import datetime
from typing import Any

from flask import Flask, Request, Response, g, request, session
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import CallbackDict

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.db.session import Principal, Role, transaction
from app.identity import session_store
from app.identity.rules import CHALLENGE_WITHIN, Method
from app.identity.session_store import Browser, Found
from app.web.access import is_api
from app.web.requests import circumstances
from app.web.wiring import wiring

KEEPER = Principal("system:session", role=Role.ENTRY)
CHALLENGE = "challenge"
SHOWN = 300  # Characters of a browser's description that are kept.


class BrowserSession(CallbackDict[str, Any], SessionMixin):
    """The session of one request.

    `found` is the row as it was when the request began, unless it no longer counted: then
    `lapsed` says so. `token` is a new cookie's value. `failure` is the database's, kept for
    `app.identity.recognise`, which raises it where it becomes a proper answer.
    """

    def __init__(self, found: Found | None = None, *, kept: bool = True) -> None:
        super().__init__(None if found is None else dict(found.data), on_update=_note_change)
        self.found = found
        self.kept = kept
        self.lapsed = False
        self.modified = False
        self.token: str | None = None
        self.forget = False
        self.rotate = False
        self.failure: OperationalError | None = None

    @property
    def id(self) -> uuid.UUID | None:
        return None if self.found is None else self.found.id


def _note_change(changed: CallbackDict[str, Any]) -> None:
    assert isinstance(changed, BrowserSession)  # noqa: S101 - the only class that calls this.
    changed.modified = True


def this_session() -> BrowserSession:
    """The session of the current request, with its own type."""
    found = session._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    assert isinstance(found, BrowserSession)  # noqa: S101 - tells the type checker what opened it.
    return found


def browser_of(request: Request) -> Browser:
    """Where the request came from, as far as it can be shown to the person."""
    return Browser(
        address=request.remote_addr or "",
        user_agent=(request.user_agent.string or "")[:SHOWN],
    )


class PostgresSessions(SessionInterface):
    """The session interface; programs and static files have no session at all."""

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        if is_api() or request.path.startswith("/static/"):
            return BrowserSession(kept=False)
        token = request.cookies.get(self.get_cookie_name(app))
        if not token:
            return BrowserSession()
        wired = wiring()
        try:
            with transaction(wired.engine, KEEPER) as db:
                found = session_store.read(
                    db, token, now=wired.clock.now(), browser=browser_of(request)
                )
        except OperationalError as error:
            # Raised here it would be outside of Flask's error handling.
            empty = BrowserSession(kept=False)
            empty.failure = error
            return empty
        if found is None or found.lapse is None:
            return BrowserSession(found)
        if found.lapsed_now and found.person_id is not None:
            record_security_event(
                wired.engine,
                SecurityTag.SESSION_EXPIRED,
                circumstances(session=str(found.id), why=found.lapse.value),
                person_id=found.person_id,
            )
        lapsed = BrowserSession()
        lapsed.lapsed = found.person_id is not None
        return lapsed

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, BrowserSession)  # noqa: S101 - ours is the only kind.
        if not session.kept:
            return
        response.vary.add("Cookie")
        if session.modified and (session.found is not None or session):
            self._save(session)
        if session.rotate and session.id is not None and session.token is None:
            with transaction(wiring().engine, KEEPER) as db:
                session.token = session_store.change_token(db, session.id)
        name = self.get_cookie_name(app)
        fence = {
            "path": "/",
            "secure": self.get_cookie_secure(app),
            "httponly": True,
            "samesite": "Lax",
        }
        if session.token is not None:
            response.set_cookie(name, session.token, **fence)  # type: ignore[arg-type]
        elif session.forget:
            response.delete_cookie(name, **fence)  # type: ignore[arg-type]

    def _save(self, session: BrowserSession) -> None:
        wired = wiring()
        with transaction(wired.engine, KEEPER) as db:
            if session.found is not None:
                session_store.save(db, session.found.id, session)
            else:
                _, session.token = session_store.start(
                    db, now=wired.clock.now(), browser=browser_of(request), data=session
                )


def sign_in(person_id: uuid.UUID, request: Request, method: Method) -> uuid.UUID:
    """Begin a session of the person under a new token and give its id; the old one ends.

    `method` is by what they came, and decides what the session opens (`rules.is_complete`).
    Nothing of the old session is carried over, its form token neither. No event is recorded: see
    `entering.enter`, which does this and all that follows from it.
    """
    wired = wiring()
    now = wired.clock.now()
    current = this_session()
    with transaction(wired.engine, KEEPER) as db:
        if current.id is not None:
            session_store.end(db, current.id, now)
        session_id, token = session_store.start(
            db, now=now, browser=browser_of(request), person_id=person_id, method=method
        )
    current.clear()
    # The form token that was made for the old session is remembered for the request.
    g.pop("csrf_token", None)
    current.found = Found(id=session_id, data={}, fresh_at=now, person_id=person_id, method=method)
    current.token = token
    current.modified = False
    current.lapsed = False
    return session_id


def lasts_in_seconds() -> tuple[int, int] | None:
    """How long this person's session goes on, without a further request and at most."""
    found = this_session().found
    if found is None or found.lasts is None:
        return None
    idle, whole = found.lasts
    return int(idle.total_seconds()), int(whole.total_seconds())


def put_challenge(purpose: str) -> bytes:
    """Keep a new challenge for the browser's authenticator in the session, in place of any other."""
    challenge = secrets.token_bytes(32)
    this_session()[CHALLENGE] = {
        "challenge": challenge.hex(),
        "purpose": purpose,
        "at": wiring().clock.now().isoformat(),
    }
    return challenge


def take_challenge(purpose: str) -> bytes | None:
    """The challenge that was kept for this purpose up to five minutes ago; it is good for once.

    The row is locked while it is taken, so that two answers at once cannot both use it.
    """
    wired = wiring()
    current = this_session()
    current.pop(CHALLENGE, None)
    if current.id is None:
        return None
    with transaction(wired.engine, KEEPER) as db:
        kept = session_store.take(db, current.id, CHALLENGE)
    if not isinstance(kept, dict) or kept.get("purpose") != purpose:
        return None
    if wired.clock.now() >= datetime.fromisoformat(kept["at"]) + CHALLENGE_WITHIN:
        return None
    return bytes.fromhex(kept["challenge"])


def sign_out() -> None:
    """End the current session and take its cookie back."""
    wired = wiring()
    current = this_session()
    if current.id is not None:
        with transaction(wired.engine, KEEPER) as db:
            session_store.end(db, current.id, wired.clock.now())
    current.clear()
    current.found = None
    current.token = None
    current.modified = False
    current.forget = True


def mark_fresh() -> datetime:
    """Note that the person has just proved again who they are, and give the instant.

    The token changes, as at sign-in: what somebody may have overheard before is worth nothing. It
    does so at the end of the request, whose own transactions are still bound to the old one.
    """
    wired = wiring()
    now = wired.clock.now()
    current = this_session()
    if current.id is not None:
        with transaction(wired.engine, KEEPER) as db:
            session_store.mark_fresh(db, current.id, now)
        current.rotate = True
    return now
