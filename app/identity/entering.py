"""Coming in: the one way in which any proof, ours or a provider's, becomes a session."""

import uuid

from flask import request

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.db.session import transaction
from app.identity import queries, service, session_store, sessions
from app.identity.rules import HALF, Method
from app.identity.sessions import KEEPER, browser_of
from app.web.requests import circumstances, current_work
from app.web.wiring import wiring


def enter(person_id: uuid.UUID, method: Method) -> uuid.UUID:
    """Begin a session of a person whose proof was just judged right; gives its id.

    The caller has judged the proof, and that the person has not left. `rules.is_complete` tells
    what the session opens. Side effects in order: the old session ends and the new one begins
    under a new token, and the security event, `SIGNED_IN` or for a half one `FIRST_PROOF`, each
    committed at once; with this request's work, a letter when the browser is a new one.
    """
    wired = wiring()
    with transaction(wired.engine, KEEPER, read_only=True) as db:
        new = session_store.is_new_browser(db, person_id, browser_of(request))
    session_id = sessions.sign_in(person_id, request, method)
    record_security_event(
        wired.engine,
        SecurityTag.FIRST_PROOF if method in HALF else SecurityTag.SIGNED_IN,
        circumstances(by=method.value, session=str(session_id)),
        person_id=person_id,
    )
    if new and method not in HALF and method is not Method.DEMO:
        work = current_work()
        person = queries.person(work.session, person_id)
        service.tell(work, person, "you signed in with a browser that we have not seen before")
    return session_id
