"""The checker itself: it finds what is wrong, and nothing where all is well."""

from tests.faults.history import History, Read, Write, check


def history(*events):
    return History(
        [one for one in events if isinstance(one, Write)],
        [one for one in events if isinstance(one, Read)],
    )


SUSPENDED = Write("p", grants=False, began=9.9, ended=10.0, seq=2)


def seen(at, answer="active", **more):
    return Read(1, "p", at, at + 0.01, answer, **more)


def test_an_active_within_five_seconds_is_allowed():
    assert check(history(SUSPENDED, seen(14.9), seen(15.0), seen(15.1, "not_active"))) == []


def test_an_active_after_five_seconds_is_found():
    [found] = check(history(SUSPENDED, seen(15.1)))
    assert "5.10 s after" in found


def test_a_suspension_that_was_not_acknowledged_promises_nothing():
    assert check(history(Write("p", grants=False, began=1, ended=None), seen(20))) == []


def test_a_reinstatement_explains_it_but_one_before_the_suspension_does_not():
    later = Write("p", grants=True, began=12, ended=None)
    before = Write("p", grants=True, began=1, ended=2)
    assert check(history(SUSPENDED, later, seen(20))) == []
    assert len(check(history(before, SUSPENDED, seen(20)))) == 1


def test_a_reinstatement_before_another_suspension_does_not_explain_it():
    again = Write("p", grants=True, began=11, ended=11.5)
    anew = Write("p", grants=False, began=12, ended=12.5)
    assert len(check(history(SUSPENDED, again, anew, seen(17.6)))) == 1
    assert check(history(SUSPENDED, again, anew, seen(17.4))) == []


def test_a_seq_that_goes_back_is_found_for_its_client_alone():
    first, second = seen(1, seq=5), seen(2, seq=4)
    other = Read(2, "p", 3, 3.1, "active", seq=3)
    assert len(check(history(first, second))) == 1
    assert check(history(first, other)) == []


def test_less_than_was_asked_for_is_found():
    assert len(check(history(seen(1, seq=4, min_seq=5)))) == 1
    assert check(history(seen(1, "503", min_seq=5))) == []
