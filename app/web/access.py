"""Every route names one permission; one `before_request` enforces it; none named, no start."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from flask import Flask, current_app, g, redirect, request, url_for
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized
from werkzeug.wrappers import Response

from app.audit.access import Seen, record_access, record_security_event
from app.audit.tags import SecurityTag
from app.authz.actor import ActorKind
from app.authz.permissions import Permission
from app.authz.policy import may_ever
from app.kernel.errors import NotAllowedError
from app.web.kept import can_be_kept, kept
from app.web.requests import circumstances, current_actor
from app.web.wiring import wiring

View = TypeVar("View", bound=Callable[..., object])
MARK = "_permission"
REALM = "fairway"
API_PREFIXES = ("/api/", "/trader/", "/oauth/", "/.well-known/")


def requires(permission: Permission) -> Callable[[View], View]:
    """Mark a view with the permission that its route asks for; it wraps nothing."""

    def mark(view: View) -> View:
        setattr(view, MARK, permission)
        return view

    return mark


class UndeclaredRouteError(RuntimeError):
    """A route without `@requires`: the application does not start."""


def permission_of(app: Flask, endpoint: str) -> Permission | None:
    """The permission that an endpoint declares."""
    found = getattr(app.view_functions[endpoint], MARK, None)
    return found if isinstance(found, Permission) else None


def check_declared(app: Flask) -> None:
    """Refuse to start while any route declares nothing."""
    missing = sorted(
        rule.endpoint for rule in app.url_map.iter_rules() if not permission_of(app, rule.endpoint)
    )
    if missing:
        msg = f"Routes without a declared permission: {', '.join(missing)}"
        raise UndeclaredRouteError(msg)


def is_api() -> bool:
    """Whether the answer goes to a program, which gets problem+json instead of a page."""
    return request.path.startswith(API_PREFIXES)


def enforce() -> Response | None:
    """Recognise the actor, then ask the policy whether the route may ever be theirs."""
    if request.endpoint is None:
        return None
    permission = permission_of(current_app, request.endpoint)
    if permission is None:
        raise NotAllowedError("This address is not open to anyone.")
    wired = wiring()
    if request.endpoint == "static":
        return None
    g.actor = wired.recognise(request)
    actor = current_actor()
    if may_ever(actor, permission):
        return None
    if actor.kind in {ActorKind.ANONYMOUS, ActorKind.HALF}:
        if is_api():
            raise _token_needed()
        return kept() if can_be_kept() else _to_sign_in()
    record_security_event(
        wired.engine,
        SecurityTag.ACCESS_DENIED,
        circumstances(permission=permission.value, endpoint=request.endpoint),
        person_id=actor.person_id,
        client_id=actor.client_id,
    )
    if actor.kind is ActorKind.CLIENT:
        raise InsufficientScopeError(permission)
    raise NotAllowedError("Your role does not include this. Ask the officer of your company.")


class InsufficientScopeError(Forbidden):
    """The client's token is good, but not for this (RFC 6750 §3.1)."""

    problem_type = "urn:fairway:insufficient-scope"
    description = "The token does not carry the scope that this needs."

    def __init__(self, permission: Permission) -> None:
        super().__init__()
        self.challenge = WWWAuthenticate(
            "bearer",
            {"realm": REALM, "error": "insufficient_scope", "scope": permission.value},
        )

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        """Werkzeug's headers and the challenge."""
        return [
            *super().get_headers(*args, **kwargs),
            ("WWW-Authenticate", self.challenge.to_header()),
        ]


def _token_needed() -> Unauthorized:
    """401 with a challenge; it names an error only when a token was sent (RFC 6750 §3.1)."""
    facts = {"realm": REALM}
    description = "Send an access token of POST /oauth/token."
    if request.authorization is not None:
        facts["error"] = "invalid_token"
        description = "The access token is not accepted: it may be over, revoked or for elsewhere."
    return Unauthorized(description, www_authenticate=WWWAuthenticate("bearer", dict(facts)))


def _to_sign_in() -> Response:
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    address = f"{url_for('identity.sign_in')}?next={quote(here)}"
    if request.headers.get("HX-Request"):
        # A plain redirect would be followed by htmx, which would swap the sign-in page into
        # whatever element it was about to fill.
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address, code=303)


def note_broker(response: Response) -> Response:
    """Record that a broker's person saw a page of a trader that they act for.

    After the answer is made and before it is sent: what cannot be recorded is not shown.
    """
    trader_id = (request.view_args or {}).get("trader_id")
    actor = current_actor()
    shown = request.method == "GET" and response.status_code == HTTPStatus.OK
    if shown and actor.kind is ActorKind.PERSON and trader_id in actor.grants:
        note_access(Seen("page", request.endpoint or "", trader_id=trader_id))
    return response


def note_access(*seen: Seen) -> None:
    """Record that the agency, or an API client, looked at something; committed at once."""
    record_access(wiring().engine, current_actor(), seen, circumstances())
