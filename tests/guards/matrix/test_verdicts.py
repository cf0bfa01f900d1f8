"""Every route, method, principal and object against the table that a person has read.

With `WRITE_VERDICTS=yes` in the environment the table is written anew; its difference is then read
by a person before it is committed. `MATRIX_ROUTES`, a part of an address, asks and writes those alone. The letters of a verdict stand for own, foreign, absent, mixed,
deleted and other state: `A` done or shown, `.` not found, `F` forbidden, `S` sign in first, `C`
confirm anew who you are, `R` refused by a rule, `-` no such object. `events` says how many business events one success records.
"""

import os

from structlog.testing import capture_logs

from tests.guards.matrix.cast import PRINCIPALS
from tests.guards.matrix.oracles import astray
from tests.guards.matrix.table import NAMES, TABLE, among_the_others, rows
from tests.guards.scene import CANARY, PLAIN


def test_the_verdicts_are_those_under_review(run, caplog):
    lines = ["\t".join(["method", "route", "permission", "events", *NAMES])]
    with capture_logs() as logged:
        for cell in run.routes():
            verdicts = [run.verdict(cell, run.callers[name]) for name in NAMES]
            counts = run.succeeded.get((cell.method, cell.rule.endpoint), set())
            events = ",".join(str(one) for one in sorted(counts)) or "-"
            lines.append(
                "\t".join([cell.method, cell.rule.rule, cell.permission, events, *verdicts])
            )
    narrowed = bool(os.environ.get("MATRIX_ROUTES"))
    if narrowed:
        lines = among_the_others(lines)
    wanted = "\n".join(lines) + "\n"
    if os.environ.get("WRITE_VERDICTS") == "yes":
        TABLE.write_text(wanted)
    text = f"{logged}{caplog.text}"
    assert CANARY not in text
    assert PLAIN not in text
    assert "\n".join(run.faults) == ""
    # Letters were caused and searched, so that their silence says something.
    assert narrowed or run.letters > 100
    assert wanted.splitlines() == TABLE.read_text().splitlines()


def test_a_letter_that_goes_astray_is_found():
    letter = {"subject": f"About {PLAIN} Imports", "body": ""}
    to_a = {**letter, "recipient": f"officer@{CANARY.lower()}.example"}
    to_b = {**letter, "recipient": f"officer@{PLAIN.lower()}.example"}
    elsewhere = {**letter, "recipient": "invited@example.com"}
    words = (CANARY, PLAIN)
    assert astray([to_a], words, ()) == [PLAIN]
    assert astray([to_b], words, (PLAIN,)) == []
    assert astray([elsewhere], words, (CANARY,)) == []
    assert astray([elsewhere], words, (PLAIN,)) == [PLAIN]


NEVER_DONE = {
    "/console/cases/<uuid:case_id>/requests/stop": "Only once the day for the answer is over.",
    "/traders/<uuid:trader_id>/delegations/<uuid:delegation_id>/consent": (
        "Another delegation covers those days in the scene; the pages' own tests do it."
    ),
    "/traders/<uuid:trader_id>/delegations/ask": "It names a client; the pages' own tests do it.",
    "/traders/<uuid:trader_id>/delegations/new": "It names a broker; the pages' own tests do it.",
    "/oauth/introspect": "A program proves itself there with its secret; it has tests of its own.",
    "/oauth/revoke": "The same.",
    "/oauth/token": "The same.",
    "/confirm": "It takes a code of the moment; the tests of step-up send one.",
    "/confirm/passkey": "It takes a signature of an authenticator; the tests of step-up make one.",
    "/security/passkeys/new": "It takes an answer of an authenticator; its tests make one.",
    "/security/identities/add/<any(trader, agency):side>": "It needs a provider; it has tests.",
    "/sign-in/code": "It takes a code of the moment; the tests of signing in send one.",
    "/sign-in/passkey": "It takes a signature of an authenticator; its tests make one.",
    "/sign-in/recovery-code": "It takes a recovery code; its tests hold some.",
    "/sign-in/with/<any(trader, agency):side>/first": "It needs a provider; it has tests.",
    "/demo/sign-in": "The demonstration's people are not in this scene.",
}


def test_somebody_succeeds_at_everything_that_changes():
    """A route at which nobody ever succeeds proves nothing about whom it keeps out."""
    never = {
        row["route"]
        for row in rows()
        if row["method"] != "GET" and not any("A" in row[one.name] for one in PRINCIPALS)
    }
    assert never == set(NEVER_DONE)


def test_no_stranger_succeeds_at_what_is_foreign():
    """Of the trader's own addresses, nobody is shown or does anything under a foreign id."""
    wrong = [
        (row["route"], one.name, row[one.name])
        for row in rows()
        for one in PRINCIPALS
        if row["route"].startswith(("/traders/", "/trader/", "/documents/"))
        and one.kept_from
        and set(row[one.name][1:4]) & {"A", "R"}
    ]
    assert wrong == []


def test_who_has_no_way_in_does_nothing():
    """Whatever is not public sends them to sign in, for every object."""
    wrong = [
        (row["method"], row["route"], name)
        for row in rows()
        for name in ("nobody", "expired", "revoked", "left", "suspended")
        if row["permission"] not in {"public", "demo:use"} and set(row[name]) - {"S", "-"}
    ]
    assert wrong == []
