"""The security headers, on every answer, errors and static files included."""

from typing import Final

from flask import Response, request

from app.web.wiring import wiring

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none';"
    " base-uri 'none'"
)
NO_PAGE_POLICY: Final = (
    "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""What is no page needs nothing, even if a browser is led to open it as one."""

FEATURES: Final = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)
ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: over https the CSRF check also asks for a Referer of our own.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in FEATURES),
}
NOT_STORED: Final = "no-store"
TWO_YEARS: Final = "max-age=63072000; includeSubDomains"
SENT_OR_UNCHANGED: Final = frozenset({200, 206, 304})


def security_headers(*, page: bool, secure: bool) -> list[tuple[str, str]]:
    """The headers of an answer that may not be stored, in their order."""
    return [
        ("Content-Security-Policy", PAGE_POLICY if page else NO_PAGE_POLICY),
        *ALWAYS.items(),
        *([("Strict-Transport-Security", TWO_YEARS)] if secure else ()),
        ("Cache-Control", NOT_STORED),
    ]


def add_headers(response: Response) -> Response:
    """Set what browsers need to keep us safe; only a static file that was found may be stored."""
    headers = response.headers
    # A proxy in front may end the encryption without telling us so.
    secure = request.is_secure or wiring().settings.secure
    for name, value in security_headers(page=response.mimetype == "text/html", secure=secure):
        if name != "Cache-Control":
            headers.setdefault(name, value)
    if request.endpoint != "static" or response.status_code not in SENT_OR_UNCHANGED:
        headers["Cache-Control"] = NOT_STORED
    return response
