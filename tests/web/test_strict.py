"""What could be read in two ways is not read at all."""

import io
import json
import tempfile

import pytest
from werkzeug.datastructures import MultiDict

from app import create_app
from app.authz.actor import system_actor
from app.identity.service import create_client
from app.web.strict import FORMS, of_forms
from tests.facilitation.scenes import transaction

INNER = ("status:read", "decisions:write")


@pytest.fixture
def bearer(app, work_as):
    """The headers of a program with these scopes."""

    def make(*scopes, trader=None):
        more = {} if trader is None else {"trader_id": trader}
        with work_as(system_actor("test")) as work:
            row, secret = create_client(work, name="A program", scopes=scopes, **more)
            name = row.client_id
        found = app.test_client().post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=(name, secret)
        )
        return {"Authorization": f"Bearer {found.get_json()['access_token']}"}

    return make


@pytest.mark.parametrize("address", ["/sign-in?next=/a&next=/b", "/api/v1/changes?after=1&after=2"])
def test_a_name_twice_in_a_query_is_refused(client, address):
    assert client.get(address).status_code == 400


def test_a_field_twice_in_a_form_is_refused_and_once_is_not(client):
    page = client.get("/sign-in").text
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    once = [("csrf_token", token), ("email", "a@b.example"), ("password", "x" * 12)]
    assert client.post("/sign-in", data=MultiDict(once)).status_code == 422
    for name in ("email", "password", "csrf_token", "unknown"):
        twice = MultiDict([*once, (name, "one"), (name, "two")])
        assert client.post("/sign-in", data=twice).status_code == 400, name
    # Nor does an empty value before it pass, where no control of ours sends one.
    silent = MultiDict([("email", ""), *once])
    assert client.post("/sign-in", data=silent).status_code == 400


def test_only_fields_of_several_choices_are_declared():
    assert {"tasks", "restrictions"} <= of_forms
    assert not of_forms & {"email", "password", "csrf_token", "account", "key", "version", "next"}


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/xml"])
def test_a_page_takes_forms_alone(client, kind):
    assert kind not in FORMS
    assert client.post("/sign-in", data=b"{}", content_type=kind).status_code == 415


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(client):
    class Unread(io.BytesIO):
        def read(self, *_size):
            pytest.fail("the body was read")

        readline = readinto = read

    answer = client.open(
        "/sign-in",
        method="POST",
        environ_overrides={"wsgi.input": Unread(), "CONTENT_LENGTH": "3000000"},
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "more",
    [
        {"headers": {"X-HTTP-Method-Override": "DELETE"}},
        {"headers": {"X-Method-Override": "POST"}},
        {"query_string": {"_method": "POST"}},
    ],
)
def test_nothing_but_the_method_is_the_method(client, more):
    assert client.get("/sign-in", **more).status_code == 200
    assert client.get("/sign-out", **more).status_code == 405


def test_forwarding_headers_count_only_through_numbered_proxies(settings, engine, clock):
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    seen = {}
    for count in (0, 1):
        told = settings.model_copy(update={"trusted_proxies": count})
        app = create_app("all", settings=told, engine=engine, clock=clock)
        seen[count] = app.test_client().get("/sign-up/sent", headers=forged)
    assert seen[0].status_code == 200
    assert "Strict-Transport-Security" not in seen[0].headers
    # The proxy's word counts, and so the host that it names is the one that is judged.
    assert seen[1].status_code == 400


def test_an_upload_is_never_spooled_to_a_plain_file(client, monkeypatch):
    def refuse(*_more, **_named):
        pytest.fail("a plain temporary file was opened")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", refuse, raising=False)
    monkeypatch.setattr("werkzeug.formparser.TemporaryFile", refuse, raising=False)
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body = part + bytes(5_000_000) + b"\r\n--b--\r\n"
    answer = client.post("/sign-in", data=body, content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 400


BODIES = {
    "/api/v1/statuses": (INNER, {"identifiers": [{"scheme": "ior", "value": "12-345678900"}]}),
    "/api/v1/decisions": (INNER, {"transactions": [transaction()]}),
}


def places(value, way=()):
    """The way to each object of a body, the body itself first."""
    if isinstance(value, dict):
        yield way
    found = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in found:
        if isinstance(member, dict | list):
            yield from places(member, (*way, name))


def with_member(value, way, text):
    """The body as JSON, with `text` as the last member of the object at `way`."""
    mark = '"a mark": 0'
    copy = json.loads(json.dumps(value))
    at = copy
    for name in way:
        at = at[name]
    at["a mark"] = 0
    return json.dumps(copy).replace(mark, text).encode()


@pytest.mark.parametrize("address", BODIES)
def test_no_object_of_a_body_takes_a_name_twice_or_an_unknown_one(client, bearer, address):
    scopes, body = BODIES[address]
    headers = {**bearer(*scopes), "Content-Type": "application/json"}
    assert client.post(address, data=json.dumps(body), headers=headers).status_code == 200
    asked = 0
    for way in places(body):
        at = body
        for name in way:
            at = at[name]
        first = next(iter(at))
        for text in (f"{json.dumps(first)}: {json.dumps(at[first])}", '"unheard_of": 1'):
            answer = client.post(address, data=with_member(body, way, text), headers=headers)
            assert answer.status_code == 400, (way, text)
            assert answer.mimetype == "application/problem+json"
            asked += 1
    assert asked >= 4


def test_every_address_that_takes_json_is_among_them(client):
    described = client.get("/api/v1/openapi.json").get_json()
    takes = {
        address
        for address, item in described["paths"].items()
        for operation in item.values()
        if "requestBody" in operation
    }
    assert takes == set(BODIES)
