"""Forms that bring one file, which is not lost when something else has to be corrected."""

from typing import Any, BinaryIO, cast

from flask import request
from flask_babel import gettext
from flask_wtf.file import FileField
from werkzeug.datastructures import FileStorage
from wtforms import HiddenField

from app.documents import held
from app.web.forms import Form
from app.web.requests import current_work
from app.web.wiring import wiring


class HoldingForm(Form):
    """A form whose field `file` is remembered by the server while the rest is corrected."""

    file: FileField
    held = HiddenField()

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - WTForms' own.
        """Bind what was sent; a file that is held counts as sent, unless another was chosen."""
        super().__init__(*args, **options)
        self._missed = ""
        mark = self.held.data or ""
        if not mark or not self.is_submitted() or self.file.data:
            return
        found = held.fetch(current_work(), _secret(), place=request.path, mark=mark)
        if found is None:
            self._missed, self.held.data = mark.partition("/")[2], ""
        else:
            self.file.data = FileStorage(found.stream, filename=found.filename)

    def keep_files(self) -> None:
        """Hold the file of a refused form, unless it is the file that was refused."""
        sent = self.file.data
        if self._missed:
            self.file.errors = [
                gettext("Choose %(name)s again: it was kept for a day only.", name=self._missed)
            ]
        elif self.file.errors or not sent:
            self.held.data = ""
        elif self.errors:
            self.held.data = held.hold(
                current_work(),
                _secret(),
                place=request.path,
                filename=sent.filename or "",
                stream=cast("BinaryIO", sent.stream),
            )

    def file_hint(self, hint: str) -> str:
        """What stands beside the field: which file is held, else `hint`."""
        name = (self.held.data or "").partition("/")[2]
        if not name:
            return hint
        return gettext(
            "%(name)s is kept and goes with this form for a day. Choose a file only if you want to"
            " send another one instead.",
            name=name,
        )


def _secret() -> str:
    secret = wiring().settings.secret_key
    assert secret is not None  # noqa: S101 - no server starts without it.
    return secret
