"""Declarative base: naming convention, UTC instants, private state columns."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Date, DateTime, Dialect, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator, Uuid

from app.kernel.workflow import Workflow

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """`timestamptz` that refuses naive instants and always gives UTC back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            msg = "A naive datetime has no place in the database."
            raise ValueError(msg)
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: BigInteger,
        Decimal: Numeric,
        date: Date,
        datetime: UtcDateTime,
        uuid.UUID: Uuid,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(Text),
    }


class HasId:
    """A UUID key that the application gives (see `app.kernel.ids`)."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class HasState:
    """A state that only `app.work.move` may change.

    The column is mapped privately as `_state`; a class names its `workflow` and starts in
    the workflow's initial state unless the constructor is told otherwise.
    """

    workflow: ClassVar[Workflow]

    @declared_attr
    def _state(self) -> Mapped[str]:
        return mapped_column("state", Text, nullable=False)

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own signature.
        values.setdefault("_state", str(self.workflow.initial))
        super().__init__(**values)

    @property
    def state(self) -> str:
        return self._state

    def available(self) -> tuple[str, ...]:
        """The moves that the workflow allows now; templates ask this, never the state."""
        return self.workflow.available(self._state)
