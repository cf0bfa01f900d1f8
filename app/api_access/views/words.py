"""States and scopes of API clients in words."""

from datetime import datetime

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from joserfc.jwk import import_key

from app.authz.permissions import Permission
from app.identity.client_rules import suspension_due
from app.identity.models import ApiClient, ClientCredential
from app.identity.service.clients import rules_of
from app.identity.workflow import ClientState
from app.web.banners import Banner
from app.web.filters import day, when

SCOPES = {
    Permission.TRADER_API_FILE: _l("File advance data"),
    Permission.TRADER_API_READ: _l("Read batches and filings"),
    Permission.TRADER_API_STATUS: _l("Read the company's own standing"),
    Permission.STATUS_READ: _l("Look up the status of partners"),
    Permission.FEED_READ: _l("Follow changes of the register"),
    Permission.DECISIONS_WRITE: _l("Ask for decisions"),
    Permission.DECISIONS_READ: _l("Read stored decisions"),
}
STATES = {
    ClientState.ACTIVE: (_l("Works"), "success"),
    ClientState.SUSPENDED: (_l("Suspended"), "warning"),
    ClientState.REVOKED: (_l("Revoked"), "neutral"),
}


def scope_words(scope: str) -> str:
    """What a scope allows, with its own name for the programmer."""
    return f"{SCOPES[Permission(scope)]} ({scope})"


def banner(client: ApiClient, *, live: int, may_manage: bool) -> Banner:
    """Whether the client works, and who has to do something."""
    turn = gettext("You") if may_manage else gettext("A programme manager")
    if client.state == ClientState.REVOKED:
        body = gettext(
            "Revoked on %(day)s. Its secrets, keys and tokens open nothing any more.",
            day=day(client.revoked_at),
        )
        return Banner(gettext("Revoked"), body, None, "neutral")
    if client.state == ClientState.SUSPENDED:
        body = gettext(
            "Nobody had used it, so it was suspended on %(day)s. Wake it if it is still needed.",
            day=day(client.suspended_at),
        )
        return Banner(gettext("Suspended"), body, turn, "warning")
    if not live:
        body = gettext("It has no secret or key that works. Make a new one.")
        return Banner(gettext("Cannot come in"), body, turn, "warning")
    due = suspension_due(rules_of(client), idle_since=client.idle_since, warned_at=client.warned_at)
    if due is not None:
        body = gettext(
            "Nobody has used it since %(since)s. Unless it is used, it will be suspended on"
            " %(day)s.",
            since=day(client.idle_since),
            day=day(due),
        )
        return Banner(gettext("Works, but lies idle"), body, turn, "warning")
    return Banner(gettext("Works"), gettext("Nothing to do."), None, "success")


def credential_name(one: ClientCredential) -> str:
    """What the credential is; of a key the beginning of its thumbprint, of a secret nothing."""
    if one.jwk is None:
        return gettext("Secret")
    bare = {name: value for name, value in one.jwk.items() if name != "kid"}
    return gettext("Key %(print)s…", print=import_key(bare).thumbprint()[:10])


def credential_state(one: ClientCredential, client: ApiClient, now: datetime) -> tuple[str, str]:
    """Words and tone."""
    if one.revoked_at is not None:
        return gettext("Revoked on %(at)s", at=when(one.revoked_at)), "neutral"
    if not one.is_live(now):
        return gettext("Ended on %(at)s", at=when(one.expires_at)), "neutral"
    if client.state != ClientState.ACTIVE:
        return gettext("Does not work: the client is out"), "warning"
    if one.expires_at is not None:
        return gettext("Works until %(at)s", at=when(one.expires_at)), "progress"
    return gettext("Works"), "success"
