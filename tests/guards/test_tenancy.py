"""Every address with an id in it, asked by everybody whose business it is not.

The routes are those of the application's own map, and the ids are found by the name of the
argument, so that a new route is asked for from its first day; an argument that the scene does
not know fails. What a stranger gets must not differ from what they get for an id that never was.
"""

import re

import pytest
from werkzeug.test import TestResponse

from app.authz.actor import AgencyRole
from tests.guards.addresses import NEVER, OPEN_TO_HOLDERS, Cell, absent, cells
from tests.guards.scene import CANARY, Ids, Visitor

SEEN_BY_A_VIEWER = {
    "trader:view",
    "standing:view",
    "application:view",
    "filing:view",
    "document:read",
    "delegation:view",
    "verification:view",
    "clients:view",
    "comment:share",
    "signed-in",
}
DONE_BY_A_PREPARER = {
    *SEEN_BY_A_VIEWER,
    "trader:edit",
    "activity:view",
    "application:prepare",
    "application:respond",
    "filing:submit",
    "verification:ask",
    "plan:promise",
    "document:describe",
}
OF_MANAGERS = {"agency-client:manage", "webhook:manage", "catalogue:propose", "catalogue:approve"}
STRANGERS = ("b officer", "b viewer", "rival")
pytestmark = pytest.mark.usefixtures("silent_logs", "ledger")


def bare(answer: TestResponse, *addresses: Ids) -> str:
    """An answer without what differs by right: the ids that were asked for and the request's."""
    headers = "".join(
        f"{name}: {value}\n" for name, value in answer.headers if name != "Set-Cookie"
    )
    found = f"{answer.status}\n{headers}\n{answer.text}"
    for ids in addresses:
        for name, value in ids.items():
            if name.endswith("_id") and len(value) == len(str(NEVER)):
                found = found.replace(value, "<id>")
    found = re.sub(r"(<code>|urn:request:)[0-9a-f]{32}", r"\1<request>", found)
    return re.sub(r'(name="csrf_token"[^>]*value="|"X-CSRFToken": ")[^"]+', r"\1<csrf>", found)


def refusals(
    visitor: Visitor, asked: list[Cell], ids: Ids, twin: Ids, wanted=lambda _cell: {404}
) -> list[str]:
    """What is wrong with the answers to `ids`, as compared with those to `twin`, who is absent."""
    wrong = []
    for cell in asked:
        answer = visitor.ask(cell.method, cell.address(ids))
        other = visitor.ask(cell.method, cell.address(twin))
        if answer.status_code not in wanted(cell):
            wrong.append(f"{cell}: {answer.status}")
        elif bare(answer, ids, twin) != bare(other, ids, twin):
            wrong.append(f"{cell}: differs from an absent id's, {answer.status}, {other.status}")
        if CANARY in f"{answer.headers}{answer.text}":
            wrong.append(f"{cell}: tells a name")
    return wrong


def test_every_argument_of_an_address_is_known(site, scene):
    for cell in cells(site, "open", "trader", "console", "api"):
        cell.address(scene.a)


def test_open_routes_are_still_there(site):
    assert set(OPEN_TO_HOLDERS) <= {one.rule.endpoint for one in cells(site, "open")}


def test_nobody_is_sent_to_sign_in(site, scene):
    wrong = []
    for cell in cells(site, "trader", "console", "api", ids_only=False):
        if cell.permission in {"public", "demo:use"}:
            assert not cell.rule.arguments, f"{cell} is public and not in OPEN_TO_HOLDERS"
            continue
        answer = scene.visitors["nobody"].ask(cell.method, cell.address(scene.a))
        if cell.area == "api":
            good = answer.status_code == 401 and "WWW-Authenticate" in answer.headers
        else:
            place = answer.headers.get("Location", "")
            good = answer.status_code == 303 and place.startswith("/sign-in?next=")
        if not good or CANARY in answer.text:
            wrong.append(f"{cell}: {answer.status}")
    assert wrong == []


@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_finds_nothing(site, scene, who):
    def wanted(cell):
        viewer_only = who == "b viewer" and cell.permission not in SEEN_BY_A_VIEWER
        return {403} if viewer_only else {404}

    visitor, asked = scene.visitors[who], cells(site, "trader")
    never = absent(scene.a)
    assert refusals(visitor, asked, scene.a, never, wanted) == []
    if who == "b officer":
        asked = [one for one in asked if one.rule.arguments & {"application_id", "assessment_id"}]
        assert refusals(visitor, asked, scene.a_returned, never, wanted) == []


@pytest.mark.parametrize(
    ("who", "theirs"),
    [("half a viewer", SEEN_BY_A_VIEWER), ("half a preparer", DONE_BY_A_PREPARER)],
)
def test_an_officer_elsewhere_is_none_here(site, scene, who, theirs):
    """Their role elsewhere opens the route to them, so that the row alone decides."""
    asked = [one for one in cells(site, "trader") if one.permission not in theirs]
    assert asked
    wrong = []
    for cell in asked:
        for ids in (scene.a, scene.a_returned):
            answer = scene.visitors[who].ask(cell.method, cell.address(ids))
            if answer.status_code != 404:
                wrong.append(f"{cell}: {answer.status}")
    assert wrong == []


def test_a_strange_program_finds_nothing(site, scene):
    never = absent(scene.a)
    own = [one for one in cells(site, "api") if one.rule.rule.startswith("/trader/")]
    assert refusals(scene.visitors["b program"], own, scene.a, never) == []


@pytest.mark.parametrize("who", ["a officer", "b officer", "reviewer", "a program"])
def test_a_way_in_counts_only_where_it_belongs(site, scene, who):
    """A cookie means nothing to an API, nor one API's token to the other or to a page."""
    asked = cells(site, "api")
    if who == "a program":
        asked = [one for one in asked if one.rule.rule.startswith("/api/")]
        asked += [one for one in cells(site, "trader") if one.method == "GET"]
    wrong = []
    for cell in asked:
        answer = scene.visitors[who].ask(cell.method, cell.address(scene.a))
        if answer.status_code != (401 if cell.area == "api" else 303) or CANARY in answer.text:
            wrong.append(f"{cell}: {answer.status}")
    assert wrong == []


@pytest.mark.parametrize("who", ["a officer", "b officer", "rival"])
def test_traders_stay_outside_the_console(site, scene, who):
    asked = cells(site, "console", ids_only=False)
    never = absent(scene.a)
    assert refusals(scene.visitors[who], asked, scene.a, never, lambda _cell: {403}) == []


@pytest.mark.parametrize("who", [AgencyRole.AUDITOR, AgencyRole.PROGRAMME_MANAGER])
def test_who_only_looks_changes_nothing(site, scene, who):
    asked = [one for one in cells(site, "console") if one.method == "POST"]
    if who is AgencyRole.PROGRAMME_MANAGER:
        asked = [one for one in asked if one.permission not in OF_MANAGERS]
    wrong = [
        f"{cell}: {answer.status}"
        for cell in asked
        if (answer := scene.visitors[who].ask("POST", cell.address(scene.a))).status_code != 403
    ]
    assert wrong == []


def test_the_agency_is_not_a_trader(site, scene):
    """Of a trader's own addresses, the agency's people may use a document's alone."""
    wrong = []
    for cell in cells(site, "trader"):
        answer = scene.visitors[AgencyRole.SUPERVISOR].ask(cell.method, cell.address(scene.a))
        known = {
            "documents.download": 200,
            "identity.end_session": 404,
            **dict.fromkeys(
                (
                    "oidc.confirm",
                    "oidc.link",
                    "oidc.link_at_provider",
                    "oidc.add",
                    "oidc.add_identity",
                ),
                404,
            ),
            "oidc.remove": 404,
            "identity.remove_passkey": 404,
            "traders.accept_own_invitation": 404,
        }
        if answer.status_code != known.get(cell.rule.endpoint, 403):
            wrong.append(f"{cell}: {answer.status}")
    assert wrong == []


@pytest.mark.parametrize("who", ["a officer", "b officer"])
def test_two_traders_do_not_mix_in_one_address(site, scene, who):
    own, foreign = (scene.a, scene.b) if who == "a officer" else (scene.b, scene.a)
    asked = [
        one
        for one in cells(site, "trader")
        if "trader_id" in one.rule.arguments
        and any(name != "trader_id" and name.endswith("_id") for name in one.rule.arguments)
    ]
    asked = [one for one in asked if "snapshots" not in one.rule.rule]
    visitor, mine, theirs = scene.visitors[who], own["trader_id"], foreign["trader_id"]
    never = absent(own)
    their_child = {**foreign, "trader_id": mine}
    own_child = {**own, "trader_id": theirs}
    wrong = refusals(visitor, asked, their_child, {**never, "trader_id": mine})
    wrong += refusals(visitor, asked, own_child, never)
    # The canary is no secret to its own officer.
    assert [one for one in wrong if who == "b officer" or "tells a name" not in one] == []


def test_the_console_knows_no_absent_or_mixed_ids(site, scene):
    reviewer, never = scene.visitors[AgencyRole.REVIEWER], absent(scene.a)
    supervisor = scene.visitors[AgencyRole.SUPERVISOR]
    manager = scene.visitors[AgencyRole.PROGRAMME_MANAGER]
    asked = [
        one
        for one in cells(site, "console")
        if one.rule.arguments & {name for name in never if never[name] != scene.a[name]}
    ]
    wrong = [
        f"{cell}: {answer.status}"
        for cell in asked
        for visitor in (manager if cell.permission in OF_MANAGERS else supervisor,)
        if (answer := visitor.ask(cell.method, cell.address(never))).status_code != 404
    ]
    assert wrong == []
    mixed = [one for one in asked if {"trader_id", "identifier_id"} <= one.rule.arguments]
    both = {**scene.a, "identifier_id": scene.b["identifier_id"]}
    neither = {**scene.a, "identifier_id": never["identifier_id"]}
    assert mixed
    wrong = refusals(reviewer, mixed, both, neither)
    assert [one for one in wrong if "tells a name" not in one] == []


def test_an_id_in_a_form_is_no_way_in_either(scene):
    visitor, b = scene.visitors["b officer"], scene.b

    def send(page: str, field: str, value: str) -> TestResponse:
        section = (
            f"/traders/{b['trader_id']}/assessments/{b['assessment_id']}/sections/{b['section_id']}"
        )
        data = {"csrf_token": visitor.csrf, "criterion": b["criterion_id"], field: value}
        return visitor.client.post(f"{section}/{page}", data=data)

    reuse = f"reuse.{b['criterion_id']}"
    # Their own file is there already, so that even this changes nothing.
    assert send("attach", reuse, b["revision_id"]).status_code == 303
    for page, field, name in (
        ("attach", reuse, "revision_id"),
        ("detach", "evidence", "evidence_id"),
    ):
        foreign = send(page, field, scene.a[name])
        assert foreign.status_code == 404, page
        assert bare(foreign) == bare(send(page, field, absent(scene.a)[name]))
