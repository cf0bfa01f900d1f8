"""The console's pages about webhooks: registering, testing, keys, what came of each delivery."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.authz.actor import AgencyRole
from app.webhooks.models import Webhook, WebhookDelivery, WebhookKey
from tests.factories.identity import make_person, prove_again
from tests.traders.conftest import person_of, visit
from tests.webhooks.conftest import SYSTEM

__all__ = ["person_of", "visit"]
BASE = "/console/webhooks"


@pytest.fixture
def manager(stage, managers, visit):
    """A programme manager's browser, fresh from a passkey."""
    found = visit(managers)
    prove_again(found.client)
    return found


def rows(stage, model):
    with stage.work_as(SYSTEM) as work:
        return list(work.session.scalars(select(model).order_by(model.id)))


def register(browser, **typed):
    form = browser.get(f"{BASE}/new").fields()
    values = {"name": "Release system", "address": "http://localhost:9000/hook", **typed}
    return browser.client.post(f"{BASE}/new", data={**form, **values})


def test_a_manager_registers_tests_and_sees_the_receiver_take_it(manager, stage, receiving):
    receiver, _ = receiving
    page = manager.get(BASE)
    assert "Release system" in page.words()
    [first] = rows(stage, Webhook)
    answer = register(manager, name="Second system", address=first.address)
    assert answer.status_code == 303
    base = answer.headers["Location"]
    shown = manager.get(base)
    assert "Nothing was sent yet" in shown.words()
    [key] = [one for one in rows(stage, WebhookKey) if one.webhook_id != first.id]
    with stage.work_as(SYSTEM) as work:
        [text] = stage.keys(work.session, key.webhook_id)
    assert text in shown.text
    receiver.keys = [text]
    sent = manager.client.post(f"{base}/test", data=shown.fields("/test"))
    again = manager.client.post(f"{base}/test", data=shown.fields("/test"))
    assert (sent.status_code, again.status_code) == (303, 303)
    stage.turn()
    [(_, message)] = receiver.taken
    assert message["type"] == "webhook.test"
    assert message["data"]["changes"] == []
    shown = manager.get(base)
    assert "The receiver was told of every change." in shown.words()
    [delivery] = rows(stage, WebhookDelivery)
    page = manager.get(f"{base}/deliveries/{delivery.id}")
    assert "Answered 204" in page.words()
    manager.client.post(
        f"{base}/deliveries/{delivery.id}/redeliver", data=page.fields("/redeliver")
    )
    stage.turn()
    assert len(receiver.taken) == 2
    assert manager.get(f"{BASE}/{first.id}/deliveries/{delivery.id}").status == 404


def test_a_form_sent_twice_registers_once(manager, stage):
    form = manager.get(f"{BASE}/new").fields()
    data = {**form, "name": "X", "address": "http://localhost:9000/"}
    first, second = (manager.client.post(f"{BASE}/new", data=data) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert len(rows(stage, Webhook)) == len(rows(stage, WebhookKey)) == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": ""}, "Give the receiver a name."),
        ({"address": ""}, "Give the address."),
        ({"address": "http://10.0.0.1/"}, "It is not an https address."),
        ({"address": "https://other.example/"}, "not on the list of those that may be reached"),
        ({"address": "https://localhost/#x"}, "It is not a plain https address."),
        ({"address": "https://localhost/" + "x" * 500}, "Use 500 characters or fewer."),
    ],
)
def test_what_is_wrong_stands_beside_its_field(manager, stage, typed, words):
    answer = register(manager, **typed)
    assert answer.status_code == 422
    assert words in answer.text
    assert rows(stage, Webhook) == []


def test_whoever_is_not_fresh_changes_nothing(manager, stage, clock, receiving):
    clock.advance(timedelta(minutes=6))
    before = rows(stage, WebhookKey)
    [webhook] = rows(stage, Webhook)
    for page in ("key", "end"):
        form = manager.get(f"{BASE}/{webhook.id}/{page}").fields()
        answer = manager.client.post(f"{BASE}/{webhook.id}/{page}", data=form)
        assert answer.status_code == 422
    assert register(manager).status_code == 422
    assert [one.id for one in rows(stage, WebhookKey)] == [one.id for one in before]
    assert [one.state for one in rows(stage, Webhook)] == ["active"]


def test_a_key_is_renewed_and_a_webhook_removed(manager, stage, receiving):
    [webhook] = rows(stage, Webhook)
    base = f"{BASE}/{webhook.id}"
    assert manager.send(f"{base}/key", overlap="1").status == 303
    page = manager.get(base).words()
    assert "Signs until 25 November 2026, 12:00 UTC" in page
    assert page.count("whpk_") == 2
    assert manager.send(f"{base}/end").status == 303
    page = manager.get(base).words()
    assert "Nothing is sent to it any more." in page
    assert "Send a test" not in page
    assert "Remove the webhook" not in page
    assert [one.sealed_key for one in rows(stage, WebhookKey)] == [None, None]
    assert manager.get(f"{base}/key").status == 409


def test_a_parked_webhook_says_whose_turn_it_is(manager, stage, receiving, visit, work_as):
    receiver, webhook_id = receiving
    receiver.status = 410
    stage.change(3)
    stage.turn()
    page = manager.get(f"{BASE}/{webhook_id}").words()
    assert "3 changes wait. Put it right, then resume." in page
    with work_as(SYSTEM) as work:
        person = make_person(
            work, name="Sue", email="sue@agency.example", roles=[AgencyRole.SUPERVISOR]
        )
    other = visit(person)
    seen = other.get(f"{BASE}/{webhook_id}").words()
    assert "A programme manager" in seen
    assert "New key" not in seen
    assert other.get(f"{BASE}/new").status == 403
    receiver.status = 204
    assert manager.send(f"{BASE}/{webhook_id}/resume").status == 303
    stage.turn()
    assert receiver.partners == stage.truth()


def test_without_hosts_nobody_is_led_to_a_form_that_refuses_everything(app, manager, monkeypatch):
    wired = app.extensions["fairway"]
    closed = wired.settings.model_copy(update={"demo": False})
    monkeypatch.setitem(
        app.extensions,
        "fairway",
        type(wired)(
            **{
                **{name: getattr(wired, name) for name in wired.__slots__},
                "settings": closed,
            }
        ),
    )
    page = manager.get(BASE).words()
    assert "FAIRWAY_WEBHOOK_HOSTS" in page
    assert "Register a webhook" not in page
