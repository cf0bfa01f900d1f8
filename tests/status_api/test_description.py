"""The API's description, for programs and for people."""

import json
import re

import pytest

from app import create_app

PREFIX = "/api/v1"


@pytest.fixture
def described(client):
    return client.get(f"{PREFIX}/openapi.json").get_json()


def test_it_is_openapi_of_this_api_alone(described):
    assert described["openapi"] == "3.1.0"
    assert set(described["paths"]) == {
        f"{PREFIX}/partners/{{scheme}}/{{value}}/status",
        f"{PREFIX}/statuses",
        f"{PREFIX}/changes",
        f"{PREFIX}/status-list",
        f"{PREFIX}/decisions",
        f"{PREFIX}/decisions/{{decision_id}}",
        f"{PREFIX}/decisions/{{decision_id}}/replay",
    }
    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_every_reference_leads_somewhere(described):
    text = json.dumps(described)
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert names == set(described["components"]["schemas"])
    assert "$defs" not in text


def test_every_call_needs_a_token_and_refuses_with_problems(described):
    for item in described["paths"].values():
        for operation in item.values():
            assert operation["security"] == [{"bearer": []}]
            assert operation["summary"]
            refusals = {k: v for k, v in operation["responses"].items() if k >= "400"}
            assert {"400", "401", "403"} <= set(refusals)
            for refusal in refusals.values():
                assert list(refusal["content"]) == ["application/problem+json"]


def test_the_surface_has_it_alone(engine, settings, clock):
    for surface, status in (("api", 200), ("portal", 404), ("console", 404)):
        app = create_app(surface, settings=settings, engine=engine, clock=clock)
        assert app.test_client().get(f"{PREFIX}/openapi.json").status_code == status


def test_people_read_it_without_scripts_of_ours_inline(client):
    found = client.get(f"{PREFIX}/docs")
    assert found.status_code == 200
    assert "Set-Cookie" not in found.headers
    for path in ("/statuses", "/changes", "/decisions/{decision_id}/replay"):
        assert path in found.text
    assert not re.search(r"<script(?![^>]*\bsrc=)", found.text)
    assert not re.search(r"\son[a-z]+=|<style|\sstyle=", found.text)
