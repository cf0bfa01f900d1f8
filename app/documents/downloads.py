"""The answer that carries a file, or says why it is held: for every page that hands one out."""

import unicodedata
from typing import Final
from urllib.parse import quote

from flask import Response, request

from app.documents.files import files
from app.documents.models import DocumentRevision
from app.documents.rules import Handing, handing
from app.web.fragments import render
from app.web.navigation import acting_for, acting_trader_id

STATUS_OF: Final = {Handing.WARN_FIRST: 200, Handing.WAIT: 409, Handing.REFUSE: 403}
# The file is untrusted: even opened in a tab it may load, run and reach nothing.
SANDBOX: Final = "sandbox; default-src 'none'"


def hand_out(revision: DocumentRevision) -> Response:
    """Hand out a file, or say why not; an unscanned one only to somebody who was warned."""
    if not is_handed_out(revision):
        return render(
            "documents/held.html",
            status=STATUS_OF[handing(revision.scan_state)],
            revision=revision,
            verdict=handing(revision.scan_state).name,
            acting_for=acting_for(acting_trader_id() or revision.trader_id),
        )
    content = files().read(revision.trader_id, revision.sha256)
    response = Response(content, mimetype=revision.media_type)
    response.content_length = revision.size
    # RFC 6266: a plain name for old programs, the real one for all others.
    plain = unicodedata.normalize("NFKD", revision.filename).encode("ascii", "ignore").decode()
    names = {"filename": plain.replace("%", "_") or "file"}
    if plain != revision.filename:
        names["filename*"] = f"UTF-8''{quote(revision.filename, safe='')}"
    response.headers.set("Content-Disposition", "attachment", **names)
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def is_handed_out(revision: DocumentRevision) -> bool:
    """Whether this request gets the file itself."""
    verdict = handing(revision.scan_state)
    warned = verdict is Handing.WARN_FIRST and request.args.get("warned") == "yes"
    return verdict is Handing.HAND_OUT or warned
