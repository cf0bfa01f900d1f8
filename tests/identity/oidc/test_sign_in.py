"""Signing in through a real provider: who gets in, and everything that must not."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete, select

from app.authz.actor import AgencyRole
from app.identity import queries, service
from app.identity.models import StaffRole
from app.identity.oidc.models import OidcSubject
from tests.factories.identity import make_person, sign_in
from tests.factories.traders import make_trader
from tests.identity.conftest import SETTER
from tests.identity.oidc.conftest import AAL, STRONG

OUT = "/sign-in"


LINK = "/security/identities/link/trader"


def signed_in(browser) -> bool:
    return browser.get("/security").status_code == 200


def bound(work_as) -> list[tuple[str, str]]:
    with work_as(SETTER) as work:
        rows = work.session.scalars(select(OidcSubject).order_by(OidcSubject.id))
        return [(one.issuer, one.subject) for one in rows]


def test_a_trader_comes_for_the_first_time_and_again(
    traveller, second, op, work_as, letters, security_tags
):
    page = traveller.fairway.get("/sign-in").text
    assert "Sign in with Login.gov" in page
    asked = parse_qs(urlsplit(traveller.away("trader")).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["acr_values"][0].split()[0] == f"{AAL}/2"
    assert {"state", "nonce", "code_challenge"} <= set(asked)

    answer = traveller.first("trader", "ada", name="Ada Brook")
    assert (answer.status_code, answer.location) == (303, "/security")
    shown = traveller.fairway.get("/security").text
    assert "Ada Brook" in shown
    assert "Login.gov" in shown
    assert bound(work_as) == [(op.issuers["trader"], "ada")]
    assert letters()[-1].template == "identity-linked"

    answer = second.go("trader", "ada")
    assert (answer.status_code, answer.location) == (303, "/security")
    assert signed_in(second.fairway)
    assert len(bound(work_as)) == 1
    assert security_tags() == ["sign-in:succeeded", "sign-in:succeeded"]


def test_staff_come_by_invitation_and_a_phishing_resistant_proof(traveller, second, work_as):
    assert "have not been invited" in traveller.why(traveller.go("agency", "rae"))
    assert not signed_in(traveller.fairway)
    with work_as(SETTER) as work:
        service.invite_staff(work, "rae@agency.example", AgencyRole.REVIEWER, site="http://x")
    weak = traveller.go("agency", "rae", acr=f"{AAL}/2")
    assert "stronger sign-in" in traveller.why(weak)
    assert not signed_in(traveller.fairway)

    assert second.first("agency", "rae", name="Rae Cole").status_code == 303
    assert second.fairway.get("/console/").status_code == 200
    with work_as(SETTER) as work:
        person = queries.person_by_email(work.session, "rae@agency.example")
        assert queries.agency_roles(work.session, person.id) == {AgencyRole.REVIEWER}
        assert person.password_hash is None
    # Who has left the agency has no way in by it any more, and the invitation is used up.
    third = second.__class__(traveller.fairway.application.test_client(), second.op)
    with work_as(SETTER) as work:
        work.session.execute(delete(StaffRole))
    assert "not the door" in third.why(third.go("agency", "rae"))


@pytest.mark.parametrize("acr", ["", f"{AAL}/1", f"{AAL}/2x", "phr "])
def test_a_trader_needs_a_second_factor(traveller, op, acr, work_as):
    op.misbehave("trader", claims={"acr": acr or None})
    assert "stronger sign-in" in traveller.why(traveller.go("trader", "ada"))
    assert bound(work_as) == []


def test_an_unverified_address_begins_nothing(traveller, work_as):
    assert "not confirmed" in traveller.why(traveller.go("trader", "una"))
    assert bound(work_as) == []


@pytest.mark.parametrize(
    "mischief",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"aud": "another"}},
        {"claims": {"aud": ["fairway-trader", "another"]}},
        {"claims": {"aud": "another", "azp": "fairway-trader"}},
        {"claims": {"iss": "http://localhost:1"}},
        {"claims": {"sub": None}},
        {"claims": {"exp": 1700000000}},
        {"claims": {"iat": 4000000000}},
        {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
        {"tamper": {"sub": "nia"}},
        {"foreign": True},
        {"unsigned": True},
        {"drop": True},
        {"userinfo_sub": "nia"},
    ],
    ids=str,
)
def test_a_token_that_is_not_in_order_opens_nothing(
    traveller, op, mischief, work_as, security_tags
):
    op.misbehave("trader", **mischief)
    assert "could not be trusted" in traveller.why(traveller.go("trader", "ada"))
    assert not signed_in(traveller.fairway)
    assert bound(work_as) == []
    assert security_tags() == ["provider:refused"]


def test_an_answer_works_once_in_the_browser_that_asked(traveller, second, clock):
    back = traveller.at_provider(
        "trader", traveller.away("trader"), login="ada", acr=STRONG["trader"]
    )
    assert "This sign-in is over" in second.why(second.fairway.get(back))
    assert traveller.fairway.get(back).location.endswith("/first")
    assert "This sign-in is over" in traveller.why(traveller.fairway.get(back))
    forged = traveller.fairway.get("/sign-in/with/trader/callback?code=x&state=y")
    assert "This sign-in is over" in traveller.why(forged)

    late = traveller.at_provider(
        "trader", traveller.away("trader"), login="ada", acr=STRONG["trader"]
    )
    clock.advance(timedelta(minutes=10, seconds=1))
    assert "This sign-in is over" in traveller.why(traveller.fairway.get(late))


def test_an_answer_of_the_other_provider_is_not_taken(traveller, op):
    back = traveller.at_provider(
        "trader", traveller.away("trader"), login="ada", acr=STRONG["trader"]
    )
    assert f"iss={op.issuers['trader'].replace(':', '%3A').replace('/', '%2F')}" in back
    query = parse_qs(urlsplit(back).query)
    mixed = {
        "code": query["code"][0],
        "state": query["state"][0],
        "iss": op.issuers["agency"],
    }
    answer = traveller.fairway.get("/sign-in/with/trader/callback", query_string=mixed)
    assert "could not be trusted" in traveller.why(answer)

    # The same state at the other side's address was never given there.
    back = traveller.at_provider(
        "trader", traveller.away("trader"), login="ada", acr=STRONG["trader"]
    )
    answer = traveller.fairway.get(back.replace("/trader/", "/agency/"))
    assert "This sign-in is over" in traveller.why(answer)

    # And an answer that leaves out who it is from, though the provider always says it.
    back = traveller.at_provider(
        "trader", traveller.away("trader"), login="ada", acr=STRONG["trader"]
    )
    nameless = back.split("&iss=")[0]
    assert "could not be trusted" in traveller.why(traveller.fairway.get(nameless))


def test_a_provider_that_is_down_is_told_calmly(traveller, op, oidc_app):
    begun = traveller.away("trader")
    back = traveller.at_provider("trader", begun, login="ada", acr=STRONG["trader"])
    op.misbehave("trader", down=True)
    assert "does not answer" in traveller.why(traveller.fairway.get(back))
    client_of(oidc_app, "trader").server_metadata.clear()
    assert "does not answer" in traveller.why(traveller.fairway.get("/sign-in/with/trader"))
    op.misbehave("trader")
    assert traveller.go("trader", "ada").location.endswith("/first")


def client_of(app, side):
    return next(one.client for key, one in app.extensions["fairway_oidc"].items() if key == side)


def test_a_provider_that_calls_itself_another_is_not_believed(traveller, op, oidc_app):
    client_of(oidc_app, "trader").server_metadata.clear()
    op.misbehave("trader", metadata={"issuer": op.issuers["agency"]})
    answer = traveller.fairway.get("/sign-in/with/trader")
    assert "could not be trusted" in traveller.why(answer)
    op.misbehave("trader")
    assert traveller.go("trader", "ada").location.endswith("/first")


def test_a_key_that_the_provider_has_changed_is_fetched(traveller, second, op):
    traveller.first("trader", "ada")
    op.control("trader", rotate=True)
    assert second.go("trader", "ada").location == "/security"


def test_a_cancelled_sign_in_is_no_alarm(traveller, security_tags):
    answer = traveller.go("trader", cancel="access_denied")
    assert "You cancelled" in traveller.why(answer)
    assert security_tags() == []


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"]
)
def test_no_way_leads_off_the_site(traveller, elsewhere):
    traveller.first("trader", "ada")
    traveller.send("/security")
    answer = traveller.fairway.get("/sign-in/with/trader", query_string={"next": elsewhere})
    assert answer.location == "/"


def test_an_existing_account_is_not_opened_by_its_address(traveller, work_as, letters):
    with work_as(SETTER) as work:
        ada = make_person(work, name="Ada Brook", email="ada@example.com")
    answer = traveller.go("trader", "ada")
    words = traveller.why(answer)
    assert "You have an account already" in words
    assert LINK in words.replace("%2F", "/")
    assert not signed_in(traveller.fairway)
    assert bound(work_as) == []
    # Nothing waits that could be sent all the same.
    assert traveller.fairway.get("/sign-in/with/trader/first").location == OUT

    sign_in(traveller.fairway, ada)
    # A page of ours comes first: a browser would not follow a sent form to another site.
    assert f'href="{LINK}/go"' in traveller.fairway.get(LINK).text
    answer = traveller.go("trader", "ada", path=f"{LINK}/go")
    assert answer.location == "/security/identities/add/trader"
    assert traveller.send(answer.location).location == "/security"
    assert letters()[-1].template == "identity-linked"
    assert len(bound(work_as)) == 1


def test_an_account_whose_address_nobody_verified_is_taken_over_without_its_password(
    traveller, work_as
):
    with work_as(SETTER) as work:
        service.sign_up(
            work,
            name="Mallory",
            email="ada@example.com",
            password="seven loud harbours",
            site="http://x",
        )
    assert traveller.first("trader", "ada").status_code == 303
    with work_as(SETTER) as work:
        person = queries.person_by_email(work.session, "ada@example.com")
        assert (person.name, person.password_hash) == ("Ada Brook", None)
        assert person.mail_verified_at is not None


def test_a_traders_identity_never_opens_the_agency(traveller, work_as):
    with work_as(SETTER) as work:
        make_person(work, email="ada@example.com", roles=[AgencyRole.SUPERVISOR])
    assert "not the door" in traveller.why(traveller.go("trader", "ada"))
    assert traveller.first("trader", "nia").status_code == 303
    # A role that is given while the session lasts does not reach it either.
    with work_as(SETTER) as work:
        nia = queries.person_by_email(work.session, "nia@example.com")
        service.give_role(work, nia, AgencyRole.SUPERVISOR)
    assert traveller.fairway.get("/console/").status_code == 403


def test_the_agencys_identity_never_opens_a_trader(traveller, work_as):
    with work_as(SETTER) as work:
        rae = make_person(work, name="Rae Cole", email="rae@agency.example")
        trader = make_trader(work, officer=rae)
        service.invite_staff(work, rae.email, AgencyRole.REVIEWER, site="http://x")
    traveller.first("agency", "rae", name="Rae Cole")
    page = f"/traders/{trader.id}/sites"
    assert traveller.fairway.get(page).status_code == 403
    # By another way in the same person would be its officer, so that the refusal is the session's.
    other = traveller.fairway.application.test_client()
    sign_in(other, rae)
    assert other.get(page).status_code == 200


def test_an_ended_account_stays_closed(traveller, second, work_as):
    traveller.first("trader", "ada")
    with work_as(SETTER) as work:
        person = queries.person_by_email(work.session, "ada@example.com")
        service.end_person(work, person)
    assert not signed_in(traveller.fairway)
    assert "has ended" in second.why(second.go("trader", "ada"))


def test_confirming_asks_the_provider_anew(traveller, second, op, clock, security_tags):
    second.first("trader", "nia", name="Nia Field")
    traveller.first("trader", "ada")
    clock.advance(timedelta(minutes=6))
    begun = traveller.away("trader", "/confirm/with/trader?next=/security")
    asked = parse_qs(urlsplit(begun).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    clock.advance(timedelta(minutes=-6))

    answer = traveller.go("trader", "ada", path="/confirm/with/trader?next=/security")
    assert answer.location == "/security"
    assert security_tags()[-1] == "step-up:succeeded"

    # A provider that answers from its old session instead has confirmed nothing.
    op.misbehave("trader", claims={"auth_time": int(clock.now().timestamp()) - 600})
    answer = traveller.go("trader", "ada", path="/confirm/with/trader?next=/security")
    assert "did not confirm" in traveller.why(answer)
    op.misbehave("trader", claims={"auth_time": None})
    answer = traveller.go("trader", "ada", path="/confirm/with/trader?next=/security")
    assert "did not confirm" in traveller.why(answer)
    op.misbehave("trader")
    answer = traveller.go("trader", "nia", path="/confirm/with/trader?next=/security")
    assert "somebody else" in traveller.why(answer)


def test_linking_asks_for_a_fresh_proof_and_comes_back_to_its_page(traveller, work_as, clock):
    with work_as(SETTER) as work:
        ada = make_person(work, name="Ada Brook", email="ada@example.com")
    sign_in(traveller.fairway, ada)
    clock.advance(timedelta(minutes=6))
    for address in (LINK, f"{LINK}/go"):
        answer = traveller.fairway.get(address)
        assert answer.status_code == 303
        assert answer.location.replace("%2F", "/") == f"/confirm?next={LINK}"


def test_an_identity_opens_one_account(traveller, second, work_as):
    traveller.first("trader", "ada")
    with work_as(SETTER) as work:
        other = make_person(work, email="other@example.com")
    sign_in(second.fairway, other)
    answer = second.go("trader", "ada", path=f"{LINK}/go")
    assert "another account" in second.why(second.send(answer.location))
    assert len(bound(work_as)) == 1


def test_the_only_way_in_cannot_be_removed_and_another_can(traveller, second, work_as):
    traveller.first("trader", "ada")
    with work_as(SETTER) as work:
        (row,) = work.session.scalars(select(OidcSubject))
        ada = queries.person_by_email(work.session, "ada@example.com")
    remove = f"/security/identities/{row.id}/remove"
    token = "/security/password"
    assert send_from(traveller, token, remove).status_code == 409
    with work_as(SETTER) as work:
        kept = make_person(work, email="other@example.com").password_hash
        work.session.get(type(ada), ada.id).password_hash = kept
        other = queries.person_by_email(work.session, "other@example.com")
    second.go("trader", "ada")
    stranger = second.__class__(traveller.fairway.application.test_client(), second.op)
    sign_in(stranger.fairway, other)
    assert send_from(stranger, token, remove).status_code == 404
    assert send_from(traveller, token, remove).location == "/security"
    assert bound(work_as) == []
    assert signed_in(traveller.fairway)
    assert not signed_in(second.fairway)


def send_from(traveller, page, path):
    from tests.identity.conftest import TOKEN  # noqa: PLC0415

    found = TOKEN.search(traveller.fairway.get(page).text)
    return traveller.fairway.post(path, data={"csrf_token": found[1]})


def test_signing_out_ends_the_session_and_offers_the_providers_end(traveller, op):
    traveller.first("trader", "ada")
    assert send_from(traveller, "/security/password", "/sign-out").location == OUT
    page = traveller.fairway.get(OUT).text
    assert f"{op.issuers['trader']}/session/end" in page
    assert "Also sign out of Login.gov" in page
    assert "Also sign out" not in traveller.fairway.get(OUT).text
    assert not signed_in(traveller.fairway)
