"""A day that is typed."""

from flask_babel import gettext
from wtforms import DateField


class Day(DateField):
    """A date whose error says what to give."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the date; a malformed one stays in the field."""
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            msg = gettext("Give a day, month and year that exist.")
            raise ValueError(msg) from error
