"""What a letter says when something about an API client has changed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.audit.tags import EventTag


@dataclass(frozen=True, slots=True)
class Told:
    """Subject line, what happened, and what the reader can do. `%(until)s` is an instant."""

    subject: str
    happened: str
    advice: str


NOT_YOU = (
    "If nobody of yours wanted this, revoke the client at once on its page in Fairway, and look"
    " through the people who may register programs."
)
TOLD: Mapping[EventTag, Told] = {
    EventTag.CLIENT_CREATED: Told(
        "New API client",
        "A program was registered. With its secret or key it can use the API from now on.",
        NOT_YOU,
    ),
    EventTag.CREDENTIAL_ADDED: Told(
        "New secret or key of an API client",
        "The program got a new secret or key. Those it had before work until %(until)s.",
        NOT_YOU,
    ),
    EventTag.CREDENTIAL_ENDED: Told(
        "A secret or key was revoked",
        "One secret or key of the program was revoked. Whoever holds it is out.",
        "If the program still used it, give it another one.",
    ),
    EventTag.CLIENT_REVOKED: Told(
        "API client revoked",
        "The program was revoked for good. Its secrets, keys and tokens open nothing any more.",
        "If it is still needed, register a new client.",
    ),
    EventTag.CLIENT_WARNED: Told(
        "Nobody uses this API client",
        "The program has not been used for a long time. Unless it is used before, it will be"
        " suspended on %(until)s or soon after.",
        "If it is still needed, let it ask for a token once. If not, revoke it.",
    ),
    EventTag.CLIENT_SUSPENDED: Told(
        "API client suspended",
        "Nobody has used the program for a long time, so it was suspended. Its secrets, keys and"
        " tokens open nothing until somebody wakes it.",
        "You can wake it on the page of your API clients. If nobody needs it, revoke it there.",
    ),
    EventTag.CLIENT_WOKEN: Told(
        "API client works again",
        "The program was woken. Its secrets and keys work again.",
        NOT_YOU,
    ),
    EventTag.CLIENT_QUOTA_SET: Told(
        "Quota of an API client changed",
        "The agency has changed how many requests the program may send.",
        "The page of the client shows what holds now.",
    ),
}
UNTIL: Mapping[EventTag, str] = {
    EventTag.CREDENTIAL_ADDED: "earlier_end_at",
    EventTag.CLIENT_WARNED: "suspended_from",
}
"""Where an event keeps the instant that its letter names."""
