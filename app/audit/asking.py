"""How a submission reaches a witness: over HTTP, for a few seconds, and for few bytes."""

from typing import Final

import requests  # house: one-door-out - only to the witnesses of the settings, as below.

WITNESS_SECONDS: Final = 5.0
MOST_ANSWER: Final = 16_384


def post(address: str, body: str) -> tuple[int, str]:
    """Send a submission; a witness that is slow, redirects or talks without end has not answered."""
    with requests.post(
        address,
        data=body.encode(),
        timeout=WITNESS_SECONDS,
        allow_redirects=False,
        stream=True,
        headers={"Content-Type": "text/plain; charset=utf-8", "Accept-Encoding": "identity"},
    ) as answer:
        said = b""
        for piece in answer.iter_content(MOST_ANSWER):
            said += piece
            if len(said) > MOST_ANSWER:
                break
        return answer.status_code, said.decode("utf-8", "replace")
