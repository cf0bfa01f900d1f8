"""Who looks after which section: told by letter, seen in the task list, never overwritten unseen."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.assessments import queries, service
from app.assessments.errors import SectionLockedError
from app.assessments.models import Assessment
from app.assessments.service import SectionTask
from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.authz.actor import system_actor
from app.kernel.errors import NotFoundError, NotReadyError
from app.notifications.models import Message
from tests.assessments.test_workbook_pages import events

DUE = date(2026, 12, 3)


def letters(work_as) -> list[Message]:
    with work_as(system_actor("test")) as work:
        found = work.session.scalars(select(Message).where(Message.template == "section-assigned"))
        return list(found)


def form_of(page) -> dict[str, str]:
    """The form as a browser sends it untouched."""
    form = next(one for one in page.tree.iter("form") if one.get("action", "").endswith("/owners"))
    found = {one.get("name"): one.get("value") for one in form.iter("input")}
    for one in form.iter("select"):
        options = list(one.iter("option"))
        chosen = [option for option in options if option.get("selected") is not None]
        found[one.get("name")] = (chosen or options)[0].get("value")
    return found


def test_a_colleague_is_given_a_section_is_told_and_seen_in_the_task_list(scene, work_as):
    officer = scene.browser(scene.officer)
    page = officer.get("/owners")
    assert "Pat Quay" in page.words
    # Who may only look cannot be asked to write.
    assert "Vera Lock" not in page.words
    form = form_of(page) | {"owner.2": str(scene.preparer.id), "due.2": DUE.isoformat()}
    assert officer.post("/owners", form).status == 303
    told = letters(work_as)
    assert [one.person_id for one in told] == [scene.preparer.id]
    assert "2. Risk assessment, until 2026-12-03" in told[0].body
    assert f"/traders/{scene.trader_id}/assessments/{scene.assessment_id}" in told[0].body
    overview = officer.get("").words
    assert re.search(r"Pat Quay, until 3 Dec(ember)? 2026", overview)
    assert len(events(work_as, EventTag.SECTIONS_SHARED_OUT)) == 1
    # The same once more is nothing new.
    assert officer.post("/owners", form_of(officer.get("/owners"))).status == 303
    assert len(events(work_as, EventTag.SECTIONS_SHARED_OUT)) == 1
    assert len(letters(work_as)) == 1


def test_what_a_colleague_decided_meanwhile_is_not_overwritten(scene, work_as):
    officer, preparer = scene.browser(scene.officer), scene.browser(scene.preparer)
    hers, his = form_of(officer.get("/owners")), form_of(preparer.get("/owners"))
    assert officer.post("/owners", hers | {"owner.1": str(scene.officer.id)}).status == 303
    # A row that he did not touch leaves hers as it is.
    assert preparer.post("/owners", his | {"due.2": DUE.isoformat()}).status == 303
    # One that both changed is shown, and his choice stays in the control.
    again = preparer.post("/owners", his | {"owner.1": str(scene.preparer.id)})
    assert again.status == 422
    assert "Somebody else changed who looks after this section" in again.words
    assert form_of(again)["owner.1"] == str(scene.preparer.id)
    with work_as(system_actor("test")) as work:
        rows = queries.sections_of(work.session, scene.assessment_id)
        assert (rows["1"].owner_id, rows["2"].due_on) == (scene.officer.id, DUE)
    # Sent once more it is a decision.
    assert preparer.post("/owners", form_of(again)).status == 303
    # Nobody is told of what they gave themselves.
    assert letters(work_as) == []


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("due.1", "2026-11-23", "This day has passed"),
        ("due.1", "next week", "Write the date as year, month and day"),
        ("owner.1", "viewer", "Choose a colleague who can write"),
        ("owner.1", "stranger", "Choose a colleague who can write"),
    ],
)
def test_what_cannot_be_is_said_beside_its_control(scene, work_as, field, value, told):
    officer = scene.browser(scene.officer)
    sent = str(getattr(scene, value).id) if field == "owner.1" else value
    form = form_of(officer.get("/owners")) | {field: sent}
    refused = officer.post("/owners", form)
    assert refused.status == 422
    assert told in refused.words
    assert f'id="{field}-error"' in refused.html
    assert form_of(refused)[field] == sent
    assert events(work_as, EventTag.SECTIONS_SHARED_OUT) == []


def test_overdue_is_said_until_the_section_is_complete(scene, work_as, clock):
    officer = scene.browser(scene.officer)
    form = form_of(officer.get("/owners")) | {"due.1": "2026-11-24"}
    assert officer.post("/owners", form).status == 303
    assert "overdue" not in officer.get("").words
    clock.advance(timedelta(days=1))
    assert "overdue since 24 Nov" in scene.browser(scene.officer).get("").words


def test_not_once_it_is_submitted_and_only_sections_of_it(scene, work_as):
    with work_as(system_actor("test")) as work:
        assessment = work.session.get(Assessment, scene.assessment_id)
        task = {"nine": SectionTask(None, DUE)}
        with pytest.raises(NotFoundError):
            service.share_out(work, assessment, shown={}, wanted=task)
        with pytest.raises(NotReadyError):
            service.share_out(
                work, assessment, shown={}, wanted={"1": SectionTask(work.new_id(), None)}
            )
        service.lock(work, assessment)
        with pytest.raises(SectionLockedError):
            service.share_out(work, assessment, shown={}, wanted={"1": SectionTask(None, DUE)})
        work.session.flush()
        assert (
            work.session.scalars(
                select(AuditEvent).where(AuditEvent.tag == EventTag.SECTIONS_SHARED_OUT)
            ).all()
            == []
        )
