"""Engines, and sessions whose every transaction is bound to a principal.

The database refuses writes of a transaction that has not said on whose behalf it runs (see
`fairway_require_principal` in the first migration); this module refuses to begin one at all.
Row-level security will later read the same two settings, so no feature has to change for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session, SessionTransaction


class UnboundPrincipalError(RuntimeError):
    """A transaction was begun without saying on whose behalf; always a programming error."""


class Role(StrEnum):
    """The database role that a transaction takes, for itself alone."""

    APPLICATION = "none"
    """The role that the connection came with: the agency's pages, programs, jobs, commands."""
    PORTAL = "fairway_portal"
    """A trader's people: rows of the traders in reach of the session's token, and no others."""
    API = "fairway_api"
    """Programs: what the register tells, or the traders in reach of the access token."""


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
    role: Role = Role.APPLICATION


class BoundSession(Session):
    """A session that carries exactly one principal for its whole life."""

    def __init__(
        self, bind: Engine | Connection, principal: Principal, *, read_only: bool = False
    ) -> None:
        super().__init__(bind, expire_on_commit=False, join_transaction_mode="create_savepoint")
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


@contextmanager
def transaction(
    engine: Engine | Connection, principal: Principal, *, read_only: bool = False
) -> Iterator[BoundSession]:
    """One short transaction of its own: committed at the end, rolled back on any error."""
    with BoundSession(engine, principal, read_only=read_only) as session, session.begin():
        yield session
