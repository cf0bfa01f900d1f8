"""SMTP through the door: the library's conversation on a line of ours."""

import smtplib
import ssl
from typing import Any
from urllib.parse import unquote, urlsplit

from app.door.line import Line, dial, trust
from app.door.places import Place

IMPLICIT, SUBMISSION = 465, 587


class _Securing:
    """Stands where `smtplib` asks for a TLS context, and secures a line instead of a socket."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    def wrap_socket(self, line: Line, *, server_hostname: str) -> Line:
        return line.secured(self._context, server_hostname)


class Postman(smtplib.SMTP):
    """A conversation with the mail server of the settings. Every error is an `OSError`.

    `address` is `smtp://`, `smtps://` or `smtp+starttls://`, with credentials if the server wants
    any; they are sent at once, and never in the clear to another machine's eyes by our doing: the
    form of the address decides.
    """

    def __init__(self, place: Place, address: str) -> None:
        parts = urlsplit(address)
        self._place, self._implicit = place, parts.scheme == "smtps"
        host = parts.hostname or "localhost"
        super().__init__()
        try:
            self._host = host
            self.connect(host, parts.port or (IMPLICIT if self._implicit else SUBMISSION))
            if parts.scheme == "smtp+starttls":
                self.starttls(context=_Securing(trust()))  # type: ignore[call-overload]
            if parts.password:
                self.login(unquote(parts.username or ""), unquote(parts.password))
        except BaseException:
            self.close()
            raise

    def _get_socket(self, host: str, port: int, timeout: Any) -> Any:  # noqa: ANN401, ARG002
        line = dial(self._place, host, port)
        return line.secured(trust(), host) if self._implicit else line
