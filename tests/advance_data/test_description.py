"""The traders' API's description, for programs and for people."""

import json
import re

import pytest

from app import create_app

PREFIX = "/trader/v1"
FORMATS = {
    "text/csv",
    "application/x-ndjson",
    "application/vnd.cbp.abi",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@pytest.fixture
def described(client):
    return client.get(f"{PREFIX}/openapi.json").get_json()


def test_it_is_openapi_of_this_api_alone(described):
    assert described["openapi"] == "3.1.0"
    assert set(described["paths"]) == {
        f"{PREFIX}/filings",
        f"{PREFIX}/filings/{{filing_id}}",
        f"{PREFIX}/batches",
        f"{PREFIX}/batches/{{batch_id}}",
        f"{PREFIX}/batches/{{batch_id}}/errors",
        f"{PREFIX}/status",
    }
    assert "api/v1" not in json.dumps(described), "The agency's own API is no trader's business."


def test_every_reference_leads_somewhere(described):
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described)))
    assert names == set(described["components"]["schemas"])


def test_every_call_needs_a_token_and_refuses_with_problems(described):
    for item in described["paths"].values():
        for operation in item.values():
            assert operation["security"] == [{"bearer": []}]
            refusals = {k: v for k, v in operation["responses"].items() if k >= "400"}
            assert {"400", "401", "403"} <= set(refusals)
            for refusal in refusals.values():
                assert list(refusal["content"]) == ["application/problem+json"]


def test_a_file_comes_in_each_format_with_a_key_and_for_whom(described):
    operation = described["paths"][f"{PREFIX}/batches"]["post"]
    assert set(operation["requestBody"]["content"]) == FORMATS
    assert {one["name"] for one in operation["parameters"]} == {"Idempotency-Key", "on_behalf_of"}
    errors = described["paths"][f"{PREFIX}/batches/{{batch_id}}/errors"]["get"]
    good = set(errors["responses"]["200"]["content"])
    assert good == (FORMATS - {"application/x-ndjson"}) | {"application/json"}


def test_the_portal_has_it_and_the_agency_s_surfaces_do_not(engine, settings, clock):
    for surface, status in (("portal", 200), ("api", 404), ("console", 404)):
        app = create_app(surface, settings=settings, engine=engine, clock=clock)
        for page in ("openapi.json", "docs"):
            assert app.test_client().get(f"{PREFIX}/{page}").status_code == status


def test_people_read_it_without_scripts_of_ours_inline(client):
    found = client.get(f"{PREFIX}/docs")
    assert found.status_code == 200
    assert "Set-Cookie" not in found.headers
    for path in ("/filings", "/batches/{batch_id}/errors", "/status"):
        assert f"{PREFIX}{path}" in found.text
    assert not re.search(r"<script(?![^>]*\bsrc=)", found.text)
    assert not re.search(r"\son[a-z]+=|<style|\sstyle=", found.text)
