"""The form that sends a file of filings. It checks that a file was chosen; the service its content."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired

from app.web.once import OnceForm


class UploadForm(OnceForm):
    """Uploading a batch."""

    file = FileField(
        _l("File of filings"), validators=[FileRequired(_l("Choose the file to upload."))]
    )
