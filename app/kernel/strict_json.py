"""Reading JSON that has one meaning, whichever program reads it (RFC 8259, I-JSON of RFC 7493)."""

import json
from typing import Any, NoReturn


class StrictJsonError(ValueError):
    """Bytes that are not JSON of one meaning; the message is a sentence and repeats no value."""


class RepeatedMemberError(StrictJsonError):
    """One object has a member twice, so that two programs would read it differently.

    `name` is the sender's own text: mask it before anybody sees it.
    """

    def __init__(self, name: str) -> None:
        super().__init__("A member stands twice in one object.")
        self.name = name


class NoNumberError(StrictJsonError):
    """NaN or an infinity, which Python would read and the standard does not know."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is no number in JSON.")


def strict_json(raw: bytes, *, numbers_as_text: bool = False) -> Any:  # noqa: ANN401 - any JSON.
    """One JSON value in UTF-8, without repeated members, NaN or halves of characters.

    `numbers_as_text` gives each number as the text in which it is written, so that no digit is
    lost and none is gained. Raises StrictJsonError.
    """
    number = str if numbers_as_text else None
    try:
        text = raw.decode()
        data = json.loads(
            text,
            object_pairs_hook=_once_each,
            parse_int=number,
            parse_float=number,
            parse_constant=_no_number,
        )
        # Half of a character pair is a text to Python, but to nobody else.
        if "\\ud" in text or "\\uD" in text:
            json.dumps(data, ensure_ascii=False).encode()
    except StrictJsonError:
        raise
    except (ValueError, RecursionError) as error:
        raise StrictJsonError("This is not JSON in UTF-8.") from error
    return data


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise RepeatedMemberError(name)
            seen.add(name)
    return found


def _no_number(name: str) -> NoReturn:
    raise NoNumberError(name)
