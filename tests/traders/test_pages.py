"""The pages about a trader: who sees them, what they change, and what they never do."""

import logging
import re
from contextlib import contextmanager

import pytest
from sqlalchemy import event, func, select

from app.audit.models import AuditEvent
from app.authz.actor import AgencyRole, TraderRole, system_actor
from app.kernel.identifiers import Scheme
from app.traders import queries, service
from app.traders.models import Contact, Site, Trader, TraderIdentifier
from tests.factories import traders as factory

UUIDS = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}")
TOKENS = re.compile(r"""(name="csrf_token"[^>]*value="|"X-CSRFToken": ")[^"]+""")
SSN = "536-90-4399"

COMPANY = {
    "entity_type": "importer",
    "name": "Harbour Lane Imports LLC",
    "country": "US",
    "address_line": "2400 Harbor Lane",
    "city": "San Pedro",
    "region": "CA",
    "postal_code": "90731",
    "office_country": "US",
    "imported_within_year": "True",
}
SITE = {
    "name": "Carson warehouse",
    "kind": "warehouse",
    "country": "US",
    "address_line": "17 Alameda Street",
    "city": "Carson",
    "region": "CA",
    "postal_code": "90810",
}
CONTACT = {
    "name": "Ruth Delgado",
    "role": "Head of security",
    "position": "officer",
    "email": "ruth@example.com",
    "phone": "+1 310 555 0123",
    "is_primary": "y",
}
BOND = {
    "kind": "continuous",
    "number": "240100123",
    "surety": "Breakwater Surety Company",
    "activity_code": "1",
    "amount": "$50,000",
    "valid_from": "2024-01-01",
    "valid_until": "",
}


@pytest.fixture
def officer(person_of):
    return person_of(name="Olga Officer", email="olga@example.com")


@pytest.fixture
def trader(work_as, officer):
    with work_as(system_actor("test")) as work:
        return factory.make_trader(work, officer)


@pytest.fixture
def base(trader):
    return f"/traders/{trader.id}"


@pytest.fixture
def browser(visit, officer, trader):
    return visit(officer)


def count(work_as, model):
    with work_as(system_actor("test")) as work:
        return work.session.scalar(select(func.count()).select_from(model))


def rows(work_as, model):
    with work_as(system_actor("test")) as work:
        return list(work.session.scalars(select(model)))


# ---- Registering ----


def test_a_person_registers_a_trader_and_sees_what_is_still_missing(visit, person_of, work_as):
    browser = visit(person_of())
    answer = browser.send("/traders/new", **COMPANY)
    assert answer.status == 303
    profile = browser.get(answer.location)
    assert profile.status == 200
    words = profile.words()
    assert "Harbour Lane Imports LLC" in words
    assert "The profile is not complete yet" in words
    assert "Record a continuous bond that is in force." in words
    assert "Acting for: Harbour Lane Imports LLC" in words


def test_the_double_click_registers_once_and_leads_to_the_first(visit, person_of, work_as):
    browser = visit(person_of())
    form = {**browser.get("/traders/new").fields(), **COMPANY}
    first, second = browser.post("/traders/new", form), browser.post("/traders/new", form)
    assert (first.status, second.status) == (303, 303)
    assert first.location == second.location
    assert count(work_as, Trader) == 1


def test_an_incomplete_form_keeps_what_was_typed_and_names_each_gap(visit, person_of, work_as):
    browser = visit(person_of())
    page = browser.send("/traders/new", **{**COMPANY, "name": "", "postal_code": "9"})
    assert page.status == 422
    assert "Give the company" in page.words()
    assert page.fields()["city"] == "San Pedro"
    assert page.fields()["postal_code"] == "9"
    assert page.tree.find(".//*[@id='error-summary']") is not None
    assert count(work_as, Trader) == 0


def test_a_rule_of_the_domain_speaks_beside_its_field(visit, person_of, work_as):
    page = visit(person_of()).send("/traders/new", **{**COMPANY, "postal_code": "9"})
    assert page.status == 422
    assert "Give the ZIP code" in "".join(
        page.tree.find(".//*[@id='postal_code-error']").itertext()
    )


# ---- Who sees what ----

PAGES = (
    "",
    "/company",
    "/identifiers",
    "/identifiers/claim/ior",
    "/bonds",
    "/bonds/new",
    "/sites",
    "/sites/new",
    "/contacts",
    "/contacts/new",
    "/people",
    "/people/invite",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_foreign_trader_looks_like_an_absent_one(visit, person_of, work_as, trader, path):
    stranger = person_of(name="Sam Stranger")
    with work_as(system_actor("test")) as work:
        factory.make_trader(work, stranger, name="Elsewhere Ltd")
        absent = work.new_id()
    browser = visit(stranger)
    foreign, missing = (browser.get(f"/traders/{one}{path}") for one in (trader.id, absent))
    assert (foreign.status, missing.status) == (404, 404)
    assert _neutral(foreign.text) == _neutral(missing.text)
    assert trader.name not in foreign.text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_for_the_officer_and_writes_nothing(
    browser, base, path, work_as, statements
):
    with statements() as seen:
        assert browser.get(base + path).status == 200
    changing = [s for s in seen if re.match(r"\s*(INSERT|UPDATE|DELETE)", s)]
    assert [s for s in changing if "web_session" not in s] == []


def test_a_viewer_sees_the_profile_and_no_way_to_change_it(
    visit, person_of, work_as, officer, trader, base
):
    viewer = person_of()
    with work_as(system_actor("test")) as work:
        factory.appoint_person(work, trader, officer, viewer, TraderRole.VIEWER)
        site = factory.add_site(work, trader)
    browser = visit(viewer)
    for path in ("", "/identifiers", "/bonds", "/sites", "/contacts", "/people"):
        page = browser.get(base + path)
        assert page.status == 200
        main = page.tree.find(".//{http://www.w3.org/1999/xhtml}main")
        links = [e.get("href") or "" for e in main.iter() if e.tag.endswith("}a")]
        assert not [x for x in links if x.endswith(("/new", "/invite", "/company"))]
        assert list(main.iter("{http://www.w3.org/1999/xhtml}form")) == []
    assert browser.get(f"{base}/sites/{site.id}").status == 403


def test_a_preparer_edits_the_profile_and_appoints_nobody(
    visit, person_of, work_as, officer, trader, base
):
    preparer = person_of()
    with work_as(system_actor("test")) as work:
        factory.appoint_person(work, trader, officer, preparer, TraderRole.PREPARER)
    browser = visit(preparer)
    assert browser.send(f"{base}/sites/new", **SITE).status == 303
    assert browser.get(f"{base}/people/invite").status == 403


def test_a_stranger_cannot_write(visit, person_of, work_as, trader, base):
    stranger = person_of()
    with work_as(system_actor("test")) as work:
        own = factory.make_trader(work, stranger, name="Elsewhere Ltd")
        site = factory.add_site(work, trader)
    browser = visit(stranger)
    form = browser.get(f"/traders/{own.id}/sites/new").fields()
    assert browser.post(f"{base}/sites/new", {**form, **SITE}).status == 404
    assert browser.post(f"{base}/sites/{site.id}", {**form, **SITE, "version": "1"}).status == 404
    # A row of another trader under one's own address is absent as well.
    path = f"/traders/{own.id}/sites/{site.id}"
    assert browser.post(path, {**form, **SITE, "version": "1"}).status == 404
    assert [one.name for one in rows(work_as, Site)] == ["Carson warehouse"]


def test_without_a_form_token_nothing_is_written(browser, base, work_as):
    form = browser.get(f"{base}/sites/new").fields()
    del form["csrf_token"]
    assert browser.post(f"{base}/sites/new", {**form, **SITE}).status == 400
    assert count(work_as, Site) == 0


# ---- Sites, contacts, bonds ----


def test_the_double_click_adds_one_site_and_one_contact(browser, base, work_as):
    for path, typed, model in (("sites", SITE, Site), ("contacts", CONTACT, Contact)):
        form = {**browser.get(f"{base}/{path}/new").fields(), **typed}
        answers = [browser.post(f"{base}/{path}/new", form) for _ in range(2)]
        assert [a.status for a in answers] == [303, 303]
        assert count(work_as, model) == 1


def test_a_contact_is_added_changed_and_removed(browser, base, work_as):
    browser.send(f"{base}/contacts/new", **CONTACT)
    (contact,) = rows(work_as, Contact)
    path = f"{base}/contacts/{contact.id}"
    assert browser.send(path, name="Ruth D. Delgado").status == 303
    assert "Ruth D. Delgado" in browser.get(f"{base}/contacts").words()
    form = browser.get(f"{path}/removal").fields()
    assert [browser.post(f"{path}/removal", form).status for _ in range(2)] == [303, 303]
    assert browser.get(f"{path}/removal").status == 404
    assert "No contact is added yet" in browser.get(f"{base}/contacts").words()
    assert browser.get(path).status == 404


def test_an_adviser_as_primary_contact_is_refused_beside_the_box(browser, base, work_as):
    page = browser.send(f"{base}/contacts/new", **{**CONTACT, "position": "adviser"})
    assert page.status == 422
    assert page.tree.find(".//*[@id='is_primary-error']") is not None
    assert page.fields()["email"] == "ruth@example.com"
    assert count(work_as, Contact) == 0


def test_a_bond_is_recorded_and_its_odd_values_are_kept_for_correction(browser, base):
    odd = browser.send(f"{base}/bonds/new", **{**BOND, "amount": "NaN", "valid_from": "2024-02-30"})
    assert odd.status == 422
    assert (odd.fields()["amount"], odd.fields()["valid_from"]) == ("NaN", "2024-02-30")
    assert browser.send(f"{base}/bonds/new", **BOND).status == 303
    words = browser.get(f"{base}/bonds").words()
    assert "$50,000.00" in words
    assert "In force" in words


# ---- Two people on one record ----


def test_a_stale_form_shows_both_values_and_loses_nothing(browser, visit, officer, base, work_as):
    second = visit(officer)
    mine = {**browser.get(f"{base}/company").fields(), "name": "My Name LLC"}
    assert second.send(f"{base}/company", name="Their Name LLC").status == 303
    page = browser.post(f"{base}/company", mine)
    assert page.status == 409
    words = page.words()
    assert "Somebody else changed this while you were working on it" in words
    assert "Their Name LLC My Name LLC" in words
    assert page.fields()["name"] == "My Name LLC"
    assert [t.name for t in rows(work_as, Trader)] == ["Their Name LLC"]
    # Saving once more is a decision, and counts.
    assert browser.post(f"{base}/company", page.fields()).status == 303
    assert [t.name for t in rows(work_as, Trader)] == ["My Name LLC"]


def test_the_double_click_on_a_change_is_no_conflict_with_itself(browser, base):
    form = {**browser.get(f"{base}/company").fields(), "name": "New Name LLC"}
    assert [browser.post(f"{base}/company", form).status for _ in range(2)] == [303, 303]


@pytest.mark.parametrize("version", ["", "x", "0", "9" * 40, "²"])
def test_a_tampered_version_is_stale_and_no_error(browser, base, version):
    form = {**browser.get(f"{base}/company").fields(), "name": "New", "version": version}
    assert browser.post(f"{base}/company", form).status == 409


@pytest.mark.parametrize("key", ["", "x", "00000000-0000"])
def test_a_tampered_key_makes_a_row_like_any_other(browser, base, work_as, key):
    form = {**browser.get(f"{base}/sites/new").fields(), **SITE, "key": key}
    assert browser.post(f"{base}/sites/new", form).status == 303
    assert count(work_as, Site) == 1


# ---- Identifiers ----


def _neutral(page_text):
    return TOKENS.sub("", UUIDS.sub("ID", page_text))


def _claim(browser, base, value, scheme="ior"):
    answer = browser.send(f"{base}/identifiers/claim/{scheme}", value=value)
    assert answer.status == 303
    return browser.get(answer.location)


def test_a_claim_says_the_same_whether_others_claim_or_hold_it_or_not(
    visit, person_of, work_as, officer
):
    """The page after a claim, byte for byte, but for form tokens and ids of rows and requests."""
    browser, rival_officer, seen = visit(officer), person_of(), {}
    numbers = {"nobody": "91-114444200", "claimed": "91-114444201", "held": "91-114444202"}
    for before, number in numbers.items():
        with work_as(system_actor("test")) as work:
            trader = factory.make_trader(work, officer)
            rival = factory.make_trader(work, rival_officer, name="Rival Imports")
            if before != "nobody":
                factory.add_identifier(work, rival, value=number, verified=before == "held")
        page = _claim(browser, f"/traders/{trader.id}", number)
        seen[before] = _neutral(page.text).replace(number, "NUMBER")
    assert seen["nobody"] == seen["claimed"] == seen["held"]
    assert "Claimed: the agency has not verified it yet" in seen["nobody"]
    with work_as(system_actor("test")) as work:
        conflicts = list(work.session.scalars(queries.open_conflicts()))
    assert {one.shown for one in conflicts} == {numbers["claimed"], numbers["held"]}


def test_the_states_of_an_identifier_in_words(browser, base, work_as, trader):
    with work_as(system_actor("test")) as work:
        factory.add_identifier(work, trader, verified=True)
        refused = factory.add_identifier(work, trader, Scheme.GLN, "9501101530003")
        service.refuse_identifier(work, refused, reason="The certificate has lapsed.")
        factory.add_identifier(work, trader, Scheme.EIN, "07-1144442")
    words = browser.get(f"{base}/identifiers").words()
    assert "Verified on 24 November 2026" in words
    assert "Refused: The certificate has lapsed." in words
    assert words.count("Claimed: the agency has not verified it yet") == 1
    assert "our list may be out of date" in words


def test_an_error_stands_beside_the_field_with_its_fix(browser, base, work_as):
    page = browser.send(f"{base}/identifiers/claim/lei", value="5493001KJTIIGC8Y1R13")
    assert page.status == 422
    error = "".join(page.tree.find(".//*[@id='value-error']").itertext())
    assert "do not fit the rest of it" in error
    assert "Copy it again" in error
    assert page.fields()["value"] == "5493001KJTIIGC8Y1R13"


def test_a_scheme_of_another_kind_of_trader_is_absent(browser, base):
    assert browser.get(f"{base}/identifiers/claim/scac").status == 404
    assert browser.get(f"{base}/identifiers/claim/nonsense").status == 404


def test_withdrawing_asks_first(browser, base, work_as):
    _claim(browser, base, "12-345678900")
    (identifier,) = rows(work_as, TraderIdentifier)
    path = f"{base}/identifiers/{identifier.id}/withdrawal"
    assert "It stops naming your company at once" in browser.get(path).words()
    assert browser.send(path).status == 303
    assert "No identifier is claimed yet" in browser.get(f"{base}/identifiers").words()


@pytest.mark.parametrize("typed", [SSN, " 536-90-4399 ", "219-09-9999", "536904399"])
def test_a_social_security_number_is_never_written_back(browser, base, work_as, typed, caplog):
    caplog.set_level(logging.DEBUG)
    for _ in range(2):
        answer = browser.send(f"{base}/identifiers/claim/ior", value=typed)
        seen = answer.text + browser.get(f"{base}/identifiers").text + browser.get(base).text
        bare = typed.strip().replace("-", "")
        for needle in (typed.strip(), bare, bare[:5]):
            assert needle not in seen
            assert needle not in answer.location
            assert needle not in caplog.text
    with work_as(system_actor("test")) as work:
        told = [str(data) for data in work.session.scalars(select(AuditEvent.data))]
    assert not any(bare[:5] in one or typed.strip() in one for one in told)


def test_a_claimed_social_security_number_is_shown_masked(browser, base):
    assert "***-**-4399" in _claim(browser, base, SSN).words()


# ---- Query counts ----


@pytest.fixture
def statements(engine):
    """`with statements() as seen:` collects the SQL that runs meanwhile."""

    @contextmanager
    def collect():
        seen = []

        def note(_connection, _cursor, statement, *_rest):
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return collect


def test_lists_ask_the_same_number_of_questions_for_one_and_three_rows(
    browser, base, work_as, trader, officer, person_of, statements
):
    def numbers():
        found = {}
        for path in ("", "/people", "/sites", "/contacts", "/identifiers", "/bonds"):
            with statements() as seen:
                assert browser.get(base + path).status == 200
            found[path] = len(seen)
        with statements() as seen:
            assert browser.get("/acting-for").status == 200
        found["/acting-for"] = len(seen)
        return found

    with work_as(system_actor("test")) as work:
        factory.complete_profile(work, trader)
    browser.get(base)
    one = numbers()
    people = [person_of() for _ in range(2)]
    with work_as(system_actor("test")) as work:
        for number, person in enumerate(people):
            factory.appoint_person(work, trader, officer, person, TraderRole.VIEWER)
            factory.make_trader(work, officer, name=f"Further {number}")
            factory.add_site(work, trader, f"Site {number}")
            factory.add_contact(work, trader, f"Contact {number}", is_primary=False)
            factory.add_bond(work, trader, number=f"24010012{number}")
        factory.add_identifier(work, trader, Scheme.LEI, "5493001KJTIIGC8Y1R12")
        factory.add_identifier(work, trader, Scheme.GLN, "9501101530003")
    assert numbers() == one


def test_the_agency_registers_nothing_and_has_no_companies(visit, person_of):
    browser = visit(person_of(roles=[AgencyRole.REVIEWER]))
    assert browser.get("/traders/new").status == 403
    assert "You act for no company" in browser.get("/acting-for").words()


def test_a_profile_is_read_in_a_read_only_transaction(browser, base, statements):
    """So a stray write in a view would fail in the database."""
    with statements() as seen:
        browser.get(base)
    assert "SET TRANSACTION READ ONLY" in seen
