"""The purposes for which Fairway goes out: all of them, each with what it is allowed.

An operator's own parts (mail server, scanner, providers, witnesses) may stand in the operator's own
networks; whoever registers a webhook may be anybody, so it reaches public addresses of hosts that
the operator has listed, and nothing else.
"""

from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

from app.config import Settings
from app.door.places import Place

# A file of 25 MB through a scanner that is busy, and a mail server that looks at each letter first.
SCANNER: Final = Place("virus scanner", (), inside=True, seconds=300)
MAIL: Final = Place("mail server", (), inside=True, seconds=60)
THIS_MACHINE: Final = ("localhost", "127.0.0.1")


def sign_in(issuer: str, hosts: tuple[str, ...]) -> Place:
    """An OpenID Provider: the issuer's own host, and those that the operator has named besides."""
    own = urlsplit(issuer).netloc.lower()
    # Its description and its keys are a few kilobytes.
    return Place("sign-in", (own, *hosts), inside=True, plain=True, seconds=10, most=1_000_000)


def witness(address: str) -> Place:
    """A witness of the audit log, at the one address of the settings."""
    own = urlsplit(address).netloc.lower()
    return Place("witness", (own,), inside=True, plain=True, seconds=5, most=16_384)


def webhooks(settings: Settings) -> Place:
    """Receivers of webhooks: what the operator lists, and in the demonstration this machine.

    Of their answers nothing but the beginning is of interest.
    """
    return Place(
        "webhooks",
        (*settings.webhook_hosts.lower().split(), *(THIS_MACHINE if settings.demo_mode else ())),
        networks=tuple(ip_network(one) for one in settings.webhook_networks.split()),
        plain=settings.demo_mode,
        any_port=settings.demo_mode,
        seconds=10,
        most=1024,
    )
