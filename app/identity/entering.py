"""Coming in: the one way in which any proof, ours or a provider's, becomes a session."""

import uuid

from flask import request

from app.audit.access import record_security_event
from app.audit.tags import SecurityTag
from app.identity import sessions
from app.identity.rules import Method
from app.web.requests import circumstances
from app.web.wiring import wiring


def enter(person_id: uuid.UUID, method: Method) -> uuid.UUID:
    """Begin a session of a person whose proof was just judged right; gives its id.

    The caller has judged the proof, and that the person has not left. Side effects in order, each
    committed at once: the old session ends and the new one begins under a new token; the
    security event `SIGNED_IN`.
    """
    session_id = sessions.sign_in(person_id, request, method)
    record_security_event(
        wiring().engine,
        SecurityTag.SIGNED_IN,
        circumstances(by=method.value, session=str(session_id)),
        person_id=person_id,
    )
    return session_id
