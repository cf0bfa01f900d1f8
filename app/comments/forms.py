"""The forms about comments. They check shape only."""

import uuid
from collections.abc import Iterable

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from app.assessments.forms import read_id
from app.comments.rules import LONGEST
from app.identity.models import Person
from app.web.once import OnceForm

TOO_LONG = _l("At most 4,000 characters fit.")


class SayForm(OnceForm):
    """Saying something to all, or asking one colleague."""

    body = TextAreaField(
        _l("Your comment or question"),
        [InputRequired(_l("Write something first.")), Length(max=LONGEST, message=TOO_LONG)],
    )
    asked = SelectField(_l("Ask a colleague"), validators=[Optional()])

    def with_people(self, people: Iterable[Person]) -> "SayForm":
        """Give the people to choose from."""
        nobody = SelectChoice("", gettext("Nobody: a comment for all who prepare"))
        self.asked.choices = [nobody, *(SelectChoice(str(one.id), one.name) for one in people)]
        return self

    @property
    def asked_id(self) -> uuid.UUID | None:
        """Who was chosen."""
        return read_id(self.asked.data or "")


class AnswerForm(OnceForm):
    """Answering what was asked."""

    body = TextAreaField(
        _l("Your answer"),
        [InputRequired(_l("Write something first.")), Length(max=LONGEST, message=TOO_LONG)],
    )
