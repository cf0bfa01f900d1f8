"""The clock, verdicts, requests and recommendations, without a database."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import pytest

from app.casework.rules import clock, dossier, recommending, requesting, verdicts
from app.casework.rules.clock import Urgency
from app.casework.rules.letter import Told, reason_in_words, values
from app.casework.rules.recommending import Gates
from app.casework.rules.verdicts import Judged
from app.register.programme import PROGRAMMES, Status

SECURITY = PROGRAMMES["security"]
TUESDAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("end", "days"),
    [
        (date(2026, 11, 24), 0),
        (date(2026, 11, 25), 1),
        (date(2026, 11, 27), 3),
        (date(2026, 11, 28), 3),
        (date(2026, 11, 29), 3),
        (date(2026, 11, 30), 4),
        (date(2026, 12, 1), 5),
        (date(2027, 2, 22), 64),
        (date(2026, 11, 23), -1),
        (date(2026, 11, 17), -5),
    ],
)
def test_working_days_leave_weekends_out(end, days):
    assert clock.working_days(TUESDAY, end) == days


def test_working_days_agree_with_counting_them_one_by_one():
    for length in range(60):
        end = date.fromordinal(TUESDAY.toordinal() + length)
        counted = sum(
            date.fromordinal(n).weekday() < 5
            for n in range(TUESDAY.toordinal() + 1, end.toordinal() + 1)
        )
        assert clock.working_days(TUESDAY, end) == counted


def test_a_passed_day_is_late_even_over_a_weekend():
    monday, saturday = date(2026, 11, 30), date(2026, 11, 28)
    assert clock.due(date(2026, 11, 29), saturday).urgency is Urgency.LATE
    assert clock.due(monday, monday).urgency is Urgency.SOON
    assert clock.due(TUESDAY, date(2027, 2, 22)).urgency is Urgency.CALM


@dataclass
class Review:
    verdict: str
    content_sha256: str


def test_a_verdict_lives_as_long_as_the_criterion_is_left_alone():
    now, then = verdicts.fingerprint({"said": "now"}), verdicts.fingerprint({"said": "then"})
    assert verdicts.judged(None, now) is Judged.UNJUDGED
    assert verdicts.judged(Review("accepted", now), now) is Judged.ACCEPTED
    assert verdicts.judged(Review("returned", now), now) is Judged.RETURNED
    assert verdicts.judged(Review("accepted", then), now) is Judged.CHANGED
    assert {one for one in Judged if one.to_judge} == {Judged.UNJUDGED, Judged.CHANGED}


def test_a_fingerprint_does_not_hang_on_the_order_of_keys():
    assert verdicts.fingerprint({"a": 1, "b": 2}) == verdicts.fingerprint({"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("verdict", "comment", "fields"),
    [
        ("accepted", "", []),
        ("returned", "Attach the log.", []),
        ("returned", "  ", ["comment"]),
        ("", "", ["verdict"]),
        ("maybe", "x", ["verdict"]),
    ],
)
def test_a_verdict_that_returns_says_what_is_missing(verdict, comment, fields):
    assert [one.field for one in verdicts.problems(verdict, comment)] == fields


GOOD_REQUEST = {
    "tasks": ["company"],
    "comments": {"1.1": "Attach it."},
    "message": "Please.",
    "due_on": date(2026, 12, 24),
    "known_tasks": ["company"],
    "known_criteria": ["1.1"],
    "today": TUESDAY,
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, None),
        ({"comments": {}}, None),
        ({"tasks": [], "comments": {}}, "criteria"),
        ({"tasks": ["cargo"]}, "tasks"),
        ({"comments": {"9.9": "x"}}, "criteria"),
        ({"comments": {"1.1": " "}}, "comment-1.1"),
        ({"message": " "}, "message"),
        ({"due_on": None}, "due_on"),
        ({"due_on": date(2026, 11, 28)}, "due_on"),
        ({"due_on": date(2027, 11, 24)}, "due_on"),
    ],
)
def test_a_request_can_be_answered(change, field):
    found = requesting.problems(**{**GOOD_REQUEST, **change})
    assert [one.field for one in found] == ([field] if field else [])


def test_the_agency_waits_until_the_day_that_it_named_is_over():
    assert requesting.stop_problems(TUESDAY, TUESDAY)
    assert not requesting.stop_problems(TUESDAY, date(2026, 11, 25))


CLEAR = Gates(
    criteria=10,
    to_judge=0,
    returned=0,
    musts_unanswered=0,
    evidence_missing=0,
    identifiers_claimed=0,
    identifiers_verified=1,
    conflicts=0,
    request_open=False,
    with_trader=False,
)


def codes(move, **changes):
    found = recommending.problems(SECURITY.move(move), replace(CLEAR, **changes))
    return [one.code for one in found]


def test_a_grant_needs_every_gate_open():
    assert codes("certify") == []
    assert codes("certify", to_judge=3) == ["NOT_JUDGED"]
    assert codes("certify", returned=1) == ["RETURNED"]
    assert codes("certify", identifiers_verified=0) == ["NOT_VERIFIED"]
    assert codes("certify", conflicts=1) == ["CONFLICT_OPEN"]
    assert codes("certify", with_trader=True) == ["WITH_TRADER"]
    assert codes("certify", with_trader=True, request_open=True) == ["REQUEST_OPEN"]
    assert codes("certify", to_judge=1, returned=1, conflicts=1, identifiers_verified=0) == [
        "NOT_JUDGED",
        "RETURNED",
        "CONFLICT_OPEN",
        "NOT_VERIFIED",
    ]


def test_a_refusal_only_waits_for_an_open_request():
    assert codes("reject", to_judge=3, returned=2, identifiers_verified=0, with_trader=True) == []
    assert codes("reject", request_open=True) == ["REQUEST_OPEN"]


def test_a_case_ends_by_granting_its_tier_or_by_a_refusal():
    names = [move.id for move in recommending.case_moves(SECURITY.moves, 1)]
    assert names == ["certify", "reject", "declare-ineligible"]
    assert [move.id for move in recommending.case_moves(SECURITY.moves, 2)] == [
        "reject",
        "declare-ineligible",
        "validate",
    ]


def told(move, status, tier, restrictions=()):
    found = SECURITY.move(move)
    return values(
        Told(
            programme=SECURITY,
            move=found,
            status=status,
            tier=tier,
            restrictions=restrictions,
            reason_code=found.reasons[0].code,
            reason_text="As found at the visit.",
            at=datetime(2026, 11, 24, 12, tzinfo=UTC),
        )
    )


def test_a_letter_lists_the_benefits_and_what_is_held_back():
    found = told("restrict", Status.CERTIFIED, 1, ("front-of-line",))
    assert found["standing"] == "Certified, tier 1 (Certified)"
    assert found["since"] == "24 November 2026, 12:00 UTC"
    granted, _, held_back = found["benefits"].partition("Not for now:")
    assert "Front of the line" in held_back
    assert "Front of the line" not in granted
    assert found["appeal"] == "You may appeal against this within 90 days."


def test_a_letter_of_a_suspension_names_no_benefit():
    found = told("suspend", Status.SUSPENDED, 2)
    assert found["standing"] == "Suspended"
    assert "No benefits apply" in found["benefits"]
    assert found["appeal"] == ""


def test_a_reason_is_the_programmes_and_the_reviewers():
    words = reason_in_words(SECURITY, "suspend", "incident", " On 3 May. ")
    assert words == "There was a security incident in your supply chain. On 3 May."
    assert reason_in_words(SECURITY, "suspend", "unknown", "On 3 May.") == "On 3 May."


def question(said="yes", **changes):
    return {
        "id": "q.1.1.1",
        "text": "Is it signed?",
        "type": "yes_no",
        "applies": "applies",
        "value": said,
        "label": said.capitalize(),
        "how_met": "",
        "document_reference": "",
        "not_applicable_reason": "",
        **changes,
    }


def content(*questions, state="answered", evidence=()):
    return {
        "assessment": {
            "catalogue": {"id": "importer", "version": "1"},
            "sections": [
                {
                    "id": "1",
                    "title": "Vision",
                    "criteria": [
                        {
                            "id": "1.1",
                            "title": "Commitment",
                            "statement": "It is signed.",
                            "modality": "must",
                            "state": state,
                            "evidence_wanted": 1,
                            "questions": list(questions),
                            "evidence": [
                                {
                                    "revision_id": name,
                                    "title": name,
                                    "filename": f"{name}.pdf",
                                    "size": 10,
                                    "scan_state": scan,
                                }
                                for name, scan in evidence
                            ],
                        }
                    ],
                }
            ],
        }
    }


def criterion(*questions, **changes):
    return dossier.read(1, content(*questions, **changes)).criterion("1.1")


def test_what_does_not_apply_is_not_there_to_be_judged():
    found = dossier.read(1, content(question(), state="does_not_apply"))
    assert found.sections == ()
    assert found.criterion("1.1") is None


def test_an_infected_file_is_no_evidence():
    assert criterion(question(), evidence=[("a", "infected")]).evidence_missing
    assert not criterion(question(), evidence=[("a", "clean")]).evidence_missing


def test_changes_are_told_part_by_part():
    before = criterion(question(), evidence=[("old", "clean")])
    after = criterion(
        question("no", how_met="By May."), evidence=[("old", "clean"), ("new", "clean")]
    )
    assert [(one.label, one.before, one.after) for one in dossier.changes(before, after)] == [
        ("Answer", "Yes", "No"),
        ("How this is met", "", "By May."),
        ("Evidence", "", "new.pdf"),
    ]
    assert dossier.changes(before, before) == ()
    assert dossier.changes(None, after) == ()
    assert before.fingerprint != after.fingerprint
