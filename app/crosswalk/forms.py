"""The form by which an offer is accepted."""

import uuid

from wtforms import BooleanField, HiddenField, SelectMultipleField

from app.web.forms import Form


class AcceptForm(Form):
    """What is taken of one offer; the page holds many of these and writes its boxes itself."""

    source = HiddenField()
    source_criterion = HiddenField()
    papers = SelectMultipleField(validate_choice=False)
    words = BooleanField()

    @property
    def source_id(self) -> uuid.UUID | None:
        """The other assessment; `None` when the field was tampered with."""
        return _id(self.source.data)

    @property
    def paper_ids(self) -> list[uuid.UUID]:
        """The documents that were ticked; what is no id is none."""
        return [one for text in self.papers.data or () if (one := _id(text)) is not None]


def _id(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None
