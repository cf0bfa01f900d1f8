"""Letters and their delivery, with a real mail server on the loopback."""

import socketserver
import threading

import pytest

from app.authz.actor import system_actor
from app.jobs.queue import Bench, equip
from app.notifications import letters
from app.notifications.models import Message
from app.notifications.service import send
from app.notifications.tasks import deliver
from app.reactions import REACTIONS


class Conversation(socketserver.StreamRequestHandler):
    """As much SMTP as one message needs; the server can be told to refuse the recipient."""

    def handle(self):
        self.say("220 test")
        body = None
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            if body is not None:
                if line == ".":
                    self.server.received.append("\n".join(body))
                    body = None
                    self.say("250 kept")
                else:
                    body.append(line)
            elif line.upper().startswith("RCPT") and self.server.refusing:
                self.say("550 nobody here")
            elif line.upper().startswith("DATA"):
                body = []
                self.say("354 go on")
            elif line.upper().startswith("QUIT"):
                self.say("221 bye")
                return
            else:
                self.say("250 fine")

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.received = []
        self.refusing = False


@pytest.fixture
def mail_server(engine, clock, settings):
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"smtp://127.0.0.1:{server.server_address[1]}"
        mailing = settings.model_copy(update={"smtp_url": url})
        equip(Bench(engine=engine, clock=clock, settings=mailing, reactions=REACTIONS))
        yield server
        server.shutdown()


@pytest.fixture
def message_id(work_as):
    with work_as(system_actor("test")) as work:
        return str(
            send(
                work,
                to="ada@example.com",
                template="reset-unknown",
                link="http://localhost/sign-up",
            ).id
        )


def stored(work_as, message_id):
    with work_as(system_actor("test")) as work:
        return work.session.get(Message, message_id)


def test_a_message_is_sent_once_however_often_its_job_runs(mail_server, message_id, work_as):
    deliver(message_id)
    deliver(message_id)
    (mail,) = mail_server.received
    assert "To: ada@example.com" in mail
    assert "http://localhost/sign-up" in mail
    kept = stored(work_as, message_id)
    assert (kept.attempts, kept.sent_at is not None, kept.failed_at) == (1, True, None)


def test_a_failed_try_is_counted_and_asks_for_another(mail_server, message_id, work_as):
    mail_server.refusing = True
    with pytest.raises(OSError, match="nobody here"):
        deliver(message_id)
    kept = stored(work_as, message_id)
    assert (kept.attempts, kept.sent_at, kept.failed_at is not None) == (1, None, True)
    mail_server.refusing = False
    deliver(message_id)
    assert stored(work_as, message_id).attempts == 2
    assert len(mail_server.received) == 1


def test_the_queue_delivers_after_the_commit(work_as, message_id, run_jobs):
    assert stored(work_as, message_id).sent_at is None
    run_jobs()
    assert stored(work_as, message_id).sent_at is not None


def test_nothing_is_sent_for_a_change_that_was_rolled_back(work_as, run_jobs):
    def undone():
        with work_as(system_actor("test")) as work:
            send(work, to="ada@example.com", template="reset-unknown", link="http://x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    run_jobs()
    with work_as(system_actor("test")) as work:
        assert work.session.query(Message).count() == 0


def test_a_name_cannot_add_header_lines():
    subject, _ = letters.write(
        "appointment-invitation",
        **dict.fromkeys(("trader", "role", "meaning", "days", "link"), "x"),
        by="Eve\r\nBcc: all@example.com",
    )
    assert "\n" not in subject
    assert "\r" not in subject


@pytest.mark.parametrize("name", letters.names())
def test_every_letter_has_a_subject_and_a_body(name):
    subject, _, body = (letters.FOLDER / f"{name}.txt").read_text("utf-8").partition("\n\n")
    assert 0 < len(subject.strip()) < 120
    assert "\n" not in subject.strip()
    assert len(body.split()) > 8
