"""Form bases against the double submit and the stale form; `app.db.concurrency` explains both."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wtforms import HiddenField
from wtforms.fields import SelectFieldBase

from app.kernel.ids import new_id
from app.web.forms import Form


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
    """One field of a stale form: what stands there now, and what was typed."""

    label: str
    now: str
    typed: str


class VersionForm(Form):
    """A form that changes a row, and knows which version of it was on the page."""

    version = HiddenField()

    @property
    def expected_version(self) -> int:
        """The version that was on the page; 0, which no row has, when it was tampered with."""
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004

    def differences(self, row: Any, names: Iterable[str]) -> list[Difference]:  # noqa: ANN401
        """What was typed against what `row` holds now, for the page that shows both.

        The form keeps what was typed and takes the present version, so that saving it once more
        is a decision and not an accident.
        """
        self.version.data = self.version.raw_data = None
        self.version.data = str(row.version)
        found = []
        for name in names:
            field = self._fields[name]
            now = getattr(row, name)
            if _plain(now) != _plain(field.data):
                found.append(
                    Difference(field.label.text, _words(field, now), _words(field, field.data))
                )
        return found


def _plain(value: Any) -> str:  # noqa: ANN401 - whatever a field or a column holds.
    return "" if value is None else str(value)


def _words(field: Any, value: Any) -> str:  # noqa: ANN401 - WTForms has no types.
    """A value as the page writes it: the label of a choice instead of its code."""
    if isinstance(field, SelectFieldBase):
        for choice in field.iter_choices():
            if str(choice[0]) == _plain(value):
                return str(choice[1])
    return _plain(value)
