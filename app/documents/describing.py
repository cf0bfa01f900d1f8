"""The form about a document. It checks shape only."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField
from wtforms.validators import Optional

from app.web.days import Day
from app.web.forms import Form


class DescribeForm(Form):
    """Until when it holds, and whether it is confidential."""

    expires_on = Day(_l("Last day on which it holds"), validators=[Optional()])
    confidential = BooleanField(_l("This is confidential business information"))
