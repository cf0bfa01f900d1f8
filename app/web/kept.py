"""What somebody typed outlives the session in which they typed it.

A form that is sent after the session has ended, or with the form token of an earlier one, is not
thrown away: the answer is a page that carries every field and offers to send them again, after
signing in where that is needed. Only a form that came from a page of ours is kept, which the
browser's `Origin` tells; so no stranger's page can put words into anybody's mouth. Passwords and
files are not carried; the page says which files have to be chosen again.
"""

from urllib.parse import urlsplit

from flask import Response, make_response, render_template, request, url_for
from flask_babel import gettext

from app.authz.actor import ActorKind
from app.web.requests import current_actor
from app.web.wiring import wiring

LEFT_OUT = ("csrf_token",)


def came_from_us() -> bool:
    """Whether a page of this very site sent the form."""
    origin = request.headers.get("Origin") or request.headers.get("Referer") or ""
    return urlsplit(origin).netloc in {request.host, urlsplit(wiring().settings.address).netloc}


def can_be_kept() -> bool:
    """Whether there is a form of ours to keep."""
    return request.method == "POST" and bool(request.form) and came_from_us()


def kept() -> Response:
    """The page that holds what was typed; 401 for somebody who has to sign in first, else 400."""
    signed_in = current_actor().kind is ActorKind.PERSON
    if request.headers.get("HX-Request-Type") == "partial":
        body = render_template(
            "errors/kept_fragment.html", signed_in=signed_in, sign_in=url_for("identity.sign_in")
        )
        headers = {"HX-Retarget": "#alerts", "HX-Reswap": "innerHTML"}
        return Response(body, 400 if signed_in else 401, headers)
    page = render_template(
        "errors/kept.html",
        action=request.full_path.rstrip("?"),
        fields=[
            (name, value)
            for name, value in request.form.items(multi=True)
            if name not in LEFT_OUT and "password" not in name
        ],
        files=[one.filename for one in request.files.values() if one.filename],
        signed_in=signed_in,
        sign_in=url_for("identity.sign_in"),
        title=gettext("Nothing that you typed is lost"),
    )
    return make_response(page, 400 if signed_in else 401)
