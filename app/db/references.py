"""Human references such as `AP-2026-00042`, dense per kind and year."""

from sqlalchemy import BigInteger, Text, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base


class ReferenceCounter(Base):
    """The last number given out; the row lock makes the numbers dense in commit order."""

    __tablename__ = "reference_counter"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    year: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    last: Mapped[int]


def next_reference(session: Session, kind: str, year: int) -> str:
    """The next reference of `kind` in `year`; gapless, since it rolls back with its reason."""
    number = session.execute(
        text(
            "INSERT INTO reference_counter (kind, year, last) VALUES (:kind, :year, 1)"
            " ON CONFLICT (kind, year) DO UPDATE SET last = reference_counter.last + 1"
            " RETURNING last"
        ),
        {"kind": kind, "year": year},
    ).scalar_one()
    return f"{kind}-{year}-{number:05d}"
