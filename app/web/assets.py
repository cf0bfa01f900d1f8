"""Static files: addresses that change with the content, and the precompressed sibling if any."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, request, send_from_directory
from werkzeug.security import safe_join

from app.authz.permissions import Permission
from app.kernel.errors import NotFoundError
from app.web.access import requires

STATIC = Path(__file__).resolve().parents[2] / "static"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
ONE_YEAR = 31_536_000


@cache
def fingerprint(path: str) -> str:
    """Twelve hexadecimal digits of the file's SHA-256."""
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]


def asset(path: str) -> str:
    """The address of a static file; it changes when the content does, so it can be kept for ever."""
    return f"/static/{path}?v={fingerprint(path)}"


@requires(Permission.PUBLIC)
def static_file(filename: str) -> Response:
    """Send a static file, in the best precompressed form that the browser takes."""
    found = safe_join(str(STATIC), filename)
    if found is None or not Path(found).is_file():
        raise NotFoundError
    response = None
    for encoding, suffix in ENCODINGS:
        if request.accept_encodings[encoding] and Path(found + suffix).is_file():
            response = send_from_directory(STATIC, filename + suffix)
            response.content_type = _content_type(filename)
            response.headers["Content-Encoding"] = encoding
            break
    if response is None:
        response = send_from_directory(STATIC, filename)
    response.headers.add("Vary", "Accept-Encoding")
    if request.args.get("v") or filename.startswith("vendor/"):
        # A vendored file's folder carries its version, so its content never changes either.
        response.cache_control.public = True
        response.cache_control.max_age = ONE_YEAR
        response.cache_control.immutable = True
    return response


def _content_type(filename: str) -> str:
    kinds = {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
        ".json": "application/json",
        ".woff2": "font/woff2",
    }
    return kinds.get(Path(filename).suffix, "application/octet-stream")


def register_assets(app: Flask) -> None:
    """Serve `static/` and give templates the `asset` function."""
    app.add_url_rule("/static/<path:filename>", "static", static_file)
    app.jinja_env.globals["asset"] = asset
