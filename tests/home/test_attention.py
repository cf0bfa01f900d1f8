"""What needs attention in how a company is protected."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

from app.authz.actor import TraderRole
from app.home.attention import Attention, Kind, Member, Program, attention

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def uid(number):
    return UUID(int=number)


def member(number, role=TraderRole.PREPARER, **facts):
    values = {
        "name": f"P{number}",
        "email": f"p{number}@example.com",
        "since": NOW - DAY,
        "passkeys": 1,
        "authenticator": False,
        "provider": False,
        "signed_in_at": NOW - DAY,
        "sessions": 0,
    }
    return Member(
        appointment_id=uid(100 + number), person_id=uid(number), role=role, **{**values, **facts}
    )


OFFICERS = [member(1, TraderRole.OFFICER), member(2, TraderRole.OFFICER)]


def asked(members=OFFICERS, **facts):
    values = {
        "now": NOW,
        "me": uid(1),
        "members": members,
        "invitations": [],
        "delegations": [],
        "to_answer": [],
        "programs": [],
        "locked": set(),
    }
    return attention(**{**values, **facts})


def kinds(*args, **facts):
    return [one.kind for one in asked(*args, **facts)]


def test_a_well_kept_company_needs_nothing():
    assert asked() == []


def test_missing_factors_name_oneself_and_the_others_apart():
    bare = {"passkeys": 0}
    people = [
        member(1, TraderRole.OFFICER, passkeys=0, authenticator=True),
        member(2, TraderRole.OFFICER, **bare, authenticator=True),
        member(3, **bare, authenticator=True),
        member(4, **bare),
        member(5, **bare, provider=True),
    ]
    assert asked(people) == [
        Attention(Kind.NO_FACTOR, ("P4",), (uid(104),)),
        Attention(Kind.NO_PASSKEY, ("P1",), (uid(101),), mine=True),
        Attention(Kind.NO_PASSKEY, ("P2", "P3"), (uid(102), uid(103))),
    ]


def test_the_only_officer_is_pointed_out():
    assert kinds([member(1, TraderRole.OFFICER), member(2)]) == [Kind.ONE_OFFICER]


def test_an_invitation_is_unanswered_after_a_week_and_once_it_has_lapsed():
    def invited(ago):
        return SimpleNamespace(id=uid(7), invited_at=NOW - ago, expires_at=NOW - ago + 14 * DAY)

    assert kinds(invitations=[invited(7 * DAY - timedelta(seconds=1))]) == []
    assert kinds(invitations=[invited(7 * DAY)]) == [Kind.UNANSWERED]
    assert kinds(invitations=[invited(20 * DAY)]) == [Kind.UNANSWERED]


def test_a_secret_is_old_after_a_year():
    def program(age, **facts):
        values = {"suspended": False, "last_used_at": None}
        return Program(uid(9), "Filer", oldest_credential=NOW - age, **{**values, **facts})

    assert kinds(programs=[program(364 * DAY)]) == []
    assert kinds(programs=[program(365 * DAY)]) == [Kind.OLD_CREDENTIAL]
    assert kinds(programs=[program(DAY, suspended=True)]) == [Kind.SUSPENDED]
    assert kinds(programs=[Program(uid(9), "Filer", False, None, None)]) == []


def test_who_has_not_come_for_three_months_but_never_oneself():
    away = {"signed_in_at": NOW - 90 * DAY}
    assert kinds([OFFICERS[0], member(2, TraderRole.OFFICER, **away)]) == [Kind.AWAY]
    assert kinds([member(1, TraderRole.OFFICER, **away), OFFICERS[1]]) == []
    never = {"signed_in_at": None, "since": NOW - 91 * DAY}
    assert kinds([*OFFICERS, member(3, **never)]) == [Kind.AWAY]


def test_delegations_that_wait_or_end_soon_and_wrong_passwords():
    def delegation(left):
        return SimpleNamespace(id=uid(5), broker_name="Tideway", valid_until=NOW + left)

    assert kinds(delegations=[delegation(31 * DAY)]) == []
    assert kinds(delegations=[delegation(30 * DAY)]) == [Kind.ENDS_SOON]
    assert kinds(to_answer=[delegation(90 * DAY)], locked={"P2"}) == [Kind.LOCKED, Kind.ANSWER]
