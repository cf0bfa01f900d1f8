"""States and outcomes of webhooks in words."""

from datetime import datetime

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from app.web.banners import Banner
from app.web.filters import when
from app.webhooks.models import Webhook, WebhookAttempt, WebhookDelivery, WebhookKey
from app.webhooks.rules import GIVE_UP_AFTER
from app.webhooks.signing import TEST
from app.webhooks.workflow import WebhookState

STATES = {
    WebhookState.ACTIVE: (_l("Works"), "success"),
    WebhookState.PARKED: (_l("Parked"), "warning"),
    WebhookState.REMOVED: (_l("Removed"), "neutral"),
}


def banner(webhook: Webhook, *, behind: int, may_manage: bool) -> Banner:
    """Whether the receiver knows everything, and who has to do something."""
    turn = gettext("You") if may_manage else gettext("A programme manager")
    if webhook.state == WebhookState.REMOVED:
        return Banner(
            gettext("Removed"), gettext("Nothing is sent to it any more."), None, "neutral"
        )
    if webhook.state == WebhookState.PARKED:
        body = ngettext(
            "The receiver failed, so nothing is sent any more: %(num)s change waits. Put it right,"
            " then resume.",
            "The receiver failed, so nothing is sent any more: %(num)s changes wait. Put it right,"
            " then resume.",
            behind,
        )
        return Banner(gettext("Parked"), body, turn, "warning")
    if webhook.failing_since is not None:
        body = ngettext(
            "It has failed since %(since)s and is tried again every few minutes; %(num)s change"
            " waits. It will be parked on %(until)s.",
            "It has failed since %(since)s and is tried again every few minutes; %(num)s changes"
            " wait. It will be parked on %(until)s.",
            behind,
            since=when(webhook.failing_since),
            until=when(webhook.failing_since + GIVE_UP_AFTER),
        )
        return Banner(gettext("The receiver does not answer"), body, turn, "warning")
    if behind:
        body = ngettext(
            "%(num)s change is on its way.", "%(num)s changes are on their way.", behind
        )
        return Banner(gettext("Works"), body, None, "progress")
    if webhook.delivered_at is None:
        body = gettext("Nothing was sent yet. Give the receiver its public key, then send a test.")
        return Banner(gettext("Ready"), body, turn, "progress")
    return Banner(
        gettext("Works"), gettext("The receiver was told of every change."), None, "success"
    )


def key_state(one: WebhookKey, now: datetime) -> dict[str, str]:
    """Words and tone."""
    if one.sealed_key is None:
        return {"text": gettext("Destroyed"), "tone": "neutral"}
    if one.ends_at is None:
        return {"text": gettext("Signs"), "tone": "success"}
    if one.is_live(now):
        text = gettext("Signs until %(at)s", at=when(one.ends_at))
        return {"text": text, "tone": "progress"}
    return {"text": gettext("Ended on %(at)s", at=when(one.ends_at)), "tone": "neutral"}


def delivery_state(one: WebhookDelivery) -> tuple[str, str]:
    """Words and tone."""
    if one.pending:
        return (
            (gettext("Tried again"), "warning") if one.attempts else (gettext("Waits"), "progress")
        )
    if one.parked_at is not None:
        return gettext("Parked"), "warning"
    return gettext("Taken"), "success"


def kind_words(one: WebhookDelivery) -> str:
    """What the message tells of."""
    if one.kind == TEST:
        return str(gettext("Test"))
    if one.seq == one.after + 1:
        return str(gettext("Change %(seq)s", seq=one.seq))
    return str(gettext("Changes %(first)s to %(last)s", first=one.after + 1, last=one.seq))


def outcome_words(one: WebhookAttempt) -> str:
    """The answer's status, or why there was none."""
    if one.status is not None:
        return str(gettext("Answered %(status)s", status=one.status))
    return one.fault or ""
