"""The tables of the register. The migration adds the guards that hold in SQL what these promise."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, HasState
from app.register.workflow import DETERMINATION, Origin

TRADER = "trader.id"


class Determination(HasId, HasState, Base):
    """A formal decision on a standing: what one person proposed and another signed.

    `status` and `tier` are the standing that it leads to, `restrictions` the benefits that the
    proposer named. `effective_from` is what was asked for; `None` means at the second signature.
    `seq` is the register change by which it was entered.
    """

    __tablename__ = "determination"
    workflow = DETERMINATION
    __table_args__ = (
        CheckConstraint("decided_by <> proposed_by", name="two_people"),
        Index("ix_determination_trader_id_proposed_at", "trader_id", "proposed_at"),
        Index(
            "uq_determination_open",
            "trader_id",
            "programme",
            "move",
            unique=True,
            postgresql_where=text("state = 'proposed'"),
        ),
        Index(
            "ix_determination_unsigned",
            "proposed_at",
            postgresql_where=text("state IN ('proposed', 'in_force')"),
        ),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    programme: Mapped[str]
    programme_version: Mapped[str]
    move: Mapped[str]
    origin: Mapped[str]
    status: Mapped[str]
    tier: Mapped[int | None]
    restrictions: Mapped[list[str]]
    reason_code: Mapped[str]
    reason_text: Mapped[str]
    effective_from: Mapped[datetime | None]
    effective_until: Mapped[datetime | None]
    case_id: Mapped[uuid.UUID | None]
    proposed_by: Mapped[uuid.UUID | None]
    proposed_by_name: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[uuid.UUID | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]
    countersign_due_at: Mapped[datetime | None]
    file_sha256: Mapped[str | None]
    os_account: Mapped[str | None]
    seq: Mapped[int | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it so.

    @property
    def urgent(self) -> bool:
        """Whether it took effect on its first signature."""
        return self.origin == Origin.URGENT


class RegisterSequencer(Base):
    """The one row whose lock puts all changes of the register in order.

    `last` is the newest number, `at` the instant of the newest change as the ledger counts time:
    the clock's, or a microsecond after the change before when the clock has not moved on.
    """

    __tablename__ = "register_sequencer"

    id: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
    at: Mapped[datetime]


class RegisterChange(Base):
    """One change of what the register answers about a trader; dense `seq` in commit order."""

    __tablename__ = "register_change"
    __table_args__ = (Index("ix_register_change_trader_id_seq", "trader_id", "seq"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    kind: Mapped[str]
    at: Mapped[datetime]


class RegisterEntry(HasId, Base):
    """A standing that is valid over a span of time, as known over another span of time.

    Both spans are half-open. `tier` stays with a suspended partner, as the tier to return to; it
    grants nothing there. `seq` is the change that wrote this version.
    """

    __tablename__ = "register_entry"
    __table_args__ = (
        ExcludeConstraint(
            ("trader_id", "="),
            ("programme", "="),
            ("valid", "&&"),
            ("recorded", "&&"),
            using="gist",
            name="ex_register_entry_one_standing",
        ),
        Index("ix_register_entry_determination_id", "determination_id"),
        Index("ix_register_entry_seq", "seq"),
    )

    trader_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(TRADER))
    programme: Mapped[str]
    status: Mapped[str]
    tier: Mapped[int | None]
    restrictions: Mapped[list[str]]
    reason_code: Mapped[str]
    reason_text: Mapped[str]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    recorded: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    determination_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("determination.id", deferrable=True, initially="DEFERRED")
    )
    seq: Mapped[int] = mapped_column(ForeignKey("register_change.seq"))
