"""The forms of advance data. They check shape alone; the services judge what was given."""

from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import DateTimeLocalField, HiddenField, StringField
from wtforms.validators import Optional

from app.advance_data.rows import COLUMNS
from app.advance_data.wording import COLUMN_WORDS
from app.web.once import OnceForm


class UploadForm(OnceForm):
    """Uploading a batch; `corrects` is that of the file whose rejected rows it brings again."""

    corrects = HiddenField()

    file = FileField(
        _l("File of filings"), validators=[FileRequired(_l("Choose the file to upload."))]
    )


class Instant(DateTimeLocalField):
    """An instant in UTC, typed or chosen; what cannot be read stays in the field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - WTForms' own signature.
        super().__init__(*args, format=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read it; an empty field is nothing said."""
        try:
            super().process_formdata([one for one in valuelist if one])
        except ValueError as error:
            msg = gettext("Give a day and a time of day that exist, for example 2026-06-20 14:30.")
            raise ValueError(msg) from error

    @property
    def instant(self) -> datetime | None:
        """What was typed, as an instant."""
        return None if self.data is None else self.data.replace(tzinfo=UTC)


class VoyageForm(OnceForm):
    """When a ship leaves and arrives."""

    departs_at = Instant(_l("Departure from the port of lading"), [Optional()])
    arrives_at = Instant(_l("Arrival at the first port in the United States"), [Optional()])


class RowForm(OnceForm):
    """One row of a file, its cells as texts; the rules of a file judge them."""


for _column in COLUMNS:
    setattr(RowForm, _column, StringField(_l(COLUMN_WORDS[_column])))
