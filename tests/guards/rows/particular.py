"""What the catalogue cannot tell: rows and attacks that some one condition of a policy is about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection

from tests.guards.rows.world import (
    EARLIER,
    LATER,
    NOW,
    Row,
    Table,
    hash_of,
    make_row,
    put,
    uuid_of,
)


@dataclass(frozen=True)
class Who:
    """An attacker: the database role, the token they hold, the side they are."""

    role: str
    token: str
    side: str


@dataclass(frozen=True)
class Attack:
    """A row of the scene, by its label, with some values changed; or the honest way, not refused."""

    label: str
    row: Row
    refused: bool = True


def by(role: str, side: str) -> Who:
    return Who(role, f"token of {side}" if len(side) == 1 else "", side)


def person(side: str) -> UUID:
    return uuid_of("person", side)


def trader(side: str) -> UUID:
    return uuid_of("trader", side)


def program(side: str) -> UUID:
    return uuid_of("api_client", side)


A, K, F = by("portal", "a"), by("portal", "k"), by("portal", "f")
S, WORKER, ENTRY = by("console", "s"), by("worker", "worker"), by("entry", "entry")
FIRST_OFFICER: Row = {
    "trader_id": trader("f"),
    "person_id": person("f"),
    "role": "officer",
    "state": "active",
}
OFFERED: Row = {
    "trader_id": trader("b"),
    "acting_trader_id": trader("k"),
    "subject_kind": "delegation",
    "subject_id": uuid_of("delegation", "offered"),
}
NOT_MINE: Row = {"proposed_by": person("t")}

READS, FILES, STATUS = "filings:read", "filings:write", "status:self"
DECIDES, RECALLS, FEED = "decisions:write", "decisions:read", "feed:read"
NARROW: dict[str, tuple[str, frozenset[str]]] = {
    f"{side} {word}": (side, frozenset({scope}))
    for side, words in (
        ("a", {"reads": READS, "files": FILES, "status": STATUS}),
        ("j", {"reads": READS, "files": FILES, "status": STATUS}),
        ("s", {"decides": DECIDES, "recalls": RECALLS, "feed": FEED}),
    )
    for word, scope in words.items()
} | {"j without": ("j", frozenset({READS, FILES, STATUS}))}
"""Tokens by their word: whose, and for what; the client of the last is not allowed it any more."""
LETS_J = {
    "a": ("q", "view_status"),
    "b": ("w", "prepare"),
    "k": ("r", "submit_filings"),
    "f": ("u", "data_only"),
}
"""What each company lets J do for it, beside the label of the delegation."""


def narrow(word: str) -> Who:
    return Who("api", word, NARROW[word][0])


INSERTS: dict[tuple[Who, str], list[Attack]] = {
    (F, "appointment"): [
        Attack("a", FIRST_OFFICER, refused=False),
        Attack("a", FIRST_OFFICER | {"person_id": person("b")}),
        Attack("a", FIRST_OFFICER | {"role": "viewer"}),
        Attack("a", FIRST_OFFICER | {"state": "invited"}),
    ],
    (A, "appointment"): [Attack("a", {"trader_id": trader("b"), "person_id": person("a")})],
    (K, "audit_event"): [
        Attack("k", OFFERED, refused=False),
        Attack("k", OFFERED | {"subject_kind": "trader"}),
        Attack("k", OFFERED | {"subject_id": uuid_of("delegation", "a")}),
        Attack("k", OFFERED | {"subject_id": trader("b")}),
        Attack("k", OFFERED | {"trader_id": trader("j")}),
        Attack("k", OFFERED | {"acting_trader_id": trader("a")}),
    ],
    (by("portal", "c"), "audit_event"): [Attack("a", OFFERED)],
    (A, "audit_event"): [
        Attack("a", OFFERED | {"subject_id": uuid_of("delegation", "b")}),
        Attack(
            "a",
            OFFERED
            | {
                "subject_id": uuid_of("delegation", "b"),
                "acting_trader_id": trader("nobody"),
            },
        ),
    ],
    (A, "delegation"): [
        Attack("a", {"state": "active"}),
        Attack("a", {"accepted_at": NOW}),
        Attack("a", {"proposed_by": person("c")}),
        Attack("a", {"proposed_side": "broker"}),
        Attack("a", {}, refused=False),
    ],
    (A, "trader_identifier"): [
        Attack("a", {"state": "verified"}),
        Attack("a", {"verified_at": NOW}),
        Attack("a", {}, refused=False),
    ],
    # A composite key holds this too; the rule for writing is asked here without it.
    **{
        (who, "filing"): [Attack("a", {"batch_id": uuid_of("batch", "b")})]
        for who in (A, by("api", "a"))
    },
    (A, "colleague_comment"): [
        Attack("a", {}, refused=False),
        Attack("a", {"asked_id": person("c")}, refused=False),
        Attack("a", {"asked_id": person("b")}),
        Attack("a", {"asked_id": person("d")}),
        Attack("a", {"written_by": person("c")}),
        Attack("a", {"ended_by": person("a")}),
    ],
    (K, "colleague_comment"): [
        Attack("k", {"assessment_id": uuid_of("assessment", "a")}),
        Attack(
            "k",
            {"trader_id": trader("nobody"), "assessment_id": uuid_of("assessment", "k-nobody")},
        ),
    ],
    (A, "person"): [Attack("a", {"id": person("a")})],
    (K, "answer_workbook"): [Attack("k", {"assessment_id": uuid_of("assessment", "a")})],
    (K, "plan"): [
        Attack("k", {"assessment_id": uuid_of("assessment", "a")}),
        Attack("k", {}, refused=False),
    ],
    (by("api", "a"), "audit_event"): [
        Attack("a", {"client_id": program("b")}),
        Attack("a", {"client_id": None}),
    ],
    (by("api", "s"), "decision"): [Attack("a", {"client_id": program("a")})],
    **{
        (narrow(word), table): [Attack(word[0], {})]
        for word in ("a reads", "a status", "j reads", "j status", "j without")
        for table in ("batch", "filing", "filing_fault")
    },
    **{
        (narrow("j files"), table): [
            Attack("a", {}),
            Attack("f", {}),
            Attack("b", {}),
            Attack("j", {}, refused=False),
            Attack("k", {}, refused=False),
        ]
        for table in ("batch", "filing", "filing_fault")
    },
    (by("api", "j"), "filing_fault"): [Attack("f", {})],
    (by("api", "j"), "filing"): [Attack("j", {"batch_id": uuid_of("batch", "f")})],
    **{
        (narrow("s decides"), table): [Attack("a", {}, refused=False)]
        for table in ("decision", "policy_version")
    },
    **{
        (narrow(word), table): [Attack("a", {})]
        for word in ("s recalls", "s feed")
        for table in ("decision", "policy_version")
    },
    (WORKER, "audit_event"): [
        Attack("a", {"actor_kind": "person"}),
        Attack("a", {}, refused=False),
    ],
    (ENTRY, "audit_event"): [
        Attack("a", {"client_id": program("a")}),
        Attack("a", {"client_id": None}, refused=False),
    ],
    (ENTRY, "one_time_link"): [
        Attack("-invited", {"person_id": None}),
        Attack("a", {}, refused=False),
    ],
    (ENTRY, "staff_role"): [
        Attack("s", {"person_id": person("v"), "role": "reviewer"}, refused=False),
        Attack("s", {"person_id": person("v"), "role": "supervisor"}),
        Attack("s", {"person_id": person("y"), "role": "reviewer"}),
    ],
    (S, "audit_event"): [Attack("a", {"person_id": person("t")})],
    (S, "criterion_review"): [Attack("a", {"reviewer_id": person("t")})],
    **{
        (S, table): [Attack("a", NOT_MINE), Attack("a", {}, refused=False)]
        for table in ("determination", "succession", "catalogue_publication")
    },
}
UPDATES: dict[tuple[Who, str], list[Attack]] = {
    (A, "colleague_comment"): [
        Attack("a", {"ended_by": person("c")}),
        Attack("a", {"ended_by": person("a")}, refused=False),
    ],
    (A, "trader_identifier"): [
        Attack("a-1", {"state": "verified"}),
        Attack("a-1", {"state": "withdrawn"}, refused=False),
    ],
} | {
    (S, table): [
        Attack("a", {"decided_by": person("t")}),
        Attack("a", {"decided_by": person("s")}, refused=False),
    ]
    for table in ("determination", "succession", "catalogue_publication")
}


PAST: dict[str, Row] = {
    "over": {"valid_until": NOW},
    "not yet": {"valid_from": LATER, "valid_until": LATER + timedelta(days=1)},
    "revoked": {"state": "revoked"},
}
COLLEAGUES = (("c", "active", "viewer"), ("d", "ended", "officer"), ("e", "active", "viewer"))
"""C works at A; D was its officer; E's account has been closed."""
CLAIMS = {
    # Label to scheme, number and state; the label's first letter is the company.
    "a-1": ("s", "1", "claimed"),
    "b-1": ("s", "1", "verified"),
    "b-2": ("t", "1", "verified"),
    "b-3": ("s", "2", "verified"),
    "b-4": ("s", "3", "claimed"),
    "j-4": ("s", "3", "claimed"),
    "a-5": ("s", "4", "withdrawn"),
    "b-5": ("s", "4", "claimed"),
    "a-6": ("s", "5", "claimed"),
    "b-6": ("t", "5", "claimed"),
    "b-7": ("s", "5", "withdrawn"),
}
CONFLICTS = {"-1": ("t", "5", "open"), "-2": ("s", "6", "open"), "-3": ("s", "5", "resolved")}
RIVALS = {("s", "1", "a"): "rival", ("s", "6", "a"): "none"} | dict.fromkeys(
    (
        ("t", "1", "a"),
        ("s", "2", "a"),
        ("s", "3", "a"),
        ("s", "3", "b"),
        ("s", "4", "a"),
        ("s", "5", "a"),
    ),
    "none",
)
SINCE, LONG_AGO = EARLIER - timedelta(days=1), EARLIER - timedelta(days=2)


def officer_of(side: str) -> str:
    return f"fairway_is_officer('{trader(side)}')"


def security_of(side: str) -> str:
    return f"fairway_people_security('{trader(side)}')"


def events_of(side: str) -> str:
    return f"fairway_people_events('{trader(side)}', '{SINCE.isoformat()}', 100)"


C, D = by("portal", "c"), by("portal", "d")
CALLS: list[tuple[Who, str, set[tuple[object, ...]]]] = [
    (A, officer_of("a"), {(True,)}),
    (A, officer_of("b"), {(False,)}),
    (C, officer_of("a"), {(False,)}),
    (D, officer_of("a"), {(False,)}),
    (C, security_of("a"), set()),
    (A, security_of("b"), set()),
    (
        A,
        security_of("a"),
        {
            (person("a"), 1, 1, 1, EARLIER, 1),
            (person("c"), 1, 1, 1, None, 1),
            (person("e"), 1, 1, 1, None, 1),
        },
    ),
    (C, events_of("a"), set()),
    (A, events_of("b"), set()),
    (
        A,
        events_of("a"),
        {
            (EARLIER, person("c"), "sign-in:failed"),
            (EARLIER, person("c"), "passkey:added"),
        },
    ),
    *(
        (narrow(word), "unnest(fairway_client_filings(true))", set())
        for word in ("a reads", "j reads", "j status", "j without")
    ),
    *(
        (A, f"fairway_rivalry('{scheme}', '{number}', '{trader(of)}')", {(word,)})
        for (scheme, number, of), word in RIVALS.items()
    ),
]


def _told(more: Callable[..., Row]) -> None:
    """What the functions that look past the rules tell of, and beside it what they do not."""
    for label, (scheme, number, state) in CLAIMS.items():
        more("trader_identifier", label, label[0], scheme=scheme, lookup_key=number, state=state)
    for label, (scheme, number, state) in CONFLICTS.items():
        more("identifier_conflict", label, "b", scheme=scheme, lookup_key=number, state=state)
    for name, tag in (("security_event", "sign-in:failed"), ("audit_event", "passkey:added")):
        for word, changes in {
            "told": {},
            "before": {"at": LONG_AGO},
            "other": {"tag": "x"},
        }.items():
            row = {"person_id": person("c"), "tag": tag, "at": EARLIER} | changes
            row |= {"trader_id": None} if name == "audit_event" else {}
            more(name, f"c-{word}", "a", **row)
    for side in "bd":
        more("security_event", f"{side}-told", side, tag="sign-in:failed", at=EARLIER)
    elsewhere = {
        "person_id": person("c"),
        "tag": "passkey:added",
        "trader_id": trader("b"),
        "at": NOW,
    }
    more("audit_event", "c-elsewhere", "a", **elsewhere)
    for word, at in (("first", LONG_AGO), ("last", EARLIER)):
        more("security_event", f"a-{word}", "a", tag="sign-in:succeeded", at=at)
    more("security_event", "a-later", "a", tag="x", at=NOW)
    more("web_session", "a-half", "a", token_hash="half", method="password")


def furnish(connection: Connection, tables: dict[str, Table]) -> None:
    """The rows that are somebody's only in part, or not any more, or not yet."""

    def more(table: str, label: str, like: str, **changes: object) -> Row:
        row = tables[table].rows[like] | changes
        if "id" in row and "id" not in changes:
            row["id"] = uuid_of(table, label)
        return put(connection, tables[table], label, row)

    for side, state, role in COLLEAGUES:
        more("appointment", side, "a", person_id=person(side), role=role, state=state)
    invited = {"person_id": None, "state": "invited"}
    more("appointment", "y", "j", **invited, invited_email="y@example.com")
    more("appointment", "i", "j", **invited, invited_email="c@example.com")
    more("appointment", "-w", "j", **invited, invited_email="w@example.com")
    more("appointment", "-other", "j", **invited, invited_email="other@example.com")
    withdrawn = {"person_id": None, "state": "withdrawn", "invited_email": "y@example.com"}
    more("appointment", "-withdrawn", "j", **withdrawn)
    more("appointment", "b-withdrawn", "b", **withdrawn)
    # F registered it and left it to B.
    left = more("trader", "b-founded", "b", registered_by=person("f"))
    more("appointment", "b-founded", "b", trader_id=left["id"])
    more("staff_role", "e", "s", person_id=person("e"))
    more(
        "one_time_link",
        "-invited",
        "a",
        person_id=None,
        email="v@example.com",
        role="reviewer",
        token_hash="invited",
    )
    # Of B, none of which brings it into K's reach.
    to_k = {"broker_id": trader("k"), "proposed_side": "broker"}
    more("delegation", "k-offered", "b", **to_k, id=uuid_of("delegation", "offered"))
    for label, dates in PAST.items():
        more("delegation", f"k-{label}", "b", **to_k, **({"state": "active"} | dates))
    # K may look up the status of a company that has nothing but this, and prepare nothing for it.
    more("delegation", "k-status", "a", trader_id=trader("nobody"), scopes=["view_status"])
    more("colleague_comment", "-nobody", "b", trader_id=trader("nobody"))
    more("assessment", "k-nobody", "b", trader_id=trader("nobody"))
    for label, dates in PAST.items():
        more("delegation", f"k-nobody {label}", "a", trader_id=trader("nobody"), **dates)
    more("delegation", "-elsewhere", "b", state="active")
    _mixed(more)
    for name in ("api_client", "client_credential", "issued_token"):
        row = make_row(tables[name], "s", tables)
        if "trader_id" in row:
            row["trader_id"] = None
        put(connection, tables[name], "s", row)
    _dead_tokens(more)
    _narrow_tokens(more)
    _told(more)


def _mixed(more: Callable[..., Row]) -> None:
    """Rows that are A's by one column and B's by another: no rule for writing lets one in."""
    for mine, other in ("ab", "ba"):
        more(
            "answer_evidence",
            f"-{mine}",
            mine,
            document_revision_id=uuid_of("document_revision", other),
        )
        more("voyage_report", f"-{mine}", mine, filing_id=uuid_of("filing", other))
        batch = more("batch", f"{mine}-second", mine, reference=f"second {mine}")
        more("batch_quality", f"-{mine}", other, batch_id=batch["id"])


DEAD: dict[str, dict[str, Row]] = {
    "portal": {
        "revoked": {"revoked_at": EARLIER},
        "over": {"expires_at": NOW},
        "idle": {"last_seen_at": NOW - timedelta(minutes=30)},
    },
    "console": {
        "staff revoked": {"revoked_at": EARLIER},
        "staff over": {"expires_at": NOW},
        "staff idle": {"last_seen_at": NOW - timedelta(minutes=15)},
        "staff password": {"method": "password"},
        "staff of a trader's provider": {"method": "oidc", "data": '{"oidc": {"side": "trader"}}'},
    },
    "api": {
        "program over": {"expires_at": NOW},
        "program denied": {},
        "program suspended": {"state": "suspended"},
        "key revoked": {"revoked_at": EARLIER},
        "key over": {"expires_at": NOW},
    },
}


def _narrow_tokens(more: Callable[..., Row]) -> None:
    """Tokens for less than their client may have, and delegations to J for one thing each."""
    for word, (side, scopes) in NARROW.items():
        key = uuid_of("client_credential", side)
        if word == "j without":
            client = more("api_client", "n", "j", client_id=word, scopes=[])["id"]
            key = more("client_credential", "-without", "j", api_client_id=client)["id"]
        more(
            "issued_token",
            f"-{word}",
            side,
            token_hash=hash_of(word),
            jti=word,
            credential_id=key,
            scopes=list(scopes),
        )
    for side, (label, scope) in LETS_J.items():
        more(
            "delegation",
            f"{label}-to j",
            side,
            broker_id=trader("j"),
            state="active",
            scopes=[scope],
            authority_revision_id=None,
        )


def _dead_tokens(more: Callable[..., Row]) -> None:
    """Tokens that opened something once, each closed by one thing alone."""
    for role, like in (("portal", "a"), ("console", "s")):
        for word, why in DEAD[role].items():
            more("web_session", f"{like}-{word}", like, token_hash=hash_of(word), **why)
    more("token_denial", "-", "j", jti="program denied")
    for word, why in DEAD["api"].items():
        key = uuid_of("client_credential", "j")
        if word == "program suspended":
            client = more("api_client", "-suspended", "j", client_id=word, **why)["id"]
            key = more("client_credential", "-suspended", "j", api_client_id=client)["id"]
        elif word.startswith("key"):
            key = more("client_credential", f"-{word}", "j", **why)["id"]
        token = {"token_hash": hash_of(word), "jti": word, "credential_id": key}
        over = why if word == "program over" else {}
        more("issued_token", f"-{word}", "j", **token | over)
