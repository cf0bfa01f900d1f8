"""The console's pages about webhooks: looked at by some, managed by programme managers."""

import uuid
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from app.authz.permissions import Permission
from app.authz.policy import may_ever
from app.door.purposes import webhooks as place_of
from app.kernel.errors import ConflictError
from app.web.access import requires
from app.web.forms import Form
from app.web.fragments import render
from app.web.paging import page_number, paginate
from app.web.requests import current_actor, current_work
from app.web.wiring import wiring
from app.webhooks import queries, service
from app.webhooks.forms import OVERLAPS, ConfirmForm, RegisterForm, RenewForm, TestForm
from app.webhooks.models import Webhook, WebhookDelivery
from app.webhooks.sealing import KeySeal
from app.webhooks.signing import message_id, public_text
from app.webhooks.words import STATES, banner, delivery_state, key_state, kind_words, outcome_words
from app.webhooks.workflow import WebhookState

blueprint = Blueprint("webhooks", __name__, url_prefix="/console/webhooks")
Answer = Response | BaseResponse


@blueprint.get("")
@requires(Permission.WEBHOOK_VIEW)
def index() -> Response:
    """Every webhook with its state, and how far behind it is."""
    session = current_work().session
    page = paginate(session, queries.webhooks(), page_number())
    behind = queries.waiting(session, page.items)
    return _render(
        "index.html",
        page=page,
        rows=[{"webhook": one, "behind": behind[one.id]} for one in page.items],
        states=STATES,
        hosts=_hosts(),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.WEBHOOK_MANAGE)
def register() -> Answer:
    """Register an address."""
    form = RegisterForm()
    made: list[Webhook] = []

    def act() -> None:
        made.append(
            service.register_webhook(
                current_work(),
                name=form.name.data or "",
                address=form.address.data or "",
                place=place_of(wiring().settings),
                seal=_seal(),
                key=form.row_id,
            )
        )

    if form.done(act):
        return _to(
            made[0], gettext("Registered. Give the receiver its public key, then send a test.")
        )
    return _form("new.html", form, hosts=_hosts())


@blueprint.get("/<uuid:webhook_id>")
@requires(Permission.WEBHOOK_VIEW)
def show(webhook_id: uuid.UUID) -> Response:
    """One webhook: whether it is told, its keys, and the latest deliveries."""
    work = current_work()
    webhook = queries.visible_webhook(work, webhook_id)
    page = paginate(work.session, queries.deliveries_of(webhook.id), page_number())
    last = queries.last_attempts(work.session, page.items)
    moves = webhook.available()
    manages = _manages()
    return _render(
        "show.html",
        fragment="deliveries",
        webhook=webhook,
        top=banner(
            webhook,
            behind=queries.waiting(work.session, [webhook])[webhook.id],
            may_manage=manages,
        ),
        keys=[
            {"row": one, "text": public_text(one.public_key), "state": key_state(one, work.now)}
            for one in queries.keys_of(work.session, webhook.id)
        ],
        page=page,
        rows=[_delivery(one, last.get(one.id)) for one in page.items],
        form=TestForm(None),
        may_test=manages and webhook.state == WebhookState.ACTIVE,
        may_renew=manages and webhook.state != WebhookState.REMOVED,
        may_resume=manages and "resume" in moves,
        may_remove=manages and "remove" in moves,
    )


@blueprint.post("/<uuid:webhook_id>/test")
@requires(Permission.WEBHOOK_MANAGE)
def send_test(webhook_id: uuid.UUID) -> Answer:
    """Send a message that tells of no change."""
    webhook = queries.visible_webhook(current_work(), webhook_id)
    form = TestForm()
    if form.validate_on_submit():
        service.send_test(current_work(), webhook, key=form.row_id)
        return _to(
            webhook, gettext("A test is on its way. Load the page again to see what came of it.")
        )
    return _to(webhook)


@blueprint.route("/<uuid:webhook_id>/key", methods=["GET", "POST"])
@requires(Permission.WEBHOOK_MANAGE)
def renew_key(webhook_id: uuid.UUID) -> Answer:
    """A new key, with the earlier ones beside it for a while."""
    webhook = queries.visible_webhook(current_work(), webhook_id)
    form = RenewForm()
    if webhook.state == WebhookState.REMOVED and not form.is_submitted():
        raise ConflictError("This webhook is removed. Register it again.")

    def act() -> None:
        service.renew_key(
            current_work(),
            webhook,
            overlap=OVERLAPS[form.overlap.data][0],
            seal=_seal(),
            key=form.row_id,
        )

    if form.done(act):
        return _to(
            webhook, gettext("A new key signs from now on. Give the receiver its public half.")
        )
    return _form("key.html", form, webhook=webhook)


@blueprint.route("/<uuid:webhook_id>/resume", methods=["GET", "POST"])
@requires(Permission.WEBHOOK_MANAGE)
def resume(webhook_id: uuid.UUID) -> Answer:
    """Tell a parked receiver again."""
    webhook = queries.visible_webhook(current_work(), webhook_id)
    return _confirmed(
        webhook,
        lambda: service.resume_webhook(current_work(), webhook),
        title=gettext("Resume this webhook?"),
        body=gettext(
            "The receiver is told again at once, beginning with what it has not taken. Put it right"
            " first: a receiver that fails for three days is parked again."
        ),
        button=gettext("Resume"),
        variant=None,
        said=gettext("Resumed. What waits is on its way."),
    )


@blueprint.route("/<uuid:webhook_id>/end", methods=["GET", "POST"])
@requires(Permission.WEBHOOK_MANAGE)
def remove(webhook_id: uuid.UUID) -> Answer:
    """Tell a receiver nothing any more."""
    webhook = queries.visible_webhook(current_work(), webhook_id)
    return _confirmed(
        webhook,
        lambda: service.remove_webhook(current_work(), webhook),
        title=gettext("Remove this webhook?"),
        body=gettext(
            "Nothing is sent to it any more, and its keys are destroyed. No change of the register is"
            " lost by this: programs that ask for the feed of changes find them all."
        ),
        button=gettext("Remove the webhook"),
        variant="danger",
        said=gettext("Removed. It took effect at once."),
    )


@blueprint.get("/<uuid:webhook_id>/deliveries/<uuid:delivery_id>")
@requires(Permission.WEBHOOK_VIEW)
def delivery(webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> Response:
    """One delivery: what was sent, and what came of each attempt."""
    work = current_work()
    webhook = queries.visible_webhook(work, webhook_id)
    found = queries.visible_delivery(work, webhook, delivery_id)
    tries = queries.attempts_of(work.session, found)
    words, tone = delivery_state(found)
    return _render(
        "delivery.html",
        webhook=webhook,
        delivery=found,
        message_id=message_id(found.id),
        kind=kind_words(found),
        state={"text": words, "tone": tone},
        attempts=[{"row": one, "words": outcome_words(one)} for one in tries.latest],
        more=tries.total - len(tries.latest),
        may_redeliver=_manages() and webhook.state == WebhookState.ACTIVE and not found.pending,
    )


@blueprint.post("/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/redeliver")
@requires(Permission.WEBHOOK_MANAGE)
def redeliver(webhook_id: uuid.UUID, delivery_id: uuid.UUID) -> BaseResponse:
    """Send it once more."""
    work = current_work()
    webhook = queries.visible_webhook(work, webhook_id)
    found = queries.visible_delivery(work, webhook, delivery_id)
    service.redeliver(work, webhook, found)
    flash(gettext("It is on its way again, with the same identifier."), "success")
    address = url_for("webhooks.delivery", webhook_id=webhook.id, delivery_id=found.id)
    return redirect(address, code=303)


def _seal() -> KeySeal:
    return KeySeal(wiring().settings.secret_key or "")


def _manages() -> bool:
    return may_ever(current_actor(), Permission.WEBHOOK_MANAGE)


def _hosts() -> tuple[str, ...]:
    """The hosts at which the operator lets receivers be."""
    return place_of(wiring().settings).hosts


def _delivery(one: WebhookDelivery, last: Any) -> dict[str, Any]:  # noqa: ANN401 - a row or nothing.
    words, tone = delivery_state(one)
    return {
        "delivery": one,
        "kind": kind_words(one),
        "state": {"text": words, "tone": tone},
        "last": outcome_words(last) if last is not None else "",
    }


def _confirmed(
    webhook: Webhook,
    act: Callable[[], object],
    *,
    said: str,
    **words: Any,  # noqa: ANN401 - title, body, button, variant.
) -> Answer:
    form = ConfirmForm()
    if form.done(act):
        return _to(webhook, said)
    return _form("confirm.html", form, webhook=webhook, **words)


def _form(template: str, form: Form, **context: Any) -> Response:  # noqa: ANN401
    """A page with a form: 200 as it was asked for, 422 with errors."""
    return _render(
        template,
        form=form,
        form_errors=bool(form.errors),
        status=422 if form.errors else 200,
        **context,
    )


def _render(template: str, **context: Any) -> Response:  # noqa: ANN401
    return render(f"webhooks/{template}", may_manage=_manages(), **context)


def _to(webhook: Webhook, message: str = "") -> BaseResponse:
    if message:
        flash(message, "success")
    return redirect(url_for("webhooks.show", webhook_id=webhook.id), code=303)
