"""A programme's file is refused when it does not hang together."""

import pytest
from pydantic import ValidationError

from app.authz.permissions import Permission
from app.catalogues.reading import UnreadableError
from app.register.programme import FOLDER, PROGRAMMES, Status, load, load_all

RAW = (FOLDER / "security.yaml").read_text(encoding="utf-8")


def test_the_security_programme_is_whole():
    security = PROGRAMMES["security"]
    assert [(one.tier, one.status) for one in security.tiers] == [
        (1, Status.CERTIFIED),
        (2, Status.VALIDATED),
        (3, Status.VALIDATED),
    ]
    assert [one.id for one in security.moves if one.urgent] == ["suspend-urgently"]
    assert {one.approves for one in security.moves} == {Permission.DETERMINATION_APPROVE}
    assert security.clock("countersignature").period.total_seconds() == 24 * 3600
    # Every benefit is given by some tier, and every text says something.
    given = {code for one in security.tiers for code in one.benefits}
    assert given == {one.code for one in security.benefits}
    assert all(one.text and one.source for one in security.benefits)
    assert all(one.meaning and one.next for one in security.statuses)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  - code: fewest-exams", "  - code: fewer-exams", "benefit fewer-exams stands twice"),
        ("benefits: [risk-score, ", "benefits: [risky, ", "no benefit risky"),
        ("    appeal: appeal-of-denial", "    appeal: some-day", "no clock some-day"),
        ("{id: countersignature,", "{id: other,", "no clock countersignature"),
        ("    tiers: [2, 3]", "    tiers: [2, 4]", "no tier 4 for validate"),
        ("    tiers: [2, 3]", "    tiers: [1, 2]", "a status that its tier does not have"),
        ("    tiers: [2, 3]\n", "", "validate leads to validated without a tier"),
        (
            "    status: certified\n    summary",
            "    status: removed\n    summary",
            "grants nothing",
        ),
        ("  - status: rejected", "  - status: removed", "status removed stands twice"),
        ("    to: suspended", "    to: banished", "banished"),
        ("    proposes: determination:propose", "    proposes: everybody", "everybody"),
        ("    starts: any", "    starts: on-date", "only a correction reaches back"),
        (
            "    kind: grants\n    from: [certified",
            "    kind: grants\n    colour: red\n    from: [certified",
            "Extra inputs",
        ),
    ],
)
def test_a_broken_file_is_refused(old, new, message):
    assert old in RAW
    raw = RAW.replace(old, new, 1).encode()
    with pytest.raises(ValidationError, match=message):
        load(raw)


def test_a_grant_is_never_urgent():
    raw = RAW.replace("    signatures: two", "    signatures: urgent", 1).encode()
    with pytest.raises(ValidationError, match="certify is urgent but takes nothing away"):
        load(raw)


def test_a_key_given_twice_is_refused():
    with pytest.raises(UnreadableError):
        load(RAW.replace("tiers:\n", "tiers: []\ntiers:\n", 1).encode())


def test_a_file_is_named_after_its_programme(tmp_path):
    (tmp_path / "other.yaml").write_text(RAW, encoding="utf-8")
    with pytest.raises(ValueError, match="holds the programme security"):
        load_all(tmp_path)
