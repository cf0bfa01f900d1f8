"""Every answer of every route carries the headers, whatever the method and whoever asks."""

import pytest
from werkzeug.routing import Rule

from app import create_app
from app.config import Settings
from app.db.session import make_engine
from app.web.headers import NO_PAGE_POLICY, PAGE_POLICY
from app.web.strict import is_ours
from tests.guards.addresses import Cell

pytestmark = pytest.mark.usefixtures("silent_logs")

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
SANDBOX = "sandbox; default-src 'none'"
POLICIES = {PAGE_POLICY, NO_PAGE_POLICY, SANDBOX}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - compared, not bound.


def lacking(answer) -> list[str]:
    """What is missing on this answer or is not as it must be."""
    headers, faults = answer.headers, []
    policy = headers.get("Content-Security-Policy", "")
    if policy not in POLICIES or (answer.mimetype == "text/html" and policy != PAGE_POLICY):
        faults.append(f"policy {policy!r}")
    wanted = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    faults += [name for name, value in wanted.items() if headers.getlist(name) != [value]]
    if "camera=()" not in headers.get("Permissions-Policy", ""):
        faults.append("Permissions-Policy")
    kept = answer.request.path.startswith("/static/") and answer.status_code == 200
    if not kept and headers.get("Cache-Control") != "no-store":
        faults.append(f"Cache-Control {headers.get('Cache-Control')!r}")
    return faults


def asked(client, method, address, **more) -> list[str]:
    answer = client.open(address, method=method, **more)
    faults = [f"{method} {address} {answer.status_code}: {one}" for one in lacking(answer)]
    if method == "TRACE" and answer.status_code not in {400, 404, 405}:
        faults.append(f"{method} {address} {answer.status_code}: answered")
    answer.close()
    return faults


def address_of(rule: Rule, ids) -> str:
    return Cell(rule, "GET", "").address(ids)


@pytest.mark.parametrize("who", ["nobody", "a officer", "reviewer"])
def test_every_route_and_method(site, scene, who):
    visitor, wrong, answers = scene.visitors[who], [], 0
    for rule in site.url_map.iter_rules():
        # Whoever is signed in asks by GET alone: the other methods would write.
        for method in METHODS if who == "nobody" else ("GET",):
            wrong += asked(visitor.client, method, address_of(rule, scene.a))
            answers += 1
    assert wrong == []
    assert answers >= len(list(site.url_map.iter_rules()))


def test_programs_get_them_too(site, scene):
    wrong = []
    for name in ("a program", "agency program"):
        visitor = scene.visitors[name]
        for rule in site.url_map.iter_rules():
            if rule.rule.startswith(("/api/", "/trader/")):
                address = address_of(rule, scene.a)
                for method in ("GET", "HEAD", "POST"):
                    wrong += asked(
                        visitor.client, method, address, headers=visitor.headers, data=b"{"
                    )
    assert wrong == []


@pytest.mark.parametrize(
    ("status", "method", "address", "more"),
    [
        (400, "GET", "/sign-in?next=/a&next=/b", {}),
        (400, "GET", "/sign-in", {"headers": {"Host": "elsewhere.example"}}),
        (401, "GET", "/api/v1/changes", {}),
        (404, "GET", "/nowhere", {}),
        (404, "GET", "/static/nowhere.js", {}),
        (405, "DELETE", "/sign-in", {}),
        (413, "POST", "/sign-in", {"data": {"email": "a" * 3_000_000}}),
        (415, "POST", "/sign-in", {"json": {}}),
    ],
)
def test_refusals(site, scene, status, method, address, more):
    answer = site.test_client().open(address, method=method, **more)
    assert answer.status_code == status
    assert lacking(answer) == []


def own_app(settings, clock, engine, **changed):
    told = settings.model_copy(update=changed)
    return create_app("all", settings=told, engine=engine, clock=clock)


def test_an_unforeseen_error_and_an_absent_database(settings, engine, clock):
    app = own_app(settings, clock, make_engine("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    browser = app.test_client()
    browser.set_cookie("fairway", "some token")
    answer = browser.get("/sign-in")
    assert answer.status_code == 503
    assert lacking(answer) == []
    # Here the database fails as late as possible, when the new session is to be kept.
    assert lacking(app.test_client().get("/sign-in")) == []

    broken = own_app(settings, clock, engine)

    def fails() -> None:
        msg = "unforeseen"
        raise RuntimeError(msg)

    broken.before_request_funcs.setdefault(None, []).append(fails)
    answer = broken.test_client().get("/healthz")
    assert answer.status_code == 500
    assert lacking(answer) == []


def test_over_https_the_browser_is_told_to_stay_there(settings, engine, clock):
    app = own_app(settings, clock, engine, public_url="https://trade.example", demo=False)
    client = app.test_client()
    for address in ("/sign-in", "/nowhere", "/static/app.js", "/api/v1/changes"):
        answer = client.get(address, base_url="https://trade.example")
        told = answer.headers["Strict-Transport-Security"]
        assert told == "max-age=63072000; includeSubDomains", address
        answer.close()
    page = app.test_client().get("/sign-in", base_url="https://trade.example")
    [cookie] = page.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-fairway=")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert part in cookie
    assert "Domain" not in cookie


def test_over_http_it_is_not(client):
    assert "Strict-Transport-Security" not in client.get("/sign-in").headers


@pytest.mark.parametrize(
    ("changed", "host", "ours"),
    [
        ({}, "localhost:8000", True),
        ({}, "127.0.0.1", True),
        ({}, "[::1]:9", True),
        ({}, "LOCALHOST", True),
        ({}, "evil.example", False),
        ({}, "localhost.evil.example", False),
        ({}, "localhost@evil.example", False),
        ({}, "10.0.0.1", False),
        ({"host": EVERYWHERE}, "10.0.0.1:8000", True),
        ({"host": EVERYWHERE}, "evil.example", False),
        ({"host": "trade.internal"}, "trade.internal:8000", True),
        ({"public_url": "https://trade.example"}, "trade.example", True),
        ({"public_url": "https://trade.example"}, "trade.example:443", True),
        ({"public_url": "https://trade.example"}, "trade.example:8443", False),
        ({"public_url": "https://trade.example"}, "trade.example.evil", False),
        ({"public_url": "https://trade.example", "host": EVERYWHERE}, "10.0.0.1", False),
        ({"public_url": "http://trade.example:8080"}, "trade.example:8080", True),
    ],
)
def test_hosts(changed, host, ours):
    facts = {"HOST": changed.get("host", "127.0.0.1"), "public_url": changed.get("public_url")}
    assert is_ours(host, Settings(**facts)) is ours
