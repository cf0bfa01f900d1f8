"""Sessions of `requests` that go through the door, for the library that signs people in."""

from io import BytesIO
from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as NotConnectedError
from requests.structures import CaseInsensitiveDict

from app.door.exchange import ask
from app.door.places import DoorError, Place


class DoorAdapter(BaseAdapter):
    """Sends what `requests` has prepared; its own time-outs, proxies and checks mean nothing here."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place

    def send(self, request: PreparedRequest, *_: object, **__: object) -> Response:
        sent = request.body or b""
        body = sent.encode() if isinstance(sent, str) else sent
        if not isinstance(body, bytes):
            raise NotConnectedError("Streams do not go through the door.", request=request)
        method = request.method or "GET"
        try:
            reply = ask(
                self.place,
                request.url or "",
                method=method,
                body=body if method == "POST" else None,
                headers={name: _text(value) for name, value in request.headers.items()},
            )
        except DoorError as error:
            raise NotConnectedError(str(error), request=request) from error
        if not reply.whole:
            raise NotConnectedError("The answer is too long.", request=request)
        response = Response()
        response.status_code, response.request = reply.status, request
        response.url = request.url or ""
        response.headers = CaseInsensitiveDict(reply.headers)
        response.raw = BytesIO(reply.body)
        return response

    def close(self) -> None:
        """Nothing is kept open between two requests."""


class OAuthSession(OAuth2Session):  # type: ignore[misc]  # Authlib has no types.
    """Authlib's session with one way out, whatever the address, and none of its environment's."""

    place: Place

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - Authlib's own.
        super().__init__(**options)
        self.trust_env = False

    def get_adapter(self, url: str) -> BaseAdapter:
        del url
        return DoorAdapter(self.place)

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # noqa: ANN401
        """Send without ever following: where a provider points to is not where we go."""
        response: Response = super().send(request, **{**options, "allow_redirects": False})
        return response


def sessions_through(place: Place) -> type[OAuthSession]:
    """A class of sessions for one place, as Authlib wants it."""
    return type("OAuthSessionThere", (OAuthSession,), {"place": place})


def _text(value: str | bytes) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value
