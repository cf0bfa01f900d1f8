"""Requests of one meaning: one host, one value for each name, one kind of body; else a refusal.

Two programs that read the same request differently are how a check is passed by and how a cache
is poisoned, so what could be read in two ways is not read at all (OWASP ASVS 5.0, 4.1.3, 15.3.7).
`X-Forwarded-*` counts only through the proxies that FAIRWAY_TRUSTED_PROXIES numbers, and no header
or field can change the method of a request.
"""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from io import BytesIO
from ipaddress import ip_address
from typing import IO, Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import Request, current_app, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from app.config import Settings
from app.web.wiring import wiring

View = TypeVar("View", bound=Callable[..., object])
MARK: Final = "_repeats"
URLENCODED: Final = "application/x-www-form-urlencoded"
FORMS: Final = frozenset({URLENCODED, "multipart/form-data"})
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
# These read their own bodies, as a stream or as JSON, and answer 415 themselves.
READS_ITSELF: Final = ("/api/", "/trader/")
PORTS: Final = {"http": 80, "https": 443}

of_forms: Final[set[str]] = set()
"""The names that some form declares as a choice of several; `app.web.forms` fills it."""


class FairwayRequest(Request):
    """A request whose uploads stay in memory, within the limit that every body has.

    The library would spool a large one into a plain file of the system's temporary folder, where
    a copy of somebody's importer numbers would lie unsealed. A body is at most
    `MAX_CONTENT_LENGTH` long, and a process reads as many at once as it has threads.
    """

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        del total_content_length, content_type, filename, content_length
        return BytesIO()


def repeats(*patterns: str, silent_controls: bool = False) -> Callable[[View], View]:
    """Mark a view whose form is read by hand and may send these names more than once.

    With `silent_controls`, any name may come a second time after an empty value: such is the
    hidden control before radio buttons, which lets the page say "unanswered".
    """

    def mark(view: View) -> View:
        setattr(view, MARK, (patterns, silent_controls))
        return view

    return mark


def check_host() -> None:
    """400 unless the request names a host that is ours (ASVS 5.0, 4.1.3)."""
    if not is_ours(request.host, wiring().settings):
        raise BadRequest


def is_ours(host: str, settings: Settings) -> bool:
    """Whether a `Host` header names us: the public address, or this machine to itself.

    A server that is bound to every address of its machine and was told no public one also takes
    an IP address: a number cannot be pointed at us by somebody else's name server.
    """
    try:
        named = urlsplit(f"//{host}")
        name, port = _name(named.hostname), named.port
    except ValueError:
        return False
    if not name or host != named.netloc or "@" in host:
        return False
    # Probes and agents of the same machine ask by these; no browser takes them for our name.
    if name in LOOPBACK:
        return True
    if settings.public_url:
        public = urlsplit(settings.address)
        standard = PORTS.get(public.scheme)
        wanted = (_name(public.hostname), public.port or standard)
        return (name, port or standard) == wanted
    if settings.host in {"0.0.0.0", "::"}:  # nosec B104  # noqa: S104 - compared, not bound.
        return _is_number(name)
    return name == _name(settings.host)


def _name(host: str | None) -> str:
    text = (host or "").lower()
    return f"[{text}]" if ":" in text else text


def _is_number(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def check_query() -> None:
    """400 when a name stands twice in the query."""
    if any(len(values) > 1 for _, values in request.args.lists()):
        raise BadRequest


def check_form() -> None:
    """400 when a name stands twice in a form that did not declare it; 415 for any other body.

    A body beyond the limit is refused before it is read (413), by its length if it tells one.
    """
    if request.endpoint in {None, "static"} or request.path.startswith(READS_ITSELF):
        return
    if request.mimetype not in FORMS:
        if request.mimetype or request.content_length:
            raise UnsupportedMediaType
        return
    if request.mimetype == URLENCODED:
        # The library reads such a form in one piece, so its own limit for fields does not apply.
        request.max_content_length = current_app.config["MAX_FORM_MEMORY_SIZE"]
    patterns, silent = getattr(_view(), MARK, ((), False))
    for name, values in _sent():
        first = values[0]
        a_silent_control = silent and len(values) == 2 and first == ""  # noqa: PLR2004 - a pair.
        if len(values) > 1 and not a_silent_control and not _declared(name, patterns):
            raise BadRequest


def _view() -> object:
    return current_app.view_functions.get(request.endpoint or "")


def _sent() -> Iterable[tuple[str, list[Any]]]:
    yield from request.form.lists()
    yield from request.files.lists()


def _declared(name: str, patterns: Iterable[str]) -> bool:
    return name in of_forms or any(fnmatchcase(name, one) for one in patterns)
