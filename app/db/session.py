"""Engines, and sessions whose every transaction is bound to a principal.

The database refuses writes of a transaction that has not said on whose behalf it runs (see
`fairway_require_principal` in the first migration); this module refuses to begin one at all. Row
policies read the same two settings, and bind the role that the principal has (ADR 18, ADR 25).
"""

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session, SessionTransaction


class UnboundPrincipalError(RuntimeError):
    """A transaction was begun without saying on whose behalf; always a programming error."""


class Role(StrEnum):
    """The database role that a transaction takes, for itself alone."""

    COMMAND = "none"
    """The role that the connection came with: an operator's commands, and nothing that serves."""
    PORTAL = "fairway_portal"
    """A trader's people: rows of the traders in reach of the session's token, and no others."""
    API = "fairway_api"
    """Programs: what the register tells, or the traders in reach of the access token."""
    CONSOLE = "fairway_console"
    """The agency's people: what they review and decide, while the session's token is live."""
    WORKER = "fairway_worker"
    """Jobs, the sealing of the log and the feeder, which nobody's token stands behind."""
    ENTRY = "fairway_entry"
    """What is asked before anybody is known: signing in, links, counters, records of access."""


PARTS: Final = tuple(one for one in Role if one is not Role.COMMAND)
_LOGINS: Final = "fairway_logins"
# How many connections of one login a process keeps, and has at most in a burst.
KEPT: Final = 4
MOST: Final = 16


@dataclass(frozen=True, slots=True)
class Principal:
    """On whose behalf a transaction runs, as the database is told.

    `name` is `person:<uuid>`, `client:<uuid>`, `anonymous` or `system:<part>`; `session` is the
    opaque token of the web session (what its cookie holds, never the id of its row) or a program's
    access token, from which row-level security derives the traders in reach. It is left out of
    every printed form.
    """

    name: str
    session: str = field(default="", repr=False)
    role: Role = Role.COMMAND


class BoundSession(Session):
    """A session that carries exactly one principal for its whole life."""

    def __init__(
        self, bind: Engine | Connection, principal: Principal, *, read_only: bool = False
    ) -> None:
        super().__init__(
            engine_for(bind, principal.role),
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
        )
        self.info["principal"] = self._principal = principal
        self.info["read_only"] = read_only

    @property
    def principal(self) -> Principal:
        """On whose behalf this session works; it has no setter on purpose."""
        return self._principal


BIND = text(
    "SELECT coalesce(current_setting('app.principal', true), '') AS found_name,"
    " coalesce(current_setting('app.session', true), '') AS found_sid,"
    " set_config('app.principal', :name, true), set_config('app.session', :sid, true),"
    " set_config('role', :role, true)"
)
"""What was there is read before it is set: a target list is computed from left to right."""


@event.listens_for(Session, "after_begin")
def bind_principal(
    session: Session, transaction: SessionTransaction, connection: Connection
) -> None:
    """Tell the database the principal at the start of each transaction, for that one only.

    `UnboundPrincipalError` without one; when the session's principal was changed after it was
    made; on a connection that commits by itself, where the setting would be lost at once; and
    when the connection still carries somebody else's setting.
    """
    del transaction
    principal = session.info.get("principal")
    if not isinstance(principal, Principal) or not principal.name:
        msg = "A transaction without a bound principal is refused."
        raise UnboundPrincipalError(msg)
    if isinstance(session, BoundSession) and session.principal != principal:
        # Rows that were read for one principal stay in the session's identity map.
        msg = "A session has one principal for its whole life."
        raise UnboundPrincipalError(msg)
    if getattr(connection.connection.dbapi_connection, "autocommit", False):
        msg = "A connection in autocommit mode would forget its principal after each statement."
        raise UnboundPrincipalError(msg)
    if session.info.get("read_only") and not connection.in_nested_transaction():
        connection.execute(text("SET TRANSACTION READ ONLY"))
    found = connection.execute(
        BIND, {"name": principal.name, "sid": principal.session, "role": principal.role}
    ).one()
    left = (found.found_name, found.found_sid)
    if left not in {("", ""), (principal.name, principal.session)}:
        msg = "The connection was still bound to another principal."
        raise UnboundPrincipalError(msg)


def make_engine(url: str, **options: Any) -> Engine:  # noqa: ANN401 - passed to SQLAlchemy.
    """An engine with the pool and time limits that the whole application uses.

    `UnboundPrincipalError` for the isolation level AUTOCOMMIT, which knows no transaction to bind.
    """
    if str(options.get("isolation_level", "")).upper() == "AUTOCOMMIT":
        msg = "An engine in autocommit mode is refused."
        raise UnboundPrincipalError(msg)
    options.setdefault("pool_size", 8)
    options.setdefault("max_overflow", 8)
    options.setdefault("pool_pre_ping", True)
    # An error's text would otherwise carry the values of the statement into the log.
    options.setdefault("hide_parameters", True)
    return create_engine(
        url,
        connect_args={
            "options": "-c timezone=UTC -c search_path=public,procrastinate"
            " -c statement_timeout=30s"
        },
        **options,
    )


def logins_of(engine: Engine) -> MutableMapping[Role, Engine] | None:
    """The engines of its logins by role; `None` where one login takes every role."""
    found: MutableMapping[Role, Engine] | None = engine.get_execution_options().get(_LOGINS)
    return found


def engine_for(bind: Engine | Connection, role: Role) -> Engine | Connection:
    """Where a transaction of the role begins: the engine of the role's own login, if it has one.

    `UnboundPrincipalError` in a process that has no login for the role: what serves has none for
    commands, and a surface none for another's actors.
    """
    logins = None if isinstance(bind, Connection) else logins_of(bind)
    if isinstance(bind, Connection) or logins is None:
        return bind
    if str(bind.get_execution_options().get("isolation_level", "")).upper() == "AUTOCOMMIT":
        msg = "An engine in autocommit mode is refused."
        raise UnboundPrincipalError(msg)
    if role not in logins:
        msg = f"This process does nothing as {role.name.lower()}."
        raise UnboundPrincipalError(msg)
    return logins[role]


def has_login(engine: Engine, role: Role) -> bool:
    """Whether a transaction of the role can begin here."""
    logins = logins_of(engine)
    return logins is None or role in logins


def join(logins: MutableMapping[Role, Engine], main: Engine) -> Engine:
    """Make `main` stand for all of these engines; they end with it."""
    others = [one for one in {id(one): one for one in logins.values()}.values() if one is not main]
    main.update_execution_options(**{_LOGINS: logins})

    @event.listens_for(main, "engine_disposed")
    def dispose(_engine: Engine) -> None:
        for one in others:
            one.dispose()

    return main


def make_engines(urls: Mapping[Role, str], **options: Any) -> Engine:  # noqa: ANN401
    """An engine for what serves: a transaction connects to the address of its principal's role.

    Roles of one address share a pool and take their role within the transaction. The engine itself
    is that of the least role there is an address for.
    """
    options.setdefault("pool_size", KEPT)
    options.setdefault("max_overflow", MOST - KEPT)
    # The connection that was used last is used next, so that a quiet pool stays small.
    options.setdefault("pool_use_lifo", True)
    made = {url: make_engine(url, **options) for url in dict.fromkeys(urls.values())}
    logins = {role: made[url] for role, url in urls.items()}
    return join(logins, logins[Role.ENTRY if Role.ENTRY in logins else Role.WORKER])


@contextmanager
def transaction(
    engine: Engine | Connection, principal: Principal, *, read_only: bool = False
) -> Iterator[BoundSession]:
    """One short transaction of its own: committed at the end, rolled back on any error."""
    with BoundSession(engine, principal, read_only=read_only) as session, session.begin():
        yield session
