"""What a person is asked at the first sign-in through a provider."""

from app.identity.forms import name_field
from app.web.forms import Form


class FirstForm(Form):
    """The name under which others will meet the person; providers do not always tell it."""

    name = name_field()


class PlainForm(Form):
    """A button and its form token."""
