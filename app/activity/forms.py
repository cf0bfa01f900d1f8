"""What narrows the record; it stands in the address."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectChoice, SelectField, StringField
from wtforms.validators import Length, Optional, ValidationError

from app.activity.queries import KINDS
from app.activity.wording import AREAS, SIDES
from app.audit.tags import EventTag, SecurityTag
from app.web.forms import Form

SHORT = [Length(max=100, message=_l("Use 100 characters or fewer."))]


class Day(DateField):
    """A date whose error says what to give."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the date; an empty field is no filter, and a malformed one stays in the field."""
        try:
            super().process_formdata([one for one in valuelist if one])
        except ValueError as error:
            msg = gettext("Give a day, month and year that exist.")
            raise ValueError(msg) from error


class RecordForm(Form):
    """The filters of a trader's own record."""

    class Meta(Form.Meta):
        """Reading needs no token."""

        csrf = False

    since = Day(_l("From"), [Optional()])
    until = Day(_l("To"), [Optional()])
    who = SelectField(_l("Who"), validate_choice=False)
    name = StringField(_l("Name"), SHORT)
    kind = SelectField(_l("What"), validate_choice=False)
    about = StringField(_l("Reference"), SHORT)

    def validate_until(self, field: Any) -> None:  # noqa: ANN401 - WTForms' own signature.
        """The days are in order."""
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError(gettext("This is before the first day."))

    def with_choices(self) -> "RecordForm":
        """Give the sides and the kinds in words."""
        self.who.choices = [SelectChoice("", _l("Everybody")), *_choices(SIDES)]
        self.kind.choices = [SelectChoice("", _l("Everything")), *_choices(AREAS)]
        return self


class LogForm(RecordForm):
    """The filters of the auditors' log over all traders."""

    who = None
    trader = StringField(_l("Trader"), SHORT)

    def with_choices(self) -> "LogForm":
        """Give the three kinds of records, and the beginnings of the tags."""
        words = (_l("Business events"), _l("Who looked at what"), _l("Sign-ins and refusals"))
        beginnings = sorted({f"{tag.split(':')[0]}:" for tag in (*EventTag, *SecurityTag)})
        self.kind.choices = [
            SelectChoice("", _l("Everything")),
            *(SelectChoice(kind, word) for kind, word in zip(KINDS, words, strict=True)),
            *(SelectChoice(one, f"{one} …") for one in beginnings),
        ]
        return self


def _choices(words: Any) -> list[SelectChoice]:  # noqa: ANN401 - a mapping of an enum to words.
    return [SelectChoice(key.value, word) for key, word in words.items()]
