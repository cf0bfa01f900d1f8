"""The pages about new officers: who sees what, what is asked for, what the trader reads of it."""

import re
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.audit.access import Circumstances, record_security_event
from app.audit.tags import SecurityTag
from app.authz.actor import AgencyRole, system_actor
from app.documents.files import files
from app.documents.models import DocumentRevision
from app.successions.models import Succession
from tests.factories.casework import make_staff, post, signed_in
from tests.factories.documents import pdf
from tests.factories.identity import make_person
from tests.factories.successions import propose_officer
from tests.factories.traders import make_trader

SYSTEM = system_actor("test")


@pytest.fixture
def cast(app, work_as):
    with work_as(SYSTEM) as work:
        officer = make_person(work, name="Old Hand", email="old@example.com")
        trader = make_trader(work, officer)
        reviewer = make_staff(work, name="Rita Reads")
        supervisor = make_staff(work, AgencyRole.SUPERVISOR, "Sam Signs")
        auditor = make_staff(work, AgencyRole.AUDITOR, "Aud Itor")
        trader_id = trader.id
    return SimpleNamespace(
        trader_id=trader_id,
        people=SimpleNamespace(reviewer=reviewer, supervisor=supervisor, officer=officer),
        officer=signed_in(app, officer),
        reviewer=signed_in(app, reviewer),
        supervisor=signed_in(app, supervisor),
        auditor=signed_in(app, auditor),
        propose=f"/console/register/{trader_id}/officer",
    )


@pytest.fixture
def proposed(cast, work_as):
    with work_as(SYSTEM) as work:
        found = propose_officer(work, cast.trader_id, cast.people.reviewer)
        return f"/console/officers/{found.id}"


def kept(work_as):
    """The bytes of the one document that there is."""
    with work_as(SYSTEM) as work:
        (one,) = work.session.scalars(select(DocumentRevision)).all()
        return b"".join(files().read(one.trader_id, one.sha256))


def mark_in(answer):
    found = re.search(r'name="held"[^>]*value="([^"]*)"', answer.text)
    return found[1] if found else ""


def typed(**changes):
    return {
        "ground": "left",
        "reason": "The owner wrote to us.",
        "fate": "end",
        "officer_name": "Nia Castell",
        "officer_email": "Nia.Castell@example.com",
        "file": (BytesIO(pdf("Letter")), "letter.pdf"),
        **changes,
    }


def test_from_the_partners_page_to_the_new_officer(cast, work_as):
    partner = cast.reviewer.get(f"/console/register/{cast.trader_id}")
    assert cast.propose in partner.text
    page = cast.reviewer.get(cast.propose)
    assert "Old Hand" in page.text
    answer = post(cast.reviewer, cast.propose, typed())
    assert answer.status_code == 303
    shown = cast.reviewer.get(answer.location)
    assert "a second person has to decide" in shown.text
    assert "Approve:" not in shown.text
    # Whoever has to sign finds it where they look for work.
    assert "1 new officer of a company waits" in cast.supervisor.get("/console/queue/all").text
    assert "Approve: Nia Castell" in cast.supervisor.get(answer.location).text
    assert "Approve:" not in cast.auditor.get(answer.location).text
    done = post(cast.supervisor, f"{answer.location}/approve")
    assert done.status_code == 303
    assert "Invited, has not accepted yet" in cast.supervisor.get(answer.location).text
    assert cast.officer.get(f"/traders/{cast.trader_id}/overview").status_code == 303
    assert "Nothing waits" in cast.supervisor.get("/console/officers").text


def test_what_was_typed_stands_again_beside_its_error(cast):
    answer = post(cast.reviewer, cast.propose, typed(officer_email="nobody"))
    assert answer.status_code == 422
    assert "Give a mail address" in answer.text
    assert "The owner wrote to us." in answer.text
    # A file cannot be put back into its field, so the server holds it.
    assert "letter.pdf is kept and goes with this form" in answer.text


def test_a_chosen_file_goes_with_the_corrected_form(cast, work_as):
    answer = post(cast.reviewer, cast.propose, typed(officer_email="nobody"))
    corrected = typed(held=mark_in(answer))
    del corrected["file"]
    # Wrong once more, and held once more.
    again = post(cast.reviewer, cast.propose, {**corrected, "officer_name": ""})
    assert again.status_code == 422
    assert post(cast.supervisor, cast.propose, {**corrected}).status_code == 422
    done = post(cast.reviewer, cast.propose, {**corrected, "held": mark_in(again)})
    assert done.status_code == 303, done.text
    assert kept(work_as) == pdf("Letter")


def test_a_file_chosen_later_takes_the_place_of_the_one_held(cast, work_as):
    answer = post(cast.reviewer, cast.propose, typed(officer_email="nobody"))
    other = (BytesIO(pdf("Another")), "other.pdf")
    done = post(cast.reviewer, cast.propose, typed(held=mark_in(answer), file=other))
    assert done.status_code == 303
    assert kept(work_as) == pdf("Another")


def test_a_file_that_is_refused_is_not_held(cast):
    broken = (BytesIO(b"no picture"), "letter.png")
    answer = post(cast.reviewer, cast.propose, typed(file=broken))
    assert answer.status_code == 422
    assert mark_in(answer) == ""


def test_a_file_that_is_not_held_any_more_has_to_be_chosen_again(cast):
    gone = typed(held="01890000-0000-7000-8000-000000000000/letter.pdf")
    del gone["file"]
    answer = post(cast.reviewer, cast.propose, gone)
    assert answer.status_code == 422
    assert "Choose letter.pdf again: it was kept for a day only." in answer.text
    assert mark_in(answer) == ""


@pytest.mark.parametrize("act", ["approve", "decline"])
def test_the_second_signature_asks_for_a_fresh_proof(cast, proposed, clock, act, work_as):
    clock.at += timedelta(minutes=6)
    answer = post(
        cast.supervisor, f"{proposed}/{act}", {f"{act}-reason": "No."} if act == "decline" else {}
    )
    assert answer.status_code == 422
    with work_as(SYSTEM) as work:
        assert work.session.scalars(select(Succession)).one().state == "proposed"


def test_a_proposal_asks_for_a_fresh_proof(cast, clock, work_as):
    clock.at += timedelta(minutes=6)
    assert post(cast.reviewer, cast.propose, typed()).status_code == 422
    with work_as(SYSTEM) as work:
        assert work.session.scalars(select(Succession)).all() == []


def test_an_officer_who_signs_in_after_all_is_pointed_out(cast, proposed, app, clock, engine):
    assert "has signed in since" not in cast.supervisor.get(proposed).text
    record_security_event(
        engine,
        SecurityTag.SIGNED_IN,
        Circumstances(at=clock.at + timedelta(minutes=1)),
        person_id=cast.people.officer.id,
    )
    assert "An officer has signed in since" in cast.supervisor.get(proposed).text


def test_the_trader_reads_that_it_was_the_agency_and_never_who(cast, proposed, work_as):
    own = f"/traders/{cast.trader_id}"
    text = cast.officer.get(f"{own}/activity").text
    assert "Proposed a new officer for the company" in text
    with work_as(SYSTEM) as work:
        found = work.session.scalars(select(Succession)).one()
        evidence = found.evidence_id
    # The paper is the agency's to read, and the console hands it out.
    assert cast.officer.get(f"/documents/{evidence}").status_code == 404
    assert "letter.pdf" not in cast.officer.get(f"{own}/documents").text
    assert cast.supervisor.get(f"/documents/{evidence}").status_code == 404
    assert cast.supervisor.get(f"{proposed}/evidence").status_code in {200, 409}
    for page in ("activity", "activity.csv", "people", "documents"):
        shown = cast.officer.get(f"{own}/{page}").text
        assert "Rita Reads" not in shown
        assert "The owner wrote" not in shown
