"""Every page for the people whose page it is: it answers, it is valid HTML, it reads only."""

import pytest
from sqlalchemy import select

from app.authz.actor import AgencyRole
from app.notifications.models import Message
from tests.guards.addresses import Cell, cells
from tests.guards.markup import checked
from tests.guards.matrix.oracles import readable
from tests.guards.scene import CANARY, Ids, Visitor

pytestmark = pytest.mark.usefixtures("silent_logs", "ledger")

GOES_ON = {
    "identity.step_up": "Whoever has just signed in has nothing to prove again.",
    "applications.of_assessment": "To the task list of the assessment's application.",
    "identity.unverified": "It is about a sign-up, and nobody has signed up.",
    "casework.next_to_judge": "To the criterion that is to be judged next.",
}
ELSEWHERE = {
    "probes.ready": "It asks the machine's clock, while this one stands still.",
    # These lead to a provider, which this application has none of; see tests/identity/oidc.
    **dict.fromkeys(("oidc.start", "oidc.callback", "oidc.stopped"), "It has no provider."),
    **dict.fromkeys(
        ("oidc.confirm", "oidc.link", "oidc.link_at_provider", "oidc.first", "oidc.add"),
        "It has no provider.",
    ),
}
ONLY_RETURNED = {
    *("applications.task", "applications.snapshot"),
    *("applications.receipt", "applications.receipt_file"),
}
READS = ("trader:view", "filing:view", "delegation:view", "clients:view", "verification:view")
"""What a viewer may see of the company, besides its documents."""
OFFICERS_ONLY = {
    "people:appoint",
    "delegation:grant",
    "application:submit",
    "client:manage",
    "security:view",
    "verification:consent",
}
AUDITORS_ONLY = {"activity:log"}
MANAGERS_ONLY = {"agency-client:manage", "webhook:manage"}
AGENCY_CLIENTS = {"agency-client:view", "webhook:view", *MANAGERS_ONLY}
"""On the console, for those who run the programme, and to look at for those who watch."""
PUBLIC = {"public", "demo:use"}
FOR_PAPER = {"advance_data.receipt"}
"""A sheet to print, without the page's head."""


def pages(app, *areas: str) -> list[Cell]:
    return [
        one
        for one in cells(app, *areas, ids_only=False)
        if one.method == "GET" and one.rule.endpoint not in ELSEWHERE
    ]


def faults(visitor: Visitor, asked: list[Cell], ids: Ids, texts: list[str]) -> list[str]:
    """What is wrong with these pages; what they say is added to `texts`."""
    wrong = []
    for cell in asked:
        answer = visitor.client.get(cell.address(ids), headers=visitor.headers)
        texts.append(readable(answer))
        answer.close()
        wanted = 303 if cell.rule.endpoint in GOES_ON else 200
        if answer.status_code != wanted:
            wrong.append(f"{cell}: {answer.status}")
        elif answer.mimetype == "text/html" and wanted == 200:
            try:
                tree = checked(answer.text, whole=True)
                forms = [one.get("action") for one in tree.iter("form")]
                plain = cell.permission in PUBLIC or cell.rule.endpoint in FOR_PAPER
                assert plain or "/sign-out" in forms, "No way out."
            except Exception as error:  # noqa: BLE001 - each is one line of the report.
                wrong.append(f"{cell}: {error!r}")
    return wrong


def of_the_company(app, who: str, *, returned: bool) -> list[Cell]:
    """The pages of a trader that this person may see, in one state of the application."""
    asked = pages(app, "trader")
    if "viewer" in who:
        asked = [one for one in asked if one.permission in (*READS, "document:read")]
    if "preparer" in who:
        asked = [one for one in asked if one.permission not in OFFICERS_ONLY]
    if returned:
        return [
            one
            for one in asked
            if one.rule.arguments & {"application_id", "assessment_id"}
            # Workbook and action of the scene belong to the first application, and a broker's
            # criteria have no crosswalk from which anything could be offered.
            and not one.rule.arguments & {"workbook_id", "action_id"}
            and one.rule.endpoint != "crosswalk.offers"
        ]
    return [
        one
        for one in asked
        if one.rule.endpoint not in ONLY_RETURNED
        and (one.rule.arguments or one.permission == "signed-in")
    ]


@pytest.mark.parametrize("who", ["a officer", "a preparer", "a viewer"])
def test_the_companys_people_see_their_pages(site, scene, who):
    visitor, texts = scene.visitors[who], []
    wrong = faults(visitor, of_the_company(site, who, returned=False), scene.a, texts)
    wrong += faults(visitor, of_the_company(site, who, returned=True), scene.a_returned, texts)
    assert wrong == []
    # If this did not hold, no test that looks for the canary would prove anything.
    assert sum(CANARY in one for one in texts) > len(texts) / 2


def test_what_strangers_read_of_their_own_tells_nothing(site, scene):
    texts: list[str] = []
    asked = of_the_company(site, "b officer", returned=False)
    asked = [one for one in asked if one.rule.endpoint != "identity.end_session"]
    assert faults(scene.visitors["b officer"], asked, scene.b, texts) == []
    rival = scene.visitors["rival"]
    own = [
        one
        for one in asked
        if one.rule.arguments <= {"trader_id"} and one.permission in (*READS, "signed-in")
    ]
    assert faults(rival, own, {"trader_id": scene.rival_id}, texts) == []
    assert [one for one in texts if CANARY in one] == []


def test_strangers_letters_tell_nothing(scene, super_engine):
    strangers = {
        person.id: person.email
        for name, person in scene.people.items()
        if name.startswith("b ") or name == "rival"
    }
    with super_engine.connect() as connection:
        letters = connection.execute(select(Message.recipient, Message.subject, Message.body)).all()
    assert sum(one.recipient in strangers.values() for one in letters) >= 2
    told = [
        one
        for one in letters
        if one.recipient in strangers.values() and CANARY in f"{one.subject}{one.body}"
    ]
    assert told == []
    assert any(CANARY in one.body for one in letters)


@pytest.mark.parametrize("role", list(AgencyRole))
def test_the_agency_sees_its_pages(site, scene, role):
    asked = pages(site, "console")
    closed = set() if role is AgencyRole.PROGRAMME_MANAGER else set(MANAGERS_ONLY)
    if role is AgencyRole.REVIEWER:
        closed = AGENCY_CLIENTS
    if role not in {AgencyRole.REVIEWER, AgencyRole.SUPERVISOR}:
        closed |= {one.permission for one in asked} - {"case:view", *AGENCY_CLIENTS}
    closed = closed - AUDITORS_ONLY if role is AgencyRole.AUDITOR else closed | AUDITORS_ONLY
    asked = [one for one in asked if one.permission not in closed]
    texts: list[str] = []
    assert faults(scene.visitors[role], asked, scene.a, texts) == []
    assert sum(CANARY in one for one in texts) > len(texts) / 2
    held = pages(site, "trader")
    held = [one for one in held if one.permission == "document:read"]
    assert faults(scene.visitors[role], held, scene.a, texts) == []


def test_everybody_sees_what_is_public(site, scene):
    asked = [one for one in pages(site, "open", "trader", "api") if one.permission in PUBLIC]
    assert faults(scene.visitors["nobody"], asked, scene.a, []) == []


def test_programs_read_what_their_scopes_open(site, scene):
    asked = [one for one in pages(site, "api") if one.permission not in PUBLIC]
    own = [one for one in asked if one.rule.rule.startswith("/trader/")]
    texts: list[str] = []
    assert faults(scene.visitors["a program"], own, scene.a, texts) == []
    assert any(CANARY in one for one in texts)
    agency = [one for one in asked if one not in own]
    assert own
    assert agency
    assert faults(scene.visitors["agency program"], agency, scene.a, []) == []
