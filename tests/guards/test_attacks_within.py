"""Raw SQL on the logins of the agency's pages, of the worker and of the entry.

Whoever can run any statement there, which is what an injection amounts to, cannot write what a
trader says or what two people decide, sign for somebody else, or change what was recorded.
"""

# ruff: noqa: S608

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from app.authz.actor import AgencyRole, system_actor
from app.db.session import PARTS, Role, transaction
from app.identity import session_store
from app.identity.rules import Method
from app.identity.session_store import Browser
from app.identity.sessions import KEEPER
from tests.factories.identity import make_person
from tests.factories.traders import add_site, make_trader
from tests.guards.attacks import refused, rows_of

SYSTEM = system_actor("test")


class Inside:
    """Two of the agency's people, a trader with its officer, and a way to begin their sessions."""

    def __init__(self, work_as, engine, clock):
        self._engine, self._clock = engine, clock
        with work_as(SYSTEM) as work:
            reviewer = make_person(work, roles=[AgencyRole.REVIEWER])
            other = make_person(work, roles=[AgencyRole.SUPERVISOR])
            officer = make_person(work)
            trader = make_trader(work, officer)
            add_site(work, trader)
            self.me, self.other, self.officer = reviewer.id, other.id, officer.id
            self.trader = trader.id

    def token(self, person_id, method=Method.PASSKEY, **data):
        with transaction(self._engine, KEEPER) as db:
            return session_store.start(
                db,
                now=self._clock.now(),
                browser=Browser(),
                person_id=person_id,
                method=method,
                data=data,
            )[1]


@pytest.fixture
def inside(app, work_as, engine, clock):
    del app
    return Inside(work_as, engine, clock)


@pytest.fixture
def attack(login_urls, clock):
    """`attack(role, token)` is a raw connection of the role's login."""
    opened = []

    @contextmanager
    def begin(role, token=""):
        raw = create_engine(login_urls[role])
        opened.append(raw)
        with raw.connect() as connection:
            connection.execute(
                text(
                    "SELECT set_config('app.principal', 'attacker', true),"
                    " set_config('app.session', :token, true), set_config('test.now', :now, true)"
                ),
                {"token": token, "now": clock.at.isoformat()},
            )
            yield connection

    yield begin
    for one in opened:
        one.dispose()


def test_the_agencys_people_see_the_files_while_their_session_lasts(inside, attack, clock):
    token = inside.token(inside.me)
    with attack(Role.CONSOLE, token) as connection:
        assert rows_of(connection, "site", inside.trader) == 1
    clock.at += timedelta(minutes=15)
    with attack(Role.CONSOLE, token) as connection:
        assert rows_of(connection, "site", inside.trader) == 0


@pytest.mark.parametrize(
    ("who", "method", "data"),
    [
        ("officer", Method.PASSKEY, {}),
        ("me", Method.PASSWORD, {}),
        ("me", Method.PASSWORD_TOTP, {}),
        ("me", Method.OIDC, {"oidc": {"side": "trader"}}),
    ],
)
def test_a_session_that_is_not_the_agencys_opens_nothing_of_its(inside, attack, who, method, data):
    token = inside.token(getattr(inside, who), method, **data)
    with attack(Role.CONSOLE, token) as connection:
        for table in ("trader", "site", "person", "staff_role", "access_record"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
    with attack(Role.CONSOLE, inside.token(inside.me, Method.OIDC, oidc={"side": "agency"})) as one:
        assert rows_of(one, "site", inside.trader) == 1


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE web_session SET revoked_at = :now",
        "UPDATE person SET ended_at = :now",
        "DELETE FROM staff_role",
    ],
)
def test_the_agencys_rows_close_with_the_session_the_person_or_the_role(
    inside, attack, super_engine, clock, end
):
    token = inside.token(inside.me)
    with super_engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(end), {"now": clock.at})
    with attack(Role.CONSOLE, token) as connection:
        assert rows_of(connection, "site", inside.trader) == 0


@pytest.mark.parametrize("guess", ["", "guessed", "0" * 64])
def test_a_guessed_token_is_nobodys(inside, attack, guess):
    inside.token(inside.me)
    with attack(Role.CONSOLE, guess) as connection:
        assert rows_of(connection, "site", inside.trader) == 0


EVENT = (
    "INSERT INTO audit_event (id, at, tag, actor_kind, actor_name, person_id, subject_kind,"
    " subject_id, request_id, data) VALUES (gen_random_uuid(), now(), 'trader:registered',"
    " :kind, 'somebody', :who, 'trader', :trader, '', '{}')"
)


def test_the_agencys_people_write_in_their_own_name_alone(inside, attack):
    with attack(Role.CONSOLE, inside.token(inside.me)) as connection:
        own = {"kind": "person", "who": inside.me, "trader": inside.trader}
        assert not refused(connection, EVENT, **own)
        assert refused(connection, EVENT, **{**own, "who": inside.other})
        assert refused(
            connection, "UPDATE person SET password_hash = 'x' WHERE id = :id", id=inside.other
        )
        assert refused(
            connection, "UPDATE person SET password_hash = 'x' WHERE id = :id", id=inside.officer
        )
        assert refused(
            connection,
            "INSERT INTO staff_role (person_id, role, given_at) VALUES (:me, 'supervisor', now())",
            me=inside.me,
        )


PROPOSAL = (
    "INSERT INTO determination (id, reference, trader_id, programme, programme_version, move,"
    " origin, status, restrictions, reason_code, reason_text, proposed_by, proposed_by_name,"
    " proposed_at, state, version) VALUES (gen_random_uuid(), 'DT-1', :trader, 'tiered', '1',"
    " 'certify', 'proposal', 'certified', '{}', 'x', 'x', :who, 'x', now(), 'proposed', 1)"
    " RETURNING id"
)


def test_nobody_proposes_or_signs_for_somebody_else(inside, attack):
    with attack(Role.CONSOLE, inside.token(inside.me)) as connection:
        facts = {"trader": inside.trader}
        assert refused(connection, PROPOSAL, **facts, who=inside.other)
        made = connection.execute(text(PROPOSAL), {**facts, "who": inside.me}).scalar_one()
        sign = (
            "UPDATE determination SET decided_by = :who, decided_by_name = 'x', decided_at = now(),"
            " decision_note = 'x', state = 'declined' WHERE id = :id"
        )
        assert refused(connection, sign, who=inside.other, id=made)
        # One's own signature passes the policy, and the table's rule of two people stops it.
        with pytest.raises(DBAPIError, match="two_people"), connection.begin_nested():
            connection.execute(text(sign), {"who": inside.me, "id": made})


# What each of the three has no business with: the privilege itself is missing.
WITHOUT = {
    Role.CONSOLE: {
        "INSERT": "answer answer_revision agreement application application_snapshot assessment"
        " batch filing filing_fault task_reply site bond contact trader trader_identifier"
        " eligibility_check casework_case delegation staff_role person security_event issued_token",
        "UPDATE": "answer batch site bond contact delegation document document_revision staff_role",
        "SELECT": "message issued_token client_assertion token_denial rate_count log_salt",
    },
    Role.WORKER: {
        "INSERT": "answer application determination register_entry register_change person"
        " staff_role appointment delegation agreement criterion_review information_request"
        " web_session passkey api_client client_credential trader trader_identifier",
        "UPDATE": "answer application determination register_entry person appointment"
        " casework_case trader trader_identifier web_session",
        "SELECT": "answer application determination passkey authenticator recovery_code"
        " one_time_link bond contact agreement log_salt criterion_review",
    },
    Role.ENTRY: {
        "INSERT": "answer application determination register_entry appointment delegation trader"
        " filing batch api_client client_credential criterion_review",
        "UPDATE": "answer application determination register_entry delegation staff_role"
        " trader_identifier",
        "SELECT": "message answer application determination filing batch site bond contact"
        " audit_event access_record security_event lookup_record casework_case agreement decision"
        " criterion_review succession",
    },
}


@pytest.mark.parametrize(
    ("role", "privilege", "table"),
    [
        (role, privilege, table)
        for role, kinds in WITHOUT.items()
        for privilege, tables in kinds.items()
        for table in tables.split()
    ],
)
def test_a_role_has_no_right_that_is_not_its_business(super_engine, role, privilege, table):
    with super_engine.connect() as connection:
        held = connection.execute(
            text("SELECT has_any_column_privilege(:role, :table, :kind)"),
            {"role": role, "table": table, "kind": privilege},
        ).scalar_one()
    assert not held


KEPT = (
    "audit_event access_record security_event lookup_block lookup_record filing filing_fault"
    " answer_revision"
)


@pytest.mark.parametrize("role", PARTS)
@pytest.mark.parametrize("table", KEPT.split())
def test_nothing_that_serves_can_change_what_was_recorded(super_engine, role, table):
    with super_engine.connect() as connection:
        for kind in ("UPDATE", "DELETE", "TRUNCATE"):
            asked = "has_any_column_privilege" if kind == "UPDATE" else "has_table_privilege"
            may = connection.execute(text(f"SELECT {asked}('{role}', '{table}', '{kind}')"))
            assert not may.scalar_one(), kind


def test_the_entry_makes_nobody_staff_whom_no_operator_invited(inside, attack, super_engine):
    give = "INSERT INTO staff_role (person_id, role, given_at) VALUES (:who, 'reviewer', now())"
    invite = (
        "INSERT INTO one_time_link (id, email, role, purpose, token_hash, created_at, expires_at,"
        " used_at) SELECT gen_random_uuid(), email, 'reviewer', 'join', 'x', now(), now(), now()"
        " FROM person WHERE id = :who"
    )
    with attack(Role.ENTRY) as connection:
        assert refused(connection, give, who=inside.officer)
        assert refused(connection, invite, who=inside.officer)
    with super_engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(invite), {"who": inside.officer})
    with attack(Role.ENTRY) as connection:
        assert not refused(connection, give, who=inside.officer)
        assert refused(connection, give.replace("reviewer", "supervisor"), who=inside.officer)
        assert refused(connection, give, who=inside.other)


def test_the_entry_reads_no_document_but_the_ground_of_a_delegation(inside, attack, super_engine):
    with super_engine.connect() as connection:
        rule = connection.execute(
            text(
                "SELECT qual FROM pg_policies WHERE tablename = 'document_revision'"
                " AND policyname = 'entry'"
            )
        ).scalar_one()
    assert "authority_revision_id" in rule
    with attack(Role.ENTRY) as connection:
        assert rows_of(connection, "document_revision", inside.trader) == 0


def test_the_worker_records_as_the_system_and_as_nobody_else(inside, attack):
    with attack(Role.WORKER) as connection:
        facts = {"who": None, "trader": inside.trader}
        assert not refused(connection, EVENT, **facts, kind="system")
        assert refused(connection, EVENT, **{**facts, "who": inside.me}, kind="person")


@pytest.mark.parametrize("role", PARTS)
def test_only_the_worker_takes_a_job_from_the_queue(super_engine, role):
    """Their arguments name rows of everybody; a trader's person may not read them either."""
    asked = text("SELECT has_table_privilege(:role, 'procrastinate.procrastinate_jobs', :kind)")
    with super_engine.connect() as connection:
        for kind in ("SELECT", "UPDATE", "DELETE"):
            may = connection.execute(asked, {"role": role, "kind": kind}).scalar_one()
            assert may == (role is Role.WORKER), kind


def test_the_logins_are_those_of_the_embedded_database(login_urls):
    for role, url in login_urls.items():
        assert make_url(url).username == role
