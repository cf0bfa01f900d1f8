"""What stands in the log: what failed, and what somebody tried; never what they typed."""

import json

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.audit.models import SecurityEvent
from app.audit.tags import SecurityTag
from app.authz.actor import system_actor
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import make_trader


@pytest.fixture
def lines(app):
    del app  # It configures the log, so that what is captured stands behind it.
    with capture_logs() as captured:
        yield captured


def test_a_refused_request_leaves_a_line_without_what_was_sent(client, work_as, lines):
    with work_as(system_actor("test")) as work:
        person = make_person(work)
        page = f"/traders/{make_trader(work, person).id}/sites/new"
    sign_in(client, person)
    lines.clear()
    assert client.post(page, data={"name": ["A secret yard", "Another"]}).status_code == 400
    (line,) = lines
    assert line["event"] == "refused"
    assert (line["endpoint"], line["method"], line["status"]) == ("traders.add_site", "POST", 400)
    assert line["actor"] == f"person:{person.id}"
    assert "secret yard" not in json.dumps(line)


def test_an_ordinary_answer_leaves_none(client, lines):
    lines.clear()
    assert client.get("/sign-in").status_code == 200
    assert client.get("/no-such-page").status_code == 404
    assert lines == []


def test_who_asks_for_what_their_role_does_not_include_is_recorded(client, work_as):
    with work_as(system_actor("test")) as work:
        person = make_person(work)
    sign_in(client, person)
    assert client.get("/console/queue/all").status_code == 403
    with work_as(system_actor("test")) as work:
        events = work.session.scalars(select(SecurityEvent)).all()
        (denied,) = [one for one in events if one.tag == SecurityTag.ACCESS_DENIED]
        assert denied.person_id == person.id
        assert denied.data["endpoint"] == "casework.queue_tab"
