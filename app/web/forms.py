"""The base of every form: strips what was typed, and shows the domain's problems beside fields."""

from collections.abc import Callable, Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, MultipleFileField, SelectMultipleField
from wtforms.fields import FormField

from app.kernel.errors import NotReadyError, Problem
from app.web.errors import translate
from app.web.strict import of_forms

SEVERAL = (SelectMultipleField, MultipleFileField)
UNSAFE = frozenset("\x00\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def strip(value: object) -> object:
    """Take white space off both ends of a text, and drop the control characters NUL and bidi."""
    if not isinstance(value, str):
        return value
    return "".join(char for char in value if char not in UNSAFE).strip()


class Form(FlaskForm):
    """A form checks shape only: present, long enough, a date. It never sees the database."""

    class Meta(FlaskForm.Meta):
        """Stripping for every field that has no filter of its own."""

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:  # noqa: ANN401
            if not issubclass(unbound_field.field_class, FormField):
                unbound_field.kwargs.setdefault("filters", [strip])
            return unbound_field.bind(form=form, **options)

    def __init_subclass__(cls, **options: Any) -> None:  # noqa: ANN401 - Python's own signature.
        """Declare the fields that may be sent more than once; any other name twice is refused."""
        super().__init_subclass__(**options)
        for name, field in vars(cls).items():
            kind = getattr(field, "field_class", None)
            if isinstance(kind, type) and issubclass(kind, SEVERAL):
                of_forms.add(name)

    def keep_files(self) -> None:
        """Hold what came with a refused form and cannot stand in its page; most bring no file."""

    def attempt(self, action: Callable[[], object]) -> bool:
        """Whether the service has done `action`; when not, the form carries why."""
        try:
            action()
        except NotReadyError as refusal:
            self.show(refusal.problems)
            return False
        return True

    def done(self, action: Callable[[], object]) -> bool:
        """Whether the form was sent whole and the service has done `action`."""
        return self.validate_on_submit() and self.attempt(action)

    def show(self, problems: Iterable[Problem]) -> None:
        """Put each problem beside the field that caused it, or on top of the form."""
        for problem in problems:
            text = translate(problem.message, dict(problem.params))
            field: Field | None = self._fields.get(problem.field or "")
            if field is None:
                self.form_errors.append(text)
            else:
                field.errors = [*field.errors, text]
