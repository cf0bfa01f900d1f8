"""JSON that two programs could read differently is read by none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.strict_json import (
    NoNumberError,
    RepeatedMemberError,
    StrictJsonError,
    strict_json,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.booleans())
def test_what_has_one_meaning_is_read(value, ascii_only):
    assert strict_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


def test_numbers_as_text_keep_every_digit():
    raw = b'{"a": 1.10, "b": [10000000000000000000000001], "c": -0, "d": 1E5, "e": null}'
    found = strict_json(raw, numbers_as_text=True)
    assert found == {
        "a": "1.10",
        "b": ["10000000000000000000000001"],
        "c": "-0",
        "d": "1E5",
        "e": None,
    }


@pytest.mark.parametrize("raw", [b'{"x": {"a": 1, "b": 2, "a": 1}}', b'[{"\\u0061": 1, "a": 2}]'])
def test_a_member_that_stands_twice_is_named(raw):
    with pytest.raises(
        RepeatedMemberError, match=r"^A member stands twice in one object\.$"
    ) as one:
        strict_json(raw)
    assert one.value.name == "a"


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("numbers_as_text", [False, True])
def test_what_is_no_number_is_refused(name, numbers_as_text):
    with pytest.raises(NoNumberError, match=f"^{name} is no number in JSON.$"):
        strict_json(f'{{"a": {name}}}'.encode(), numbers_as_text=numbers_as_text)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff",
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000,
        b"1" * 5_000,
        b'"\\ud800"',
        b'{"\\uDFFF": 1}',
        b'["\\ude00\\ud83d"]',
        b"{} {}",
    ],
)
def test_everything_else_is_not_json_in_utf_8(raw):
    with pytest.raises(StrictJsonError, match=r"^This is not JSON in UTF-8\.$"):
        strict_json(raw)
