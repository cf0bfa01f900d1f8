"""The pages about delegations, as people of both sides and strangers meet them."""

import io
import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit.models import AuditEvent
from app.authz.actor import DelegationScope, TraderRole, system_actor
from app.delegations import service
from app.delegations.models import Delegation
from app.delegations.workflow import DelegationState, Side
from app.documents.models import Document
from app.kernel.identifiers import Scheme
from app.kernel.ids import new_id
from app.traders.models import Trader
from tests.factories.delegations import delegate, make_pair, offer
from tests.factories.documents import pdf
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import acting, add_identifier, appoint_person
from tests.traders.conftest import Page, Visitor

S = DelegationScope
SYSTEM = system_actor("test")
FILER = "TWY"
NUMBER = "12-345678900"
OLD = timedelta(minutes=6)
TERMS = {
    "scopes": ["submit_filings", "view_status"],
    "first_day": "2026-11-24",
    "last_day": "2027-05-31",
}


@dataclass
class Browser(Visitor):
    """A browser that can also send lists and files."""

    def press(self, path: str, form: dict, **typed) -> Page:
        return self._page(
            self.client.post(path, data={**form, **typed}, content_type="multipart/form-data")
        )


@dataclass
class World:
    """A pair with a browser for each officer; `client` and `broker` are their addresses."""

    pair: object
    app: object
    work_as: object
    trader: Browser
    broker: Browser

    @property
    def client_at(self):
        return f"/traders/{self.pair.trader_id}"

    @property
    def broker_at(self):
        return f"/traders/{self.pair.broker_id}"

    def browse(self, person):
        client: FlaskClient = self.app.test_client()
        sign_in(client, person)
        return Browser(client)

    def rows(self):
        with self.work_as(SYSTEM) as work:
            return work.session.scalars(select(Delegation).order_by(Delegation.id)).all()

    def state(self):
        (found,) = self.rows()
        return found.state

    def offer(self, scopes=(S.SUBMIT,)):
        with self.work_as(SYSTEM) as work:
            return offer(work, self.pair, scopes).id

    def delegate(self, *scopes):
        with self.work_as(SYSTEM) as work:
            return delegate(work, self.pair, scopes or (S.SUBMIT,)).id

    def asked(self):
        with self.work_as(SYSTEM) as work:
            return service.propose(
                acting(work, self.pair.broker_officer),
                work.session.get_one(Trader, self.pair.trader_id),
                work.session.get_one(Trader, self.pair.broker_id),
                key=work.new_id(),
                side=Side.BROKER,
                scopes={S.STATUS},
                first_day=work.now.date(),
                last_day=work.now.date() + timedelta(days=9),
            ).id


@pytest.fixture
def world(app, work_as):
    with work_as(SYSTEM) as work:
        pair = make_pair(work)
        broker = work.session.get_one(Trader, pair.broker_id)
        add_identifier(work, broker, Scheme.FILER, FILER, verified=True)
    found = World(pair, app, work_as, None, None)
    found.trader, found.broker = found.browse(pair.officer), found.browse(pair.broker_officer)
    return found


def paper(name="authority.pdf"):
    return io.BytesIO(pdf("We let our broker act for us.")), name


def new_offer(world, browser=None):
    """The offer's page for the broker that the filer code names, and its untouched form."""
    browser = browser or world.trader
    page = browser.get(f"{world.client_at}/delegations/new?scheme=filer&number={FILER}")
    assert page.status == 200
    return page, page.fields()


def send_offer(world, form, **typed):
    values = {**TERMS, "file": paper(), **typed}
    return world.trader.press(f"{world.client_at}/delegations/new", form, **values)


def test_the_client_offers_the_broker_accepts_works_and_is_refused_once_revoked(world):
    page, form = new_offer(world)
    assert "Let Sound Brokers act for you" in page.words()
    made = send_offer(world, form)
    assert made.status == 303, made.words()
    shown = world.trader.get(made.location)
    assert "Sound Brokers has to accept it" in shown.words()
    assert "Whose turn Sound Brokers" in shown.words()
    assert world.broker.get(f"{world.client_at}/advance-data").status == 404

    waiting = world.broker.get(f"{world.broker_at}/clients").words()
    assert "Sound Imports LLC offers you a delegation" in waiting
    (found,) = world.rows()
    ours = f"{world.broker_at}/delegations/{found.id}"
    assert "Whose turn Yours" in world.broker.get(ours).words()
    paper_page = world.broker.get(f"{ours}/authority")
    assert paper_page.status in {200, 409}
    done = world.broker.send(f"{ours}/consent", agreed="y")
    assert done.status == 303
    assert "In force" in world.broker.get(ours).words()

    start = world.broker.get("/")
    assert (start.status, start.location) == (303, f"{world.broker_at}/clients")
    clients = world.broker.get(start.location).words()
    assert "Sound Imports LLC" in clients
    assert "31 May 2027" in clients
    upload = world.broker.get(f"{world.client_at}/advance-data/upload")
    assert upload.status == 200
    assert "Acting for: Sound Imports LLC as Sound Brokers" in upload.words()

    theirs = f"{world.client_at}/delegations/{found.id}"
    assert "Revoke this delegation now?" in world.trader.get(f"{theirs}/end").words()
    assert world.trader.send(f"{theirs}/end").status == 303
    assert world.broker.get(f"{world.client_at}/advance-data/upload").status == 404
    sent = world.broker.post(f"{world.client_at}/advance-data/upload", upload.fields())
    assert sent.status == 404
    assert "Ended" in world.broker.get(ours).words()


def test_both_sides_read_who_did_what(world):
    delegation_id = world.delegate()
    for browser, base in ((world.trader, world.client_at), (world.broker, world.broker_at)):
        words = browser.get(f"{base}/delegations/{delegation_id}").words()
        assert "Accepted: both sides consent" in words
        assert words.count(world.pair.officer.name) >= 1
        assert words.count(world.pair.broker_officer.name) >= 1
        assert "File advance data: send filings" in words


def test_a_double_click_offers_once_and_keeps_one_document(world):
    _, form = new_offer(world)
    answers = [send_offer(world, form) for _ in range(2)]
    assert [one.status for one in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    assert len(world.rows()) == 1
    with world.work_as(SYSTEM) as work:
        assert len(work.session.scalars(select(Document)).all()) == 1


@pytest.mark.parametrize("name", ["consent", "end", "refusal"])
def test_a_double_click_answers_once(world, name):
    delegation_id = world.delegate() if name == "end" else world.offer()
    path = f"{world.broker_at}/delegations/{delegation_id}/{name}"
    form = {**world.broker.get(path).fields(), **({"agreed": "y"} if name == "consent" else {})}
    assert [world.broker.post(path, form).status for _ in range(2)] == [303, 303]
    tags = {"consent": "accepted", "end": "revoked", "refusal": "declined"}
    with world.work_as(SYSTEM) as work:
        events = work.session.scalars(
            select(AuditEvent).where(AuditEvent.tag == f"delegation:{tags[name]}")
        ).all()
        assert len(events) == 1
        assert events[0].person_id == world.pair.broker_officer.id


def test_the_consent_is_never_assumed(world):
    delegation_id = world.offer()
    answer = world.broker.send(f"{world.broker_at}/delegations/{delegation_id}/consent")
    assert answer.status == 422
    assert "Tick the box to consent." in answer.words()
    assert world.state() == DelegationState.PROPOSED


def test_only_an_exact_number_of_a_broker_finds_one(world):
    with world.work_as(SYSTEM) as work:
        other = make_pair(work, number="91-114444201", name="Narrows")
        broker = work.session.get_one(Trader, other.broker_id)
        add_identifier(work, broker, Scheme.LICENCE, "04321")
    answers = [
        world.trader.get(f"{world.client_at}/delegations/new?scheme={scheme}&number={number}")
        for scheme, number in (
            ("filer", "TW"),
            ("filer", "TWX"),
            ("licence", "04321"),
            ("ior", "91-114444201"),
        )
    ]
    assert [one.status for one in answers] == [422] * 4
    assert all("Narrows" not in one.text for one in answers)
    assert "No broker here holds this number" in answers[2].words()
    # An importer's number in the form itself is no broker either.
    _, form = new_offer(world)
    sent = send_offer(world, form, scheme="ior", number="91-114444201")
    assert sent.status == 422
    assert "Narrows" not in sent.text
    assert world.rows() == []


def asking(world, number, scheme="ior", **changes):
    path = f"{world.broker_at}/delegations/ask"
    form = world.broker.get(path).fields()
    return world.broker.press(
        path, form, **{**TERMS, "scheme": scheme, "number": number, **changes}
    )


def test_asking_tells_nothing_and_the_client_consents_with_its_authority(world):
    known, unknown, malformed = (
        asking(world, number) for number in (NUMBER, "98-765432100", "not a number")
    )
    assert known == unknown == malformed
    assert known.status == 303
    told = world.broker.get(known.location).words()
    assert "Sound Imports" not in told
    (found,) = world.rows()
    assert world.broker.get(f"{world.broker_at}/delegations/{found.id}").status == 404
    theirs = f"{world.client_at}/delegations/{found.id}"
    assert "The broker asks to act for you" in world.trader.get(theirs).words()
    form = world.trader.get(f"{theirs}/consent").fields()
    assert world.trader.press(f"{theirs}/consent", form, agreed="y").status == 422
    assert world.state() == DelegationState.PROPOSED
    for _ in range(2):
        done = world.trader.press(f"{theirs}/consent", form, agreed="y", file=paper())
        assert done.status == 303, done.words()
    assert world.state() == DelegationState.ACTIVE
    assert world.broker.get(f"{world.broker_at}/delegations/{found.id}").status == 200
    assert "Sound Imports LLC" in world.broker.get(f"{world.broker_at}/clients").words()


def test_whoever_has_to_answer_meets_it_on_the_overview(world):
    world.asked()
    words = world.trader.get(f"{world.client_at}/overview").words()
    assert "Sound Brokers asks to act for you" in words
    assert "Sound Imports" not in world.broker.get(f"{world.broker_at}/overview").words()
    world.offer()
    words = world.broker.get(f"{world.broker_at}/overview").words()
    assert "Sound Imports LLC offers you a delegation" in words
    page = world.trader.get(f"{world.client_at}/overview")
    assert page.words().count("asks to act for you") == 1
    assert "offers you a delegation" not in page.words()


def test_a_client_is_not_asked_twice_while_it_thinks(world):
    assert [asking(world, NUMBER).status for _ in range(2)] == [303, 303]
    assert len(world.rows()) == 1
    # Wrong terms are told alike whether there is such a client or not.
    wrong = [asking(world, number, last_day="2026-01-01") for number in (NUMBER, "98-765432100")]
    assert [one.status for one in wrong] == [422, 422]


def test_an_importer_asks_nobody(world):
    path = f"{world.client_at}/delegations/ask"
    page = world.trader.get(path)
    assert "Only customs brokers act for others" in page.words()
    csrf = world.trader.get(f"{world.client_at}/delegations/new").text
    token = re.findall(r'"X-CSRFToken": "([^"]+)"', csrf)[0]
    sent = world.trader.press(
        path, {"csrf_token": token}, scheme="ior", number="91-114444201", **TERMS
    )
    assert sent.status == 422
    assert world.rows() == []


def test_the_broker_hands_back(world):
    delegation_id = world.delegate()
    path = f"{world.broker_at}/delegations/{delegation_id}/end"
    assert "Hand this delegation back?" in world.broker.get(path).words()
    assert world.broker.send(path).status == 303
    assert world.state() == DelegationState.REVOKED
    assert world.broker.get(f"{world.client_at}/advance-data").status == 404


def test_foreign_and_absent_look_alike_and_a_side_has_its_own_buttons(world):
    delegation_id = world.offer()
    with world.work_as(SYSTEM) as work:
        stranger = make_pair(work, number="91-114444201", name="Narrows")
    other = world.browse(stranger.officer)
    at = f"/traders/{stranger.trader_id}/delegations"
    for name in ("", "/consent", "/refusal", "/end", "/authority"):
        assert other.get(f"{at}/{delegation_id}{name}").status == 404
        assert other.get(f"{at}/{new_id()}{name}").status == 404
        assert other.get(f"{world.client_at}/delegations/{delegation_id}{name}").status == 404
    # The client cannot answer its own offer, nor the broker take it back.
    assert world.trader.get(f"{world.client_at}/delegations/{delegation_id}/consent").status == 404
    assert world.trader.get(f"{world.client_at}/delegations/{delegation_id}/refusal").status == 404
    assert world.broker.get(f"{world.broker_at}/delegations/{delegation_id}/end").status == 404
    assert world.trader.get(f"{world.client_at}/delegations/{delegation_id}/end").status == 200


@pytest.mark.parametrize("role", [TraderRole.PREPARER, TraderRole.VIEWER, TraderRole.CONSULTANT])
def test_only_an_officer_agrees(world, role):
    with world.work_as(SYSTEM) as work:
        person = make_person(work)
        broker = work.session.get_one(Trader, world.pair.broker_id)
        appoint_person(work, broker, world.pair.broker_officer, person, role)
    delegation_id = world.offer()
    browser = world.browse(person)
    at = f"{world.broker_at}/delegations/{delegation_id}"
    sees = 403 if role is TraderRole.CONSULTANT else 200
    assert browser.get(at).status == sees
    assert browser.get(f"{world.broker_at}/clients").status == sees
    form = world.broker.get(f"{at}/consent").fields()
    for name in ("consent", "refusal", "end"):
        assert browser.get(f"{at}/{name}").status == 403
        assert browser.post(f"{at}/{name}", {**form, "agreed": "y"}).status in {400, 403}
    assert world.state() == DelegationState.PROPOSED


@pytest.mark.parametrize("name", ["consent", "end", "refusal"])
def test_without_the_form_token_nothing_happens(world, name):
    delegation_id = world.delegate() if name == "end" else world.offer()
    before = world.state()
    path = f"{world.broker_at}/delegations/{delegation_id}/{name}"
    form = {**world.broker.get(path).fields(), "agreed": "y"}
    del form["csrf_token"]
    assert world.broker.post(path, form).status == 400
    assert world.state() == before


@pytest.mark.parametrize("name", ["consent", "end"])
def test_an_old_proof_is_not_enough(world, clock, name):
    delegation_id = world.delegate() if name == "end" else world.offer()
    before = world.state()
    path = f"{world.broker_at}/delegations/{delegation_id}/{name}"
    form = {**world.broker.get(path).fields(), "agreed": "y"}
    clock.advance(OLD)
    answer = world.broker.post(path, form)
    assert answer.status == 422
    assert "Confirm" in answer.words()
    assert world.state() == before


def test_an_old_proof_proposes_nothing(world, clock):
    _, form = new_offer(world)
    path = f"{world.broker_at}/delegations/ask"
    question = world.broker.get(path).fields()
    clock.advance(OLD)
    assert send_offer(world, form).status == 422
    asked = world.broker.press(path, question, **TERMS, scheme="ior", number=NUMBER)
    assert asked.status == 422
    assert world.rows() == []
    # Who begins again proves it first, so that a chosen file is not lost on the way.
    again = world.trader.get(f"{world.client_at}/delegations/new")
    assert again.status == 303
    assert again.location.startswith("/confirm?next=/traders/")


def test_what_was_agreed_with_a_broker_is_in_no_other_list_of_documents(world):
    _, form = new_offer(world)
    assert send_offer(world, form, file=paper("our terms.pdf")).status == 303
    (found,) = world.rows()
    world.broker.send(f"{world.broker_at}/delegations/{found.id}/consent", agreed="y")
    with world.work_as(SYSTEM) as work:
        other = make_pair(work, number="91-114444201", name="Narrows")
        both = type(other)(
            world.pair.trader_id, other.broker_id, world.pair.officer, other.broker_officer
        )
        delegate(work, both, {S.PREPARE, S.RESPOND})
    rival = world.browse(other.broker_officer)
    listed = rival.get(f"{world.client_at}/documents")
    assert listed.status == 200
    assert "our terms" not in listed.text
    assert "our terms" not in world.trader.get(f"{world.client_at}/documents").text
    for browser in (rival, world.trader):
        assert browser.get(f"/documents/{found.authority_revision_id}").status == 404
    own = world.trader.get(f"{world.client_at}/delegations/{found.id}/authority")
    assert own.status in {200, 409}


def test_the_clients_page_shows_what_each_scope_shows(world):
    world.delegate(S.STATUS)
    words = world.broker.get(f"{world.broker_at}/clients").words()
    assert "See the standing" in words
    assert "File advance data" not in words


def test_it_is_over_with_its_last_day(world, clock):
    delegation_id = world.delegate()
    clock.advance(timedelta(days=31))
    browser = world.browse(world.pair.broker_officer)
    assert "Over" in browser.get(f"{world.broker_at}/delegations/{delegation_id}").words()
    assert "No client lets you act now" in browser.get(f"{world.broker_at}/clients").words()
    assert browser.get("/").location != f"{world.broker_at}/clients"
