"""Form bases against the double submit and the stale form; `app.db.concurrency` explains both."""

import uuid
from dataclasses import dataclass
from typing import Any

from wtforms import HiddenField
from wtforms.fields import SelectFieldBase

from app.kernel.ids import new_id
from app.web.forms import Form

LONGEST_VERSION = 9


class OnceForm(Form):
    """A form whose second submit does nothing new: its `key` becomes the id of the new row."""

    key = HiddenField(default=lambda: str(new_id()))

    @property
    def row_id(self) -> uuid.UUID:
        """The id for the new row; a fresh one when the field was tampered with."""
        try:
            return uuid.UUID(self.key.data or "")
        except ValueError:
            return new_id()


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a stale form: its label, what stands there now, and what was typed."""

    label: str
    now: str
    typed: str


class VersionForm(Form):
    """A form that changes a row, and knows which version of it was on the page."""

    version = HiddenField()
    stale: tuple[Difference, ...] | None = None

    @property
    def expected_version(self) -> int:
        """The version that was on the page; 0, which no row has, when it was tampered with."""
        text = self.version.data or ""
        usable = text.isascii() and text.isdecimal() and len(text) <= LONGEST_VERSION
        return int(text) if usable else 0

    def present(self, row: Any, name: str) -> object:  # noqa: ANN401 - a row of any table.
        """What `row` holds for the field `name`, in the form in which the field has it."""
        return getattr(row, name, None)

    def show_stale(self, row: Any) -> None:  # noqa: ANN401 - a row of any table.
        """Put what was typed beside what `row`, read again, holds now.

        The form keeps what was typed and takes the present version, so that sending it once more
        is a decision and not an accident.
        """
        self.version.data = str(row.version)
        found = []
        for field in self:
            if isinstance(field, HiddenField):
                continue
            now = self.present(row, field.name)
            if _plain(now) != _plain(field.data):
                found.append(
                    Difference(str(field.label.text), _words(field, now), _words(field, field.data))
                )
        self.stale = tuple(found)


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _words(field: Any, value: object) -> str:  # noqa: ANN401 - WTForms' fields have no types.
    """A value as the page writes it: the label of a choice instead of its code."""
    if isinstance(field, SelectFieldBase):
        for choice in field.iter_choices():
            if str(choice.value) == _plain(value):
                return str(choice.label)
    return _plain(value)
