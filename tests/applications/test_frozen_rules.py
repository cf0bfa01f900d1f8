"""Canonical bytes, the hash, and what is carried over from the version before."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from app.applications.rules.frozen import canonical, carried_over, digest, fingerprint
from app.applications.rules.signature import name_problem


def content(**changes):
    found = {
        "number": 1,
        "company": {"name": "Müller & Sons"},
        "identifiers": [],
        "bonds": [],
        "contacts": ["Ruth"],
        "sites": ["Carson"],
        "agreement": {"version": "1"},
        "assessment": {
            "catalogue": {"id": "importer"},
            "sections": [section("1", "yes"), section("2", "yes")],
        },
    }
    return {**found, **changes}


def section(number, value, scan_state="pending"):
    return {
        "id": number,
        "criteria": [{"value": value, "evidence": [{"sha256": "x", "scan_state": scan_state}]}],
    }


def test_the_order_of_keys_makes_no_difference_but_every_value_does():
    one = {"b": [1, 2], "a": {"y": "ü", "x": None}}
    other = {"a": {"x": None, "y": "ü"}, "b": [1, 2]}
    assert digest(one) == digest(other)
    assert digest({**one, "b": [2, 1]}) != digest(one)
    assert canonical(one) == '{"a":{"x":null,"y":"ü"},"b":[1,2]}'.encode()


def test_the_bytes_survive_json():
    found = content()
    assert canonical(json.loads(canonical(found))) == canonical(found)


@pytest.mark.parametrize(
    "value", [1.5, Decimal(1), datetime(2026, 1, 1, tzinfo=UTC), b"x", {1: "x"}]
)
def test_what_has_no_single_byte_form_is_refused(value):
    with pytest.raises(TypeError):
        canonical({"value": value})


def test_only_what_was_reopened_is_taken_from_now():
    earlier = content()
    now = content(
        number=2,
        company={"name": "Renamed"},
        sites=["Carson", "Long Beach"],
        assessment={
            "catalogue": {"id": "importer"},
            "sections": [section("1", "no"), section("2", "no")],
        },
    )
    merged = carried_over(now, earlier, {"sites", "assessment:2", "submit"})
    assert merged["number"] == 2
    assert merged["company"] == {"name": "Müller & Sons"}
    assert merged["sites"] == ["Carson", "Long Beach"]
    assert [one["criteria"][0]["value"] for one in merged["assessment"]["sections"]] == [
        "yes",
        "no",
    ]


def test_what_the_scanner_says_is_no_change_of_what_was_shown():
    clean = {
        "catalogue": {"id": "importer"},
        "sections": [section("1", "yes", "clean"), section("2", "yes")],
    }
    assert fingerprint(content()) == fingerprint(content(assessment=clean))
    assert digest(content()) != digest(content(assessment=clean))
    assert fingerprint(content()) != fingerprint(content(sites=[]))


def test_a_signature_is_the_signers_own_name():
    assert name_problem("  ada   BROOK ", "Ada Brook") == []
    assert name_problem("", "Ada Brook")[0].code == "NAME_MISSING"
    assert name_problem("Ada B.", "Ada Brook")[0].code == "NAME_OTHER"
