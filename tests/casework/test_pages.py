"""The console over HTTP: who sees what, what is said, what is written, and how often."""

import csv
import io
import re
from datetime import timedelta
from types import SimpleNamespace

import html5lib
import pytest
from sqlalchemy import event, func, select

from app.audit.models import AccessRecord
from app.authz.actor import AgencyRole, system_actor
from app.casework import queries
from app.casework.forms import key_of
from app.casework.models import Case, CriterionReview, InformationRequest
from app.kernel.ids import new_id
from app.register.models import Determination
from app.traders.queries import identifiers_of
from tests.factories import register as register_factory
from tests.factories.casework import (
    accept_all,
    answer,
    ask,
    criterion_ids,
    judge,
    make_case,
    make_recommended,
    make_rival,
    make_staff,
    post,
    signed_in,
    take,
    verify_identifiers,
)
from tests.factories.identity import prove_again
from tests.factories.traders import acting

CANARY = "CANARY-9f3b: the reviewer thinks that they are careless"


@pytest.fixture
def staff(app, work_as):
    """Everybody at the agency, signed in."""
    with work_as(system_actor("test")) as work:
        people = {
            "reviewer": make_staff(work),
            "second": make_staff(work, name="Samir Haddad"),
            "supervisor": make_staff(work, AgencyRole.SUPERVISOR, "Grace Obuya"),
            "manager": make_staff(work, AgencyRole.PROGRAMME_MANAGER, "Lena Fischer"),
            "auditor": make_staff(work, AgencyRole.AUDITOR, "Paul Reyes"),
        }
    found = {name: signed_in(app, person) for name, person in people.items()}
    return SimpleNamespace(people=people, **found)


@pytest.fixture
def case(work_as):
    """A case that nobody has taken."""
    with work_as(system_actor("test")) as work:
        made, officer = make_case(work)
        return SimpleNamespace(
            id=made.id,
            trader_id=made.trader_id,
            application_id=made.application_id,
            officer=officer,
            criteria=criterion_ids(work, made),
            sections=[one.id for one in queries.dossier(work, made).sections],
            url=f"/console/cases/{made.id}",
        )


@pytest.fixture
def held(case, staff, work_as):
    """The same case, in the reviewer's hands."""
    with work_as(system_actor("test")) as work:
        take(work, work.session.get_one(Case, case.id), staff.people["reviewer"])
    return case


def in_case(work_as, case, person, action):
    with work_as(system_actor("test")) as work:
        action(acting(work, person), work.session.get_one(Case, case.id))


def words(response):
    """The page's text, after a strict parse of its HTML."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(response.text)
    return re.sub(r"\s+", " ", " ".join(tree.find("body").itertext()))


def count(work_as, model, *conditions):
    with work_as(system_actor("test")) as work:
        return work.session.scalar(select(func.count()).select_from(model).where(*conditions))


def pages_of(case):
    return [
        "/console/",
        "/console/queue/all",
        case.url,
        f"{case.url}/answers",
        f"{case.url}/answers?show=unjudged",
        f"{case.url}/answers/{case.sections[0]}",
        f"{case.url}/identifiers",
        f"{case.url}/requests",
        f"{case.url}/decision",
        f"{case.url}/history?area=all",
        "/console/determinations",
        "/console/register",
        "/console/register.csv",
        f"/console/register/{case.trader_id}",
        "/console/conflicts",
    ]


def test_whoever_is_not_at_the_agency_gets_nothing_of_the_console(app, case, staff):
    officer = signed_in(app, case.officer)
    for page in pages_of(case):
        assert officer.get(page).status_code == 403, page
        assert app.test_client().get(page).status_code == 303, page
        assert staff.auditor.get(page).status_code == 200, page
    assert post(officer, f"{case.url}/take").status_code in {400, 403}
    absent = f"/console/cases/{new_id()}"
    assert staff.reviewer.get(absent).status_code == 404
    assert staff.reviewer.get(f"/console/determinations/{new_id()}").status_code == 404
    assert staff.reviewer.get(f"{case.url}/answers/nothing").status_code == 404


def test_managers_and_auditors_look_and_do_not_act(case, staff):
    for client in (staff.manager, staff.auditor):
        for page in pages_of(case):
            shown = client.get(page).text
            assert "/take" not in shown, page
            assert "/verify" not in shown, page
            assert "suspend-now" not in shown, page
        assert post(client, f"{case.url}/take").status_code == 403
        criterion = f"{case.url}/answers/{case.sections[0]}/{case.criteria[0]}"
        assert post(client, criterion).status_code == 403
        assert client.get(f"{case.url}/decision/certify").status_code == 403
        assert client.get(f"{case.url}/requests/new").status_code == 403


def test_every_page_of_a_case_is_whole_in_every_state(case, staff, work_as):
    reviewer = staff.people["reviewer"]

    def look():
        for page in pages_of(case):
            if page.startswith(case.url):
                words(staff.reviewer.get(page))

    look()
    in_case(work_as, case, reviewer, lambda work, found: take(work, found, reviewer))
    look()
    first = case.criteria[0]
    in_case(work_as, case, reviewer, lambda work, found: judge(work, found, first, "returned", "x"))
    words(staff.reviewer.get(f"{case.url}/requests/new"))
    in_case(work_as, case, reviewer, lambda work, found: ask(work, found, {first: "Attach it."}))
    assert "Whose turn The trader" in words(staff.reviewer.get(case.url))
    look()
    in_case(
        work_as, case, reviewer, lambda work, found: answer(work, found, case.officer, {first: "y"})
    )
    section = words(staff.reviewer.get(f"{case.url}/answers/{case.sections[0]}"))
    assert "Changed since the version before" in section
    look()


def test_reading_a_file_is_recorded_once_for_each_look(case, staff, work_as):
    for page in (case.url, f"{case.url}/answers/{case.sections[0]}"):
        before = count(work_as, AccessRecord, AccessRecord.trader_id == case.trader_id)
        assert staff.auditor.get(page).status_code == 200
        assert count(work_as, AccessRecord, AccessRecord.trader_id == case.trader_id) == before + 1
    staff.auditor.get(f"/console/register/{case.trader_id}")
    with work_as(system_actor("test")) as work:
        person_ids = set(
            work.session.scalars(
                select(AccessRecord.person_id).where(AccessRecord.trader_id == case.trader_id)
            )
        )
    assert person_ids == {staff.people["auditor"].id}


def test_taking_a_case_that_somebody_else_took_names_them(held, staff):
    refused = post(staff.second, f"{held.url}/take")
    assert refused.status_code == 409
    assert "Dana Whitlock took case CS-2026-00001" in words(refused)
    assert post(staff.reviewer, f"{held.url}/take").status_code == 303


def test_the_queue_says_whose_turn_it_is_and_filters(held, staff):
    assert "Whose turn Reviewer" in words(staff.reviewer.get("/console/"))
    assert "CS-2026-00001" in words(staff.reviewer.get("/console/"))
    assert "You hold no case" in words(staff.second.get("/console/"))
    assert "CS-2026-00001" in words(staff.second.get("/console/queue/all?q=00001"))
    assert "CS-2026-00001" in words(staff.second.get("/console/queue/all?q=TIDEWAY"))
    missed = words(staff.second.get("/console/queue/all?q=100%25"))
    assert "No case matches" in missed
    assert "Clear filter" in missed
    assert staff.second.get("/console/queue/nothing").status_code == 404
    part = staff.second.get("/console/queue/all", headers={"HX-Request-Type": "partial"}).text
    assert part.strip().startswith('<div id="cases">')


def form_of(client, page, criterion):
    """The hidden fields of a criterion's form, as a browser would send them."""
    tree = html5lib.parse(client.get(page).text, namespaceHTMLElements=False)
    key = key_of(criterion)
    wanted = [one for one in tree.iter("form") if one.get("action", "").endswith(f"/{criterion}")]
    fields = {
        one.get("name"): one.get("value") or ""
        for one in wanted[0].iter("input")
        if one.get("name", "").startswith(key)
    }
    return key, wanted[0].get("action"), fields


def test_judging_goes_on_to_the_next_and_writes_once(held, staff, work_as):
    first, second, *_ = held.criteria
    section = f"{held.url}/answers/{held.sections[0]}"
    key, action, fields = form_of(staff.reviewer, section, first)
    sent = {**fields, f"{key}-verdict": "accepted", f"{key}-comment": ""}
    done = staff.reviewer.post(action, data=sent)
    assert done.status_code == 303
    assert done.location.endswith(f"#c-{key_of(second)}")
    assert staff.reviewer.post(action, data=sent).status_code == 303
    assert count(work_as, CriterionReview) == 1
    # With htmx, the answer is the same section, of which only this criterion is taken.
    key, action, fields = form_of(staff.reviewer, section, second)
    sent = {**fields, f"{key}-verdict": "returned", f"{key}-comment": CANARY}
    swapped = staff.reviewer.post(action, data=sent, headers={"HX-Request": "true"})
    assert swapped.location.endswith(f"{section}?judged={second}")
    assert 'data-announce="Returned"' in staff.reviewer.get(swapped.location).text


def test_returning_without_a_comment_says_so_beside_it(held, staff):
    first, *_ = held.criteria
    section = f"{held.url}/answers/{held.sections[0]}"
    key, action, fields = form_of(staff.reviewer, section, first)
    refused = staff.reviewer.post(action, data={**fields, f"{key}-verdict": "returned"})
    assert refused.status_code == 422
    assert "Say what is missing" in words(refused)


def test_a_verdict_on_an_older_version_keeps_what_was_typed(held, staff, work_as):
    reviewer = staff.people["reviewer"]
    first, *_ = held.criteria
    section = f"{held.url}/answers/{held.sections[0]}"
    key, action, fields = form_of(staff.reviewer, section, first)
    in_case(work_as, held, reviewer, lambda work, found: ask(work, found, {first: "Attach it."}))
    in_case(
        work_as, held, reviewer, lambda work, found: answer(work, found, held.officer, {first: "y"})
    )
    sent = {**fields, f"{key}-verdict": "returned", f"{key}-comment": "Typed with care."}
    stale = staff.reviewer.post(action, data=sent)
    assert stale.status_code == 409
    assert "The trader has answered again" in words(stale)
    assert "Typed with care." in stale.text
    assert count(work_as, CriterionReview) == 0
    tree = html5lib.parse(stale.text, namespaceHTMLElements=False)
    [snapshot] = [one for one in tree.iter("input") if one.get("name") == f"{key}-snapshot"]
    again = staff.reviewer.post(action, data={**sent, f"{key}-snapshot": snapshot.get("value")})
    assert again.status_code == 303


def test_a_released_case_refuses_its_former_reviewer_in_words(held, staff):
    first, *_ = held.criteria
    section = f"{held.url}/answers/{held.sections[0]}"
    key, action, fields = form_of(staff.reviewer, section, first)
    assert post(staff.reviewer, f"{held.url}/release").status_code == 303
    assert post(staff.second, f"{held.url}/take").status_code == 303
    sent = {**fields, f"{key}-verdict": "accepted"}
    refused = staff.reviewer.post(action, data=sent)
    assert refused.status_code == 409
    assert "is with Samir Haddad now" in words(refused)


def fields_of(page):
    """What a page's main form would send as it stands."""
    tree = html5lib.parse(page.text, namespaceHTMLElements=False)
    [main] = list(tree.iter("main"))
    found = {}
    for one in main.iter("input"):
        kind = one.get("type")
        if one.get("name") and (
            kind not in {"radio", "checkbox"} or one.get("checked") is not None
        ):
            found[one.get("name")] = one.get("value") or ""
    for one in main.iter("textarea"):
        found[one.get("name")] = "".join(one.itertext()).strip()
    return found


def test_asking_is_filled_in_with_what_was_returned_and_sent_once(held, staff, work_as, app):
    reviewer = staff.people["reviewer"]
    first, second, *_ = held.criteria
    in_case(
        work_as, held, reviewer, lambda work, found: judge(work, found, first, "returned", CANARY)
    )
    page = staff.reviewer.get(f"{held.url}/requests/new")
    fields = fields_of(page)
    assert fields[f"comment-{key_of(first)}"] == CANARY
    assert f"include-{key_of(second)}" not in fields
    empty = staff.reviewer.post(f"{held.url}/requests/new", data=fields)
    assert empty.status_code == 422
    assert "Write a message" in words(empty)
    sent = {
        **fields,
        f"comment-{key_of(first)}": "Attach the present statement.",
        "message": "One thing is missing.",
        "tasks": "sites",
    }
    for _ in range(2):
        assert staff.reviewer.post(f"{held.url}/requests/new", data=sent).status_code == 303
    assert count(work_as, InformationRequest) == 1
    shown = words(staff.reviewer.get(f"{held.url}/requests"))
    assert "Attach the present statement." in shown
    assert "Sites" in shown

    # The trader reads the words that were sent, and none of those that were not.
    officer = signed_in(app, held.officer)
    seen = ""
    for place in trader_pages(held):
        answer_page = officer.get(place)
        assert answer_page.status_code == 200, place
        seen += answer_page.text
    assert "Attach the present statement." in seen
    assert "CANARY-9f3b" not in seen


def trader_pages(case):
    trader = f"/traders/{case.trader_id}"
    application = f"{trader}/applications/{case.application_id}"
    return [trader, f"{trader}/applications", application]


def test_nobody_countersigns_their_own_proposal(staff, work_as):
    boss = staff.people["supervisor"]
    with work_as(system_actor("test")) as work:
        case, determination = make_recommended(work, boss)
        address, case_url = f"/console/determinations/{determination.id}", case.id
        determination_id = determination.id
    page = staff.supervisor.get(address)
    assert "You proposed this yourself" in words(page)
    assert "/approve" not in page.text
    refused = post(staff.supervisor, f"{address}/approve")
    assert refused.status_code == 403
    assert "a second person has to decide" in words(refused)
    assert count(work_as, Determination, Determination.decided_by.is_not(None)) == 0
    assert "/approve" not in staff.reviewer.get(address).text
    assert post(staff.reviewer, f"{address}/approve").status_code == 403
    with work_as(system_actor("test")) as work:
        assert work.session.get_one(Determination, determination_id).state == "proposed"
        assert work.session.get_one(Case, case_url).state == "recommended"


def test_recommending_previews_the_letter_and_signing_twice_is_once(held, staff, work_as):
    reviewer = staff.people["reviewer"]
    address = f"{held.url}/decision/certify"
    blocked = words(staff.reviewer.get(address))
    assert "Not yet possible" in blocked
    total = len(held.criteria)
    assert f"Criteria not judged yet: {total} of {total}." in blocked
    in_case(work_as, held, reviewer, accept_all)
    in_case(work_as, held, reviewer, verify_identifiers)
    fields = fields_of(staff.reviewer.get(address))
    empty = staff.reviewer.post(address, data={**fields, "step": "preview"})
    assert empty.status_code == 422
    filled = {**fields, "reason_code": "criteria-met", "reason_text": "All is well documented."}
    preview = staff.reviewer.post(address, data={**filled, "step": "preview"})
    assert "All is well documented." in words(preview)
    assert "is now a partner in the Security programme" in words(preview)
    assert count(work_as, Determination) == 0
    for _ in range(2):
        sent = staff.reviewer.post(address, data={**filled, "step": "send"})
        assert sent.status_code == 303
    assert count(work_as, Determination) == 1

    tree = html5lib.parse(
        staff.supervisor.get("/console/determinations").text, namespaceHTMLElements=False
    )
    [link] = [
        one.get("href")
        for one in tree.iter("a")
        if re.fullmatch(r"/console/determinations/[0-9a-f-]{36}", one.get("href", ""))
    ]
    declined = post(staff.supervisor, f"{link}/decline", {"decline-reason": ""})
    assert declined.status_code == 422
    for _ in range(2):
        assert post(staff.supervisor, f"{link}/approve").status_code == 303
    assert "Closed on" in words(staff.reviewer.get(held.url))
    late = post(staff.supervisor, f"{link}/decline", {"decline-reason": "Too late."})
    assert late.status_code == 409
    assert "it is now “approved”" in words(late)


def test_a_proof_that_is_too_old_is_asked_for_and_loses_nothing(held, staff, clock):
    clock.advance(timedelta(minutes=10))
    address = f"{held.url}/decision/reject"
    fields = fields_of(staff.reviewer.get(address))
    filled = {**fields, "reason_code": "no-evidence", "reason_text": "Nothing was attached."}
    asked = staff.reviewer.post(address, data={**filled, "step": "send"})
    assert asked.status_code == 422
    assert "Confirm with your passkey" in words(asked)
    assert "Nothing was attached." in asked.text
    prove_again(staff.reviewer)
    proven = {**filled, "step": "send"}
    assert staff.reviewer.post(address, data=proven).status_code == 303


def test_a_partner_is_changed_by_two_and_suspended_by_one(app, staff, work_as, clock):
    trader_id = register_factory.make_partner(work_as, "ior:98-765432100", name="Brightwater Tools")
    partner = f"/console/register/{trader_id}"
    validate = f"{partner}/security/validate"
    fields = fields_of(staff.reviewer.get(validate))
    filled = {
        **fields,
        "tier": "2",
        "reason_code": "visit-passed",
        "reason_text": "Seen on 3 November.",
        "step": "send",
    }
    sent = staff.reviewer.post(validate, data=filled)
    assert sent.status_code == 303
    assert "Certified, tier 1" in words(staff.reviewer.get(partner))
    assert post(staff.supervisor, f"{sent.location}/approve").status_code == 303
    assert "Validated, tier 2" in words(staff.reviewer.get(partner))

    restrict = f"{partner}/security/restrict"
    fields = fields_of(staff.reviewer.get(restrict))
    none = {**fields, "reason_code": "seals", "reason_text": "Missing.", "step": "preview"}
    assert "Choose at least one benefit." in words(staff.reviewer.post(restrict, data=none))
    one = {**none, "restrictions": "front-of-line"}
    assert "Not for now:" in words(staff.reviewer.post(restrict, data=one))

    urgent = f"{partner}/security/suspend-now"
    fields = fields_of(staff.reviewer.get(urgent))
    assert "second signature within 24 hours" in words(staff.reviewer.get(urgent))
    filled = {**fields, "reason_code": "seizure", "reason_text": "On 3 May.", "step": "send"}
    for _ in range(2):
        assert staff.reviewer.post(urgent, data=filled).status_code == 303
    assert count(work_as, Determination, Determination.origin == "urgent") == 1
    assert "Suspended (was tier 2)" in words(staff.reviewer.get(partner))
    gone = words(staff.reviewer.get(validate))
    assert "This cannot be done now" in gone
    assert "Due by" in words(staff.supervisor.get("/console/determinations"))
    clock.advance(timedelta(hours=25))
    # The session of yesterday is over.
    supervisor = signed_in(app, staff.people["supervisor"])
    assert "Second signature overdue" in words(supervisor.get("/console/determinations"))


def test_the_register_as_csv_cannot_act_in_a_spreadsheet(staff, work_as):
    register_factory.make_partner(work_as, "ior:98-765432100", name="=HYPERLINK(1)")
    register_factory.make_partner(work_as, "ior:98-765432200", name="Brightwater Tools")
    answered = staff.auditor.get("/console/register.csv")
    rows = list(csv.reader(io.StringIO(answered.text.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}"))))
    assert [row[0] for row in rows] == ["Trader", "'=HYPERLINK(1)", "Brightwater Tools"]
    assert rows[2][1:4] == ["Security", "certified", "1"]
    some = staff.auditor.get("/console/register.csv?name=bright").text
    assert "HYPERLINK" not in some
    assert "No partner fits" in words(staff.auditor.get("/console/register?status=removed"))
    assert "Brightwater" in words(staff.auditor.get("/console/register?status=certified"))


def test_identifiers_are_verified_refused_and_contested(held, staff, work_as):
    with work_as(system_actor("test")) as work:
        found = work.session.get_one(Case, held.id)
        [own] = identifiers_of(work.session, held.trader_id)
        make_rival(work, found)
        [conflict] = queries.open_conflicts_of(work.session, found.trader_id)
        own_id, conflict_id, shown = own.id, conflict.id, own.shown
    address = f"/console/traders/{held.trader_id}/identifiers/{own_id}"
    assert "resolve the conflict" in words(staff.reviewer.get(f"{held.url}/identifiers"))
    assert post(staff.reviewer, f"{address}/verify").status_code == 422
    assert "Rival Brokers" in words(staff.reviewer.get("/console/conflicts"))
    page = f"/console/conflicts/{conflict_id}"
    assert f"Who keeps {shown}?" in words(staff.reviewer.get(page))
    assert "Only a reviewer" in words(staff.auditor.get(page))
    assert post(staff.auditor, page).status_code == 403
    assert post(staff.reviewer, page, {"keep": str(own_id), "reason": ""}).status_code == 422
    decided = {"keep": str(own_id), "reason": "The bond names another company."}
    assert post(staff.reviewer, page, decided).status_code == 303
    assert post(staff.reviewer, page, decided).status_code == 409
    for _ in range(2):
        assert post(staff.reviewer, f"{address}/verify").status_code == 303
    assert "Verified on" in words(staff.reviewer.get(f"{held.url}/identifiers"))
    assert post(staff.reviewer, f"{address}/refuse", {"reason": ""}).status_code == 422
    assert post(staff.reviewer, f"{address}/refuse", {"reason": "It ended."}).status_code == 303
    assert "It ended." in words(staff.reviewer.get(f"{held.url}/identifiers"))


@pytest.fixture
def statements(_engine):
    """How many statements the pages have sent."""
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(_engine, "before_cursor_execute", note)
    yield seen
    event.remove(_engine, "before_cursor_execute", note)


def test_lists_take_as_many_statements_for_three_as_for_one(staff, work_as, statements):
    lists = (
        "/console/queue/all",
        "/console/determinations",
        "/console/register",
        "/console/conflicts",
    )

    def more(number):
        with work_as(system_actor("test")) as work:
            case, _ = make_recommended(work, staff.people["reviewer"])
            make_rival(work, case, name=f"Rival {number}")
        register_factory.make_partner(work_as, f"ior:98-{7654320 + number}00")

    def sent():
        found = {}
        for page in lists:
            statements.clear()
            assert staff.supervisor.get(page).status_code == 200
            found[page] = len(statements)
        return found

    more(1)
    sent()  # The first look of a session also notes that it was seen.
    one = sent()
    more(2)
    more(3)
    assert sent() == one
