"""The pages of both sides: asking, consenting, and what a stranger's number looks like."""

from datetime import timedelta

import pytest

from tests.factories.identity import prove_again
from tests.factories.register import suspend_urgently
from tests.verifications.conftest import NUMBER


@pytest.fixture
def browsers(pair, visit):
    found = {side: visit(pair.people[side]) for side in ("asker", "holder")}
    for one in found.values():
        prove_again(one.client)
    return found


def base(pair, side):
    trader_id = pair.asker_id if side == "asker" else pair.holder_id
    return f"/traders/{trader_id}/verifications"


def asks(browsers, pair, number=NUMBER, **typed):
    address = f"{base(pair, 'asker')}/new"
    form = browsers["asker"].get(address).fields()
    answer = browsers["asker"].client.post(
        address, data={**form, "scheme": "ior", "number": number, **typed}
    )
    pair.run_jobs()
    return answer


def test_from_the_question_to_the_end(pair, browsers, work_as):
    asker, holder = browsers["asker"], browsers["holder"]
    assert "You have asked nobody yet" in asker.get(base(pair, "asker")).words()
    answer = asks(browsers, pair)
    assert answer.status_code == 303
    page = asker.get(answer.headers["Location"])
    assert "Waits for consent" in page.words()
    assert "Holder" not in page.words()
    assert "1 waits for your answer" in holder.get(base(pair, "holder")).words()
    [consent] = pair.consents()
    at = f"{base(pair, 'holder')}/consents/{consent.id}"
    assert "Asker Imports asks to see" in holder.get(at).words()
    assert holder.send(f"{at}/yes").status == 303
    pair.run_jobs()
    assert "Is an active partner" in asker.get(answer.headers["Location"]).words()
    listed = asker.get(base(pair, "asker")).words()
    assert "Holder Imports" in listed
    assert "Is an active partner" in listed
    suspend_urgently(work_as, pair.holder_id)
    page = asker.get(answer.headers["Location"]).words()
    assert "Is not an active partner" in page
    for word in ("suspend", "Tier", "contraband"):
        assert word.lower() not in page.lower()
    assert holder.send(f"{at}/end").status == 303
    assert "No longer shown" in asker.get(answer.headers["Location"]).words()
    assert holder.get(f"{at}/yes").status == 404


def test_a_known_and_an_unknown_number_get_the_same_page(pair, browsers):
    pages = []
    for number in (NUMBER, "55-555555500"):
        answer = asks(browsers, pair, number)
        page = browsers["asker"].get(answer.headers["Location"])
        key = answer.headers["Location"].rsplit("/", 1)[1]
        pages.append((answer.status_code, page.words().replace(number, "N"), len(key)))
    assert pages[0] == pages[1]


def test_a_decline_changes_nothing_on_the_askers_page(pair, browsers):
    answer = asks(browsers, pair)
    before = browsers["asker"].get(answer.headers["Location"]).words()
    [consent] = pair.consents()
    at = f"{base(pair, 'holder')}/consents/{consent.id}"
    assert browsers["holder"].send(f"{at}/no").status == 303
    pair.run_jobs()
    after = browsers["asker"].get(answer.headers["Location"]).words()
    assert before.replace("Sent. You see here when somebody has consented.", "").split() == (
        after.split()
    )
    assert "Declined" in browsers["holder"].get(at).words()


def test_only_an_officer_consents_and_only_with_a_fresh_proof(pair, browsers, visit, clock):
    asks(browsers, pair)
    [consent] = pair.consents()
    at = f"{base(pair, 'holder')}/consents/{consent.id}"
    viewer = visit(pair.viewer)
    seen = viewer.get(at)
    assert "An officer of yours" in seen.words()
    assert viewer.get(f"{at}/yes").status == 403
    clock.advance(timedelta(minutes=6))
    form = browsers["holder"].get(f"{at}/yes").fields()
    assert browsers["holder"].client.post(f"{at}/yes", data=form).status_code == 422
    assert pair.consents()[0].state == "asked"


@pytest.mark.parametrize(
    ("number", "words"),
    [("", "Give the company's number."), ("123-45-6789", "A number of a private person")],
)
def test_what_is_wrong_stands_beside_the_number(pair, browsers, number, words):
    answer = asks(browsers, pair, number)
    assert answer.status_code == 422
    assert words in answer.text


def test_the_other_side_is_nowhere_to_be_found(pair, browsers):
    answer = asks(browsers, pair)
    key = answer.headers["Location"].rsplit("/", 1)[1]
    [consent] = pair.consents()
    for address in (
        f"{base(pair, 'holder')}/{key}",
        f"{base(pair, 'asker')}/{key}",
    ):
        assert browsers["holder"].get(address).status == 404
    for address in (
        f"{base(pair, 'asker')}/consents/{consent.id}",
        f"{base(pair, 'holder')}/consents/{consent.id}",
    ):
        assert browsers["asker"].get(address).status == 404
