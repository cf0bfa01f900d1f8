"""The attacks in raw SQL, for every role, table and command: what must not be seen or written.

Who may see whose rows is said here in sides of the scene, and not in SQL, so that a policy is
judged by something that is not a copy of it. `breaches` lists what came through.
"""

from collections.abc import Iterator
from functools import cached_property

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from tests.guards.rows import particular
from tests.guards.rows.particular import (
    DECIDES,
    FEED,
    FILES,
    LETS_J,
    NARROW,
    READS,
    RECALLS,
    STATUS,
    Who,
)
from tests.guards.rows.world import DELEGATED, NOW, SCOPES, Row, Table, uuid_of

# ruff: noqa: S608

REACHED = frozenset(
    [
        "agreement",
        "answer",
        "answer_evidence",
        "answer_revision",
        "answer_workbook",
        "application",
        "application_return",
        "application_snapshot",
        "assessment",
        "assessment_section",
        "batch",
        "batch_quality",
        "bond",
        "carried_answer",
        "casework_case",
        "colleague_comment",
        "contact",
        "criterion_review",
        "determination",
        "document",
        "document_revision",
        "eligibility_check",
        "filing",
        "filing_fault",
        "follow_up_reminder",
        "information_request",
        "plan",
        "plan_action",
        "register_change",
        "register_entry",
        "returned_point",
        "site",
        "task_reply",
        "trader",
        "trader_identifier",
        "voyage_report",
    ]
)
"""What a broker sees of a client: not who works there, what it signed with others, or its log."""
REGISTER = frozenset(["register_change", "register_entry", "trader", "trader_identifier"])
AGENCYS_PROGRAM = REGISTER | {"decision", "policy_version"}
OWN_WAYS_IN = frozenset(
    ["authenticator", "oidc_subject", "one_time_link", "passkey", "recovery_code"]
)
PERSONS = OWN_WAYS_IN | {"security_event", "staff_role", "web_session"}


WRITTEN_UNREAD = {("portal", "identifier_conflict"), ("portal", "message")}
"""Put in by everybody and read by nobody who put it there: the agency and the worker read them."""
OFFERED_TO_ANYBODY = {("delegation", "broker_id")}
HELD_BY_TRIGGERS = {
    ("consent", "asker_id"),
    ("consent", "verification_id"),
    ("delegation", "broker_id"),
    ("plan", "assessment_id"),
}
"""What was agreed is not changed: a trigger holds it, for these rows can be changed otherwise."""
LOCKED_ONLY = {
    ("api", "delegation"),
    ("worker", "delegation"),
    ("console", "trader"),
    ("entry", "trader"),
}
"""UPDATE of a column that nobody changes is what locks a row."""
ATTACKERS = {
    "portal": [Who("portal", f"token of {one}", one) for one in "akcyfwde"]
    + [Who("portal", "", "v")],
    "api": [Who("api", f"token of {one}", one) for one in "aksj"]
    + [*map(particular.narrow, NARROW), Who("api", "guess", "v")],
    "console": [
        Who("console", "token of s", "s"),
        Who("console", "token of a", "v"),
        Who("console", "", "v"),
    ],
    "worker": [Who("worker", "", "worker")],
    "entry": [Who("entry", "", "entry")],
}


COMPANYS_PEOPLE = {"a": "a", "k": "k", "c": "a"}
"""Who works where: C is A's too, without a row of their own but a person's."""
BROKERED = {name: {"a"} for name in (*REACHED, "delegation")}
BESIDES = {
    ("a", "person"): set("cde"),
    ("a", "delegation"): {"q"},
    ("c", "delegation"): {"q"},
    ("k", "delegation"): {"r"},
    ("a", "appointment"): set("cde"),
    ("c", "person"): set("cde"),
    # C's own history, and the invitation to J.
    ("c", "appointment"): set("cdei"),
    ("c", "audit_event"): {"c"},
    ("c", "trader"): {"j"},
    # Whom J invited sees the invitation and J's name.
    ("y", "appointment"): {"y"},
    ("y", "trader"): {"j"},
    # A role that is over is the person's own history.
    ("d", "appointment"): {"d"},
    # Who registered a company at which nobody has a role yet sees that it is there.
    ("f", "trader"): {"f"},
    ("f", "audit_event"): {"f"},
}


def may_see(who: Who, table: str) -> set[str]:
    """The sides whose rows of the table are the attacker's to see."""
    if who.role == "api":
        return of_api(who, table)
    return {"portal": of_portal, "console": of_console, "entry": of_entry}.get(
        who.role, lambda _side, _table: {"all"}
    )(who.side, table)


def of_portal(side: str, table: str) -> set[str]:
    """Of E, who has left, and of V, who holds no token, nothing is theirs."""
    if table == "catalogue_publication":
        return {"a"}
    if side in COMPANYS_PEOPLE:
        own = {side} if table in PERSONS else {COMPANYS_PEOPLE[side]}
        return (
            own
            | BESIDES.get((side, table), set())
            | (BROKERED if side == "k" else {}).get(table, set())
        )
    if side in "ev":
        return set()
    return own_of_person(side, table) | BESIDES.get((side, table), set())


def own_of_person(side: str, table: str) -> set[str]:
    return {side} if table in PERSONS or table == "person" else set()


def scopes_of(who: Who) -> frozenset[str]:
    """What the attacker's token is for; one whose client is not allowed it any more is for nothing."""
    if who.token == "j without":
        return frozenset()
    return NARROW[who.token][1] if who.token in NARROW else frozenset(SCOPES)


def lets(who: Who, *scopes: str) -> set[str]:
    """The companies that let the program's company do one of these for them."""
    given = {
        "j": {side: {scope} for side, (_, scope) in LETS_J.items()},
        "k": {"a": set(DELEGATED)},
    }
    return {side for side, named in given.get(who.side, {}).items() if named & set(scopes)}


def filings_of(who: Who, *, writing: bool = False) -> set[str]:
    """The companies whose filings the token opens."""
    found, scopes = set(), scopes_of(who)
    if FILES in scopes:
        found |= {who.side} | lets(who, "submit_filings")
    if READS in scopes and not writing:
        found |= {who.side} | lets(who, "submit_filings", "data_only")
    return found


def of_api(who: Who, table: str) -> set[str]:
    if who.side == "v":
        return set()
    scopes = scopes_of(who)
    if who.side == "s":
        wanted = {DECIDES, RECALLS} if table not in REGISTER else {DECIDES, FEED}
        opened = {"all"} if scopes & wanted else set()
        return opened if table in AGENCYS_PROGRAM else {"s"} if table == "api_client" else set()
    if table in {"batch", "filing", "filing_fault"}:
        return filings_of(who)
    if table in REGISTER:
        told = lets(who, "view_status") if STATUS in scopes else set()
        return {who.side} | filings_of(who) | told
    if table == "delegation":
        return {"j": set("jqurw"), "k": set("kar"), "a": set("aq")}[who.side]
    own = {"n"} if who.token == "j without" else {who.side}
    return own if table == "api_client" else set()


def of_console(side: str, table: str) -> set[str]:
    if side == "v":
        return set()
    if table in OWN_WAYS_IN:
        return {"s"}
    return set("abkjcdes") if table == "web_session" else {"all"}


def of_entry(_side: str, table: str) -> set[str]:
    return {"a"} if table in {"consent", "document", "document_revision"} else {"all"}


def may_change(who: Who, table: str) -> set[str]:
    """The sides whose rows of the table are the attacker's to update or delete."""
    if (who.role, table) in LOCKED_ONLY:
        return set()
    if (who.role, table) == ("api", "batch"):
        return filings_of(who, writing=True)
    seen = may_see(who, table)
    if table == "person" and who.role in {"portal", "console"}:
        return {who.side} if seen else set()
    return seen


def honest(who: Who, table: str) -> Row:
    """A change that is one's own to make, where not every one is."""
    changes: dict[str, Row] = {
        "trader_identifier": {"state": "withdrawn"},
        "colleague_comment": {"ended_by": uuid_of("person", who.side)},
    }
    return changes.get(table, {}) if who.role == "portal" else {}


def as_new(who: Who, table: str, row: Row) -> Row:
    """What a new row of the attacker's own says beyond what the scene's row says."""
    me = uuid_of("person", who.side)
    found: dict[str, Row] = {
        "delegation": {"state": "proposed", "accepted_at": None, "proposed_by": me},
        "audit_event": {
            "person_id": None if who.role in {"api", "worker"} else me,
            "client_id": uuid_of("api_client", who.side) if who.role == "api" else None,
            "actor_kind": {"api": "client", "worker": "system"}.get(who.role, "person"),
        },
        "trader_identifier": {"state": "claimed", "verified_at": None},
        "colleague_comment": {"written_by": me, "ended_by": None, "asked_id": None},
        "decision": {"client_id": uuid_of("api_client", who.side)},
        "criterion_review": {"reviewer_id": me},
    }
    signed = {"proposed_by": me} if who.role == "console" and "proposed_by" in row else {}
    return row | found.get(table, {}) | signed


class Probes:
    """Runs attacks on one connection of the superuser, which takes the roles in turn."""

    def __init__(self, connection: Connection, tables: dict[str, Table]) -> None:
        self.connection, self.tables = connection, tables

    @cached_property
    def rights(self) -> dict[tuple[str, str, str], set[str]]:
        """(role, table, command) to the columns; of INSERT and DELETE all or none."""
        found: dict[tuple[str, str, str], set[str]] = {}
        for row in self.connection.execute(
            text(
                "SELECT r.role, c.relname AS name, k.kind, array_agg(a.attname::text) AS columns"
                " FROM unnest(CAST(:roles AS text[])) AS r(role),"
                " unnest(ARRAY['SELECT', 'UPDATE', 'INSERT', 'DELETE']) AS k(kind),"
                " pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
                " WHERE c.relname = ANY (:tables) AND c.relnamespace = 'public'::regnamespace"
                " AND CASE k.kind WHEN 'DELETE'"
                " THEN has_table_privilege('fairway_' || r.role, c.oid, 'DELETE') ELSE"
                " has_column_privilege('fairway_' || r.role, c.oid, a.attnum, k.kind) END"
                " GROUP BY 1, 2, 3"
            ),
            {"roles": list(ATTACKERS), "tables": list(self.tables)},
        ):
            found[row.role, row.name, row.kind] = set(row.columns)
        return found

    def may(self, who: Who, table: Table, kind: str) -> set[str]:
        return self.rights.get((who.role, table.name, kind), set())

    def enter(self, who: Who) -> None:
        """Take the attacker's role and token, until the savepoint before is gone back to."""
        self.connection.execute(
            text(
                "SELECT set_config('app.principal', 'attacker', true),"
                " set_config('app.session', :token, true), set_config('test.now', :now, true),"
                " set_config('search_path', 'public,procrastinate', true),"
                " set_config('role', :role, true)"
            ),
            {"token": who.token, "now": NOW.isoformat(), "role": f"fairway_{who.role}"},
        )

    def attempt(self, who: Who, statement: str, values: Row | None = None) -> object:
        """The rows read or the number of rows written; `None` where the policies refused."""
        point = self.connection.begin_nested()
        try:
            self.enter(who)
            result = self.connection.execute(text(statement), values or {})
            return result.all() if result.returns_rows else result.rowcount
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
                return None
            # The row passed the policies, and something that comes after them stopped it.
            return str(error.orig)
        finally:
            point.rollback()

    def breaches(self, who: Who, table: Table) -> Iterator[str]:
        """What the attacker gets of the table that is not theirs."""
        yield from self.reads(who, table)
        yield from self._changes(who, table)
        yield from self._inserts(who, table)
        yield from self._particulars(who, table)

    def visible(self, who: Who, table: Table) -> set[str]:
        columns = self.may(who, table, "SELECT")
        if not set(table.key) <= columns:
            return set()
        names = ", ".join(f'"{name}"::text' for name in table.key)
        rows = self.attempt(who, f"SELECT {names} FROM {table.name}")
        if isinstance(rows, str):
            return {rows}
        return {table.label_of(tuple(row)) for row in rows or []}

    def reads(self, who: Who, table: Table) -> Iterator[str]:
        allowed = may_see(who, table.name)
        if allowed != {"all"}:
            for label in sorted(self.visible(who, table) - table.of(allowed)):
                yield f"{who.role} {who.side} reads {table.name} of {label}"

    def _changes(self, who: Who, table: Table) -> Iterator[str]:
        """Blind statements, which no rule for reading narrows: how many rows did they touch?"""
        allowed = may_change(who, table.name)
        if allowed == {"all"}:
            return
        most = len(table.of(allowed))
        if self.may(who, table, "DELETE"):
            touched = self.attempt(who, f"DELETE FROM {table.name}")
            if isinstance(touched, str) or (touched or 0) > most:
                yield f"{who.role} {who.side} deletes {table.name}: {touched}"
        free = sorted(self.may(who, table, "UPDATE") - table.unique - set(table.references))
        for column in free[:1]:
            value = next(iter(table.rows.values()))[column]
            touched = self.update(who, table, None, honest(who, table.name) or {column: value})
            if isinstance(touched, str) or (touched or 0) > most:
                yield f"{who.role} {who.side} updates {table.name}: {touched}"

    def _inserts(self, who: Who, table: Table) -> Iterator[str]:
        if self.may(who, table, "INSERT") and (who.role, table.name) not in WRITTEN_UNREAD:
            for name, row in self.foreign(who, table):
                outcome = self.insert(who, table, row)
                if outcome is not None:
                    yield f"{who.role} {who.side} inserts {table.name} {name}: {outcome}"[:200]
        moved = self.swaps(who, table) & self.may(who, table, "UPDATE")
        for column in sorted(moved - {one for name, one in HELD_BY_TRIGGERS if name == table.name}):
            foreign = table.rows["b"][column]
            # Without WHERE: a statement that reads is held to the rule for reading as well.
            outcome = self.update(who, table, None, {column: foreign})
            if outcome not in {None, 0}:
                yield f"{who.role} {who.side} moves {table.name}.{column}: {outcome}"[:200]

    def _particulars(self, who: Who, table: Table) -> Iterator[str]:
        for attack in particular.INSERTS.get((who, table.name), ()):
            outcome = self.insert(who, table, self.fresh(who, table, attack.label) | attack.row)
            if (outcome is None) != attack.refused:
                yield f"{who.role} {who.side} inserts {table.name} {attack.row}: {outcome}"[:200]
        for attack in particular.UPDATES.get((who, table.name), ()):
            outcome = self.update(who, table, table.rows[attack.label], attack.row)
            if (outcome in {None, 0}) != attack.refused:
                yield f"{who.role} {who.side} sets {table.name} {attack.row}: {outcome}"[:200]

    def answers(self, role: str) -> Iterator[str]:
        """What the functions that look past the rules answer wrongly."""
        for who, question, wanted in particular.CALLS:
            if who.role == role:
                rows = self.attempt(who, f"SELECT * FROM {question}")
                got = {tuple(row) for row in rows} if isinstance(rows, list) else rows
                if got != wanted:
                    yield f"{question} tells {who.side} {got}"

    def update(self, who: Who, table: Table, row: Row | None, changes: Row) -> object:
        """Change the one row, or, without looking, every row that can be changed."""
        sets = ", ".join(
            f'"{name}" = CAST(:new_{name} AS {table.columns[name].type})' for name in changes
        )
        values = {f"new_{name}": value for name, value in changes.items()}
        statement = f"UPDATE {table.name} SET {sets}"
        if row is not None:
            statement += " WHERE " + " AND ".join(f'"{name}" = :{name}' for name in table.key)
            values |= {name: row[name] for name in table.key}
        return self.attempt(who, statement, values)

    def swaps(self, who: Who, table: Table) -> set[str]:
        """The columns of an own row that can point to a row of somebody else."""
        if who.side not in table.rows or "b" not in table.rows:
            return set()
        return {
            column
            for column, (target, _) in table.references.items()
            if target not in {"person", "api_client"}
            and target in self.tables
            and column not in table.bound
            and table.columns[column].type == "uuid"
            and table.rows[who.side][column] is not None
        }

    def foreign(self, who: Who, table: Table) -> Iterator[tuple[str, Row]]:
        """Rows that the attacker must not be able to write."""
        allowed = may_see(who, table.name)
        if allowed != {"all"} and "b" in table.rows:
            yield "of b", self.fresh(who, table, "b")
        for column in sorted(self.swaps(who, table)):
            if (table.name, column) in OFFERED_TO_ANYBODY:
                continue
            if may_see(who, table.references[column][0]) != {"all"}:
                row = self.fresh(who, table, who.side)
                yield f"with {column} of b", row | {column: table.rows["b"][column]}

    def fresh(self, who: Who, table: Table, side: str) -> Row:
        """The side's row once more, as a new one."""
        row = as_new(who, table.name, table.rows[side])
        new = {"id": uuid_of(table.name, "new")} if "id" in row else {}
        return row | new

    def insert(self, who: Who, table: Table, row: Row) -> object:
        names = ", ".join(f'"{name}"' for name in row)
        values = ", ".join(f"CAST(:{name} AS {table.columns[name].type})" for name in row)
        return self.attempt(who, f"INSERT INTO {table.name} ({names}) VALUES ({values})", row)
