"""The one place that turns refusals into answers: a page, a fragment, or problem+json."""

from collections.abc import Sequence
from http import HTTPStatus

from flask import Response, current_app, jsonify, make_response, render_template, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from app.authz.permissions import Permission
from app.kernel.errors import (
    ConflictError,
    DomainError,
    IllegalTransitionError,
    NotAllowedError,
    NotFoundError,
    NotReadyError,
    Problem,
    UnavailableError,
)
from app.web.access import is_api, permission_of
from app.web.kept import can_be_kept, kept
from app.web.requests import FairwayApp, request_id

STATUS_OF: dict[type[DomainError], HTTPStatus] = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    NotAllowedError: HTTPStatus.FORBIDDEN,
    NotReadyError: HTTPStatus.UNPROCESSABLE_ENTITY,
    IllegalTransitionError: HTTPStatus.CONFLICT,
    ConflictError: HTTPStatus.CONFLICT,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    DomainError: HTTPStatus.BAD_REQUEST,
}


def translate(message: str, params: object = None) -> str:
    """A domain message in the reader's language."""
    values = dict(params) if isinstance(params, dict) else {}
    return gettext(message, **values) if values else gettext(message)


def problem_json(
    status: int,
    title: str,
    *,
    kind: str = "about:blank",
    detail: str = "",
    errors: Sequence[dict[str, str]] = (),
) -> Response:
    """An RFC 9457 answer. `errors` hold `pointer` (RFC 6901), `code` and `detail`."""
    body: dict[str, object] = {"type": kind, "title": title, "status": status}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = list(errors)
    body["instance"] = f"urn:request:{request_id()}"
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def pointer(field: str | None) -> str:
    """The JSON pointer of a dotted field name."""
    return "" if not field else "/" + field.replace(".", "/")


def as_members(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """Problems as members of a problem+json body."""
    return [
        {
            "pointer": pointer(problem.field),
            "code": problem.code,
            "detail": translate(problem.message, problem.params),
        }
        for problem in problems
    ]


def _answer(
    status: int,
    message: str,
    *,
    problems: Sequence[Problem] = (),
    kind: str = "about:blank",
) -> Response:
    title = HTTPStatus(status).phrase
    if is_api():
        return problem_json(status, title, kind=kind, detail=message, errors=as_members(problems))
    partial = request.headers.get("HX-Request-Type") == "partial"
    body = render_template(
        "errors/fragment.html" if partial else "errors/error.html",
        code=status,
        message=message,
        problems=problems,
        reference=request_id(),
    )
    response = make_response(body, status)
    if partial:
        # The control that sent the request stays as it is, with what was typed in it; only the
        # alert region is filled.
        response.headers["HX-Retarget"] = "#alerts"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def domain_error(error: DomainError) -> Response:
    """A refusal by the domain."""
    status = next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)
    problems = error.problems if isinstance(error, NotReadyError) else ()
    kind = f"urn:fairway:{error.code}" if isinstance(error, UnavailableError) else "about:blank"
    return _answer(status, translate(error.message, error.params), problems=problems, kind=kind)


def http_error(error: HTTPException) -> Response:
    """A refusal by Flask or Werkzeug; a redirect keeps its own answer."""
    if error.code is None or error.code < 400 or error.response is not None:  # noqa: PLR2004
        return make_response(error.get_response())
    # A program is told what is wrong with its token or quota; a page's words stand in its template.
    told = (error.code in {401, 403} or hasattr(error, "problem_type")) and is_api()
    answer = _answer(
        error.code,
        error.description or "" if told else "",
        kind=getattr(error, "problem_type", "about:blank"),
    )
    for name, value in error.get_headers():
        if name.lower() in {"retry-after", "allow", "www-authenticate"}:
            answer.headers[name] = value
    return answer


def csrf_error(_error: CSRFError) -> Response:
    """The form's token does not fit the session, mostly because that session has ended."""
    asked = permission_of(current_app, request.endpoint) if request.endpoint else None
    if asked not in {None, Permission.PUBLIC, Permission.DEMO_USE} and can_be_kept():
        return kept()
    return _answer(
        HTTPStatus.BAD_REQUEST,
        gettext(
            "Your session has ended, or this page was open for too long. Go back, reload the page"
            " and send the form again; your browser usually keeps what you typed."
        ),
    )


CLASHES = frozenset({"23505", "23P01", "40001", "40P01"})
"""SQLSTATE of what two people at once can cause: a key or a range taken, a deadlock."""


def database_error(error: DBAPIError) -> Response:
    """A clash of two requests is 409, at a flush as at the commit; an absent database is 503.

    Anything else that the database refuses is our own mistake, and answered as one.
    """
    if getattr(error.orig, "sqlstate", None) in CLASHES:
        return stale(None)
    if isinstance(error, OperationalError):
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "")
    raise error


def stale(_error: StaleDataError | None) -> Response:
    """Somebody else was faster; whatever this request did was rolled back."""
    return domain_error(
        ConflictError(
            "Somebody else changed this at the same moment. Nothing of yours was saved, and"
            " nothing was done twice. Go back, reload the page and try again."
        )
    )


def register_error_handlers(app: FairwayApp) -> None:
    """Connect the handlers above; anything unforeseen is Flask's 500 through `http_error`."""
    app.register_error_handler(DomainError, domain_error)
    app.register_error_handler(CSRFError, csrf_error)
    app.register_error_handler(DBAPIError, database_error)
    app.register_error_handler(StaleDataError, stale)
    app.register_error_handler(HTTPException, http_error)
