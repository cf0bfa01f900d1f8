"""Every kind of event is either told to traders in words, or kept from them on purpose."""

from app.activity.wording import (
    AGENCY_TAGS,
    DELIBERATION,
    INTERNAL,
    LOOKED,
    NOT_TOLD,
    OF_NO_TRADER,
    TOLD,
    Area,
)
from app.audit.tags import EventTag


def test_somebody_has_decided_on_every_kind_of_event():
    assert set(EventTag) - set(TOLD) - INTERNAL == set(), "Word it, or list it as internal."
    assert set(TOLD) & INTERNAL == set()
    assert set() == DELIBERATION & OF_NO_TRADER


def test_how_the_agency_decides_is_never_worded():
    for tag in ("case:recommended", "determination:proposed", "case:criterion-judged"):
        assert EventTag(tag) in DELIBERATION
    # Of everything about cases and determinations, this alone is told.
    told = {str(tag) for tag in TOLD if tag.startswith(("case:", "determination:", "conflict:"))}
    assert told == {"case:opened", "determination:approved", "determination:suspended-urgently"}
    assert {tag for tag in TOLD if tag.startswith(("case:", "determination:"))} <= AGENCY_TAGS


def test_the_sentences_take_only_what_events_tell():
    for tag, told in TOLD.items():
        words = str(told.words)
        assert words % dict.fromkeys(
            ("reference", "scheme", "accepted", "read", "filing_ref", "to_version"), ""
        ), tag
        assert told.area is not Area.LOOKED, tag


def test_an_access_does_not_tell_which_part_of_the_file_it_was():
    assert len({str(LOOKED[one]) for one in ("case", "trader", "determination", "conflict")}) == 1
    assert "%" not in str(LOOKED["case"])
    assert set(LOOKED) & NOT_TOLD == set()
