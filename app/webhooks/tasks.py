"""Telling receivers: a look each second for whose turn it is, and one job for each of them."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
import structlog
from procrastinate.exceptions import ProcrastinateException
from sqlalchemy.exc import SQLAlchemyError

from app.door.exchange import ask
from app.door.places import DoorError
from app.door.purposes import webhooks as place_of
from app.jobs.queue import bench, defer, job_work, queue, task
from app.kernel.ids import chance
from app.webhooks import service
from app.webhooks.rules import Outcome
from app.webhooks.sealing import KeySeal
from app.webhooks.service.delivering import NO_KEY, Outgoing

PART: Final = "webhooks"
DELIVER: Final = "webhooks.deliver"
EACH_SECONDS: Final = 1.0
TURN_SECONDS: Final = 30.0


def dispatch() -> int:
    """Enqueue a job for each webhook for which there is something to do; gives how many.

    The webhooks are leased in the same transaction, so that of several workers one gets each, and
    one whose job was lost is looked at again after a minute.
    """
    with job_work(PART) as work:
        due = service.lease_due(work)
        for key in due:
            defer(work, DELIVER, webhook_id=str(key))
    return len(due)


@task(DELIVER, retry=False)
def deliver(webhook_id: str) -> None:
    """Send to one webhook what is to be sent, message by message, until it fails or has it all.

    Nothing is locked while the receiver is waited for. A worker that dies before it has noted the
    answer sends the same message again, with the same identifier. After half a minute the others
    have their turn.
    """
    key = uuid.UUID(webhook_id)
    seal = KeySeal(bench().settings.secret_key or "")
    until = time.monotonic() + TURN_SECONDS
    going_on = True
    while going_on:
        with job_work(PART) as work:
            message = service.next_message(work, key, seal)
        if message is None:
            return
        outcome = send(message)
        with job_work(PART) as work:
            going_on = service.note_attempt(work, key, message, outcome, chance=chance())
        going_on = going_on and time.monotonic() < until


def send(message: Outgoing) -> Outcome:
    """One attempt, through the door."""
    if not message.headers:
        return Outcome(None, NO_KEY, 0)
    begun = time.monotonic()
    status, fault = None, None
    try:
        status = ask(
            place_of(bench().settings),
            message.address,
            method="POST",
            body=message.body.encode(),
            headers=message.headers,
        ).status
    except DoorError as error:
        fault = str(error)
    return Outcome(status, fault, round(1000 * (time.monotonic() - begun)))


@queue.periodic(cron="25 4 * * *")
@task("webhooks.forget", queueing_lock="webhooks.forget")
def forget(timestamp: int) -> None:
    """Once a day."""
    del timestamp
    with job_work(PART) as work:
        service.forget_old(work)


@contextmanager
def dispatching_each_second() -> Iterator[None]:
    """Look for whose turn it is in a thread of this process, the job worker's, which is equipped."""
    over = threading.Event()

    def look() -> None:
        log = structlog.get_logger("webhooks")
        while not over.wait(EACH_SECONDS):
            try:
                dispatch()
            # The queue speaks to the driver itself, and wraps its errors in its own.
            except (SQLAlchemyError, psycopg.Error, ProcrastinateException) as error:
                log.warning("not looked for webhooks", kind=type(error).__name__)

    thread = threading.Thread(target=look, name="webhooks")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
