"""The agency's people come in by invitation."""

import pytest

from app.audit.models import AuditEvent
from app.authz.actor import AgencyRole
from app.identity import queries, service
from app.identity.models import Person, StaffRole
from tests.factories.authenticator import Device
from tests.factories.identity import PASSWORD, make_person
from tests.identity.conftest import SETTER, enrol, sign_in_by

SITE = "http://localhost:8000"


@pytest.fixture
def invited(work_as):
    with work_as(SETTER) as work:
        _, address = service.invite_staff(
            work, "rae@agency.example", AgencyRole.REVIEWER, site=SITE
        )
    return address.removeprefix(SITE)


def test_an_invited_person_joins_with_a_passkey_and_no_password_opens_the_console(
    invited, app, client, post, letters, work_as
):
    assert letters()[-1].recipient == "rae@agency.example"
    assert invited in letters()[-1].body
    page = client.get(invited)
    assert "reviewer" in page.text
    assert "rae@agency.example" in page.text
    answer = post(invited, name="Rae Cole", password="eleven calm ferries")
    assert answer.location == "/sign-in/go-on"
    assert client.get(invited).status_code == 410
    # The password opens nothing, before the passkey is there and afterwards.
    by_password = {"email": "rae@agency.example", "password": "eleven calm ferries"}
    elsewhere = app.test_client()
    refused = post("/sign-in", by=elsewhere, **by_password)
    assert (refused.status_code, elsewhere.get("/console/").status_code) == (422, 303)
    assert "sign in with a passkey" in refused.text
    assert client.get("/console/").status_code == 303
    assert client.get("/security/authenticator").status_code == 403

    device = Device()
    enrol(client, post, device)
    assert client.get("/console/").status_code == 200
    assert post("/sign-in", by=elsewhere, **by_password).status_code == 422
    assert sign_in_by(elsewhere, post, device).status_code == 303
    assert "Agency console" in elsewhere.get("/security").text
    with work_as(SETTER) as work:
        tags = [one.tag for one in work.session.query(AuditEvent).order_by(AuditEvent.id)]
    assert tags == ["staff:invited", "person:signed-up", "staff:appointed", "passkey:added"]


def test_a_poor_password_does_not_use_the_invitation_up(invited, client, post):
    assert post(invited, name="Rae Cole", password="passwordpassword").status_code == 422
    assert client.get(invited).status_code == 200


def test_a_known_person_takes_the_role_by_their_password(invited, work_as, post):
    with work_as(SETTER) as work:
        person = make_person(work, email="rae@agency.example", name="Rae Cole")
    assert post(invited, password="wrong").status_code == 422
    assert post(invited, password=PASSWORD).status_code == 303
    with work_as(SETTER) as work:
        assert queries.agency_roles(work.session, person.id) == {AgencyRole.REVIEWER}
        assert work.session.get(Person, person.id).name == "Rae Cole"


def test_a_role_given_twice_is_once(work_as):
    with work_as(SETTER) as work:
        person = make_person(work, roles=[AgencyRole.AUDITOR])
        service.give_role(work, person, AgencyRole.AUDITOR)
        assert work.session.query(StaffRole).count() == 1
