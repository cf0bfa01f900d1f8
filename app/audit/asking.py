"""How a submission reaches a witness: over HTTP, for a few seconds, and for few bytes."""

from app.door.exchange import ask
from app.door.purposes import witness


def post(address: str, body: str) -> tuple[int, str]:
    """Send a submission; `OSError` when there is no answer.

    A witness that is slow, redirects or talks without end has not answered.
    """
    reply = ask(
        witness(address),
        address,
        method="POST",
        body=body.encode(),
        headers={"Content-Type": "text/plain; charset=utf-8"},
    )
    return reply.status, reply.body.decode("utf-8", "replace")
