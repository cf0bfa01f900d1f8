"""The purposes for which Fairway goes out: all of them, each with what it is allowed.

All of them are an operator's own parts (mail server, scanner, providers, witnesses), which may stand
in the operator's own networks. Whoever registers a webhook may be anybody: its place is to reach public
addresses of hosts that the operator has listed, and nothing else.
"""

from typing import Final
from urllib.parse import urlsplit

from app.door.places import Place

# A file of 25 MB through a scanner that is busy, and a mail server that looks at each letter first.
SCANNER: Final = Place("virus scanner", (), inside=True, seconds=300)
MAIL: Final = Place("mail server", (), inside=True, seconds=60)


def sign_in(issuer: str, hosts: tuple[str, ...]) -> Place:
    """An OpenID Provider: the issuer's own host, and those that the operator has named besides."""
    own = urlsplit(issuer).netloc.lower()
    # Its description and its keys are a few kilobytes.
    return Place("sign-in", (own, *hosts), inside=True, plain=True, seconds=10, most=1_000_000)


def witness(address: str) -> Place:
    """A witness of the audit log, at the one address of the settings."""
    own = urlsplit(address).netloc.lower()
    return Place("witness", (own,), inside=True, plain=True, seconds=5, most=16_384)
