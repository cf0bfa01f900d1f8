"""The forms about improvement plans. They check shape only."""

import uuid
from collections.abc import Iterable

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import SelectField, SelectMultipleField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from app.documents.forms import HoldingForm
from app.documents.models import DocumentRevision
from app.identity.models import Person
from app.plans.rules import LONGEST_PROMISE, LONGEST_REASON
from app.web.days import Day
from app.web.forms import Form
from app.web.once import VersionForm


def id_of(text: str | None) -> uuid.UUID | None:
    """An id that a form sent; `None` for nothing, and for what is none."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


class SeveralField(SelectMultipleField):
    """Boxes to tick, of which several may be ticked."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class OwnerFields:
    """Who answers for it, and by when."""

    owner = SelectField(
        _l("Who answers for it"), validators=[InputRequired(_l("Choose who answers for it."))]
    )
    due_on = Day(_l("Done by"), [InputRequired(_l("Give the day by which it will be done."))])

    def with_owners(self, people: Iterable[Person]) -> None:
        """Give the people to choose from."""
        nobody = SelectChoice("", gettext("Choose"))
        self.owner.choices = [nobody, *(SelectChoice(str(one.id), one.name) for one in people)]

    @property
    def owner_id(self) -> uuid.UUID | None:
        """Who was chosen."""
        return id_of(self.owner.data)


class PromiseForm(OwnerFields, Form):
    """Promising an action for each criterion that is ticked."""

    criteria = SeveralField(
        _l("What will you improve?"),
        validators=[InputRequired(_l("Choose at least one criterion."))],
    )
    owner = OwnerFields.owner
    due_on = OwnerFields.due_on


class ChangeForm(OwnerFields, VersionForm):
    """Changing what is promised."""

    promise = TextAreaField(
        _l("What will be done"),
        [InputRequired(_l("Say what will be done.")), Length(max=LONGEST_PROMISE)],
    )
    owner = OwnerFields.owner
    due_on = OwnerFields.due_on


class FinishForm(HoldingForm):
    """Showing that it was done: a document that is here, or a new one."""

    proof = SelectField(_l("A document that you have here"), validators=[Optional()])
    file = FileField(_l("Or a new file"))

    def with_documents(self, documents: Iterable[DocumentRevision]) -> "FinishForm":
        """Give the documents to choose from."""
        nothing = SelectChoice("", gettext("None of these"))
        self.proof.choices = [
            nothing,
            *(
                SelectChoice(str(one.id), f"{one.document.title} ({one.filename})")
                for one in documents
            ),
        ]
        return self


class DropForm(Form):
    """Giving it up, with the reason."""

    reason = TextAreaField(
        _l("Why it is given up"),
        [InputRequired(_l("Say why it is given up.")), Length(max=LONGEST_REASON)],
    )
