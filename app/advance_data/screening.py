"""Whole columns looked at first, so that only the rows with something to say are explained one by one.

A file has millions of cells and few texts: what a column has been found to mean is remembered. A
row all of whose cells are such texts, and whose columns agree, is one that `check_row` would give
without a fault, with the same content; every other row goes through `check_row`. So this decides
nothing: whatever it does not know for good is asked there.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, get_type_hints

from pydantic import TypeAdapter, ValidationError

from app.advance_data.content import plain
from app.advance_data.rows import (
    COLUMNS,
    PERSONAL_COLUMNS,
    Action,
    Block,
    FilingRow,
    identifier_of,
)
from app.advance_data.rules import NO_LISTS, CheckedRow, KnownCodes, check_row, remarks_of
from app.kernel.identifiers import Identifier, Scheme


class ReadyRow(NamedTuple):
    """A row without a fault, ready to be filed; `content` is the canonical JSON of `content_of`."""

    file_row: int
    line_no: int
    reference: str
    action: Action
    importer: Identifier
    content: str


_KEPT: Final = 2048
_KEPT_LENGTH: Final = 64
_ORDER: Final = sorted(COLUMNS)
_REQUIRED: Final = frozenset(
    name for name, field in FilingRow.model_fields.items() if field.is_required()
)
_ADAPTERS: Final[dict[str, TypeAdapter[Any]]] = {
    name: TypeAdapter(hint)
    for name, hint in get_type_hints(FilingRow, include_extras=True).items()
    if name in COLUMNS
}
# Columns whose texts hardly come twice, and what is surely right in them, word for word. Nothing
# that these match is spelt otherwise in JSON or in its canonical form.
_UNLIKE: Final = {
    "filing_ref": re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,49}"),
    "bill_number": re.compile(r"[A-Z]{4}[A-Z0-9]{1,12}"),
    "value_usd": re.compile(r"[1-9][0-9]{0,10}(?:\.[0-9]{1,2})?"),
    "quantity": re.compile(r"[1-9][0-9]{0,10}"),
}
_ACTIONS: Final = {f',"action":"{one.value}"': one for one in (Action.ADD, Action.REPLACE)}
_IN_LIEU_OF_DUNS: Final = ("mf_address", "mf_city", "mf_country")
_importer: Final = identifier_of(Scheme.IOR)


class Screen:
    """What the texts of each column have been found to mean, by these lists of codes.

    The members are `,"column":"value"` as they stand in the content, and empty for a text that
    leaves the column out. Their number is bounded, and personal numbers are not among them.
    """

    def __init__(self, known: KnownCodes = NO_LISTS) -> None:
        self._known = known
        self._members: dict[str, dict[str, str]] = {column: {} for column in COLUMNS}

    def check(self, block: Block) -> Iterator[ReadyRow | CheckedRow]:
        """Yield every row of the block, in order: ready, or checked by itself."""
        texts = self._columns(block)
        members = {column: self._of_column(column, texts[column]) for column in COLUMNS}
        contents = map("".join, zip(*(members[column] for column in _ORDER), strict=True))
        doubtful = self._doubtful(texts, members)
        importers: dict[str, Identifier] = {}
        facts = zip(
            contents,
            texts["filing_ref"],
            members["action"],
            texts["importer_number"],
            strict=True,
        )
        for index, (content, reference, action, number) in enumerate(facts):
            if index in doubtful:
                yield check_row(block.row(index), self._known)
                continue
            importer = importers.get(number)
            if importer is None:
                importer = importers[number] = _importer(number)
            yield ReadyRow(
                block.file_row + index,
                block.line_no + index,
                reference,
                _ACTIONS[action],
                importer,
                # Without the comma of the first member, of which there is always one.
                f"{{{content[1:]}}}",
            )

    @staticmethod
    def _columns(block: Block) -> dict[str, list[str]]:
        width = len(block.columns)
        return {column: block.cells[at::width] for at, column in enumerate(block.columns)}

    @staticmethod
    def _doubtful(
        texts: dict[str, list[str]], members: dict[str, list[str]]
    ) -> frozenset[int] | set[int]:
        """The rows of the block about which more has to be asked, by their index."""
        found: set[int] = set()
        for column in COLUMNS:
            if _UNKNOWN in members[column]:
                found.update(index for index, one in enumerate(members[column]) if one is _UNKNOWN)
        lieu = [members[column] for column in _IN_LIEU_OF_DUNS]
        agreeing = zip(
            members["mf_duns"],
            zip(*lieu, strict=True),
            texts["mf_country"],
            texts["country_of_origin"],
            texts["mid"],
            strict=True,
        )
        for index, (duns, named, made_in, origin, mid) in enumerate(agreeing):
            if (not duns and not all(named)) or (
                # Two spellings of one country are left to `check_row`.
                named[2] and (origin != made_in or (mid and mid[:2] != made_in))
            ):
                found.add(index)
        return found

    def _of_column(self, column: str, texts: Sequence[str]) -> list[str]:
        shape = _UNLIKE.get(column)
        if shape is not None:
            name, matches = f',"{column}":"', shape.fullmatch
            return [
                f'{name}{text}"' if matches(text) else self._learn(column, text) for text in texts
            ]
        known: Callable[[str], str | None] = self._members[column].get
        found = list(map(known, texts))
        if None not in found:
            return found  # type: ignore[return-value] # each is a text.
        return [
            self._learn(column, text) if one is None else one
            for one, text in zip(found, texts, strict=True)
        ]

    def _learn(self, column: str, text: str) -> str:
        """What the text means in this column, or that it is not known for good."""
        kept = self._members[column]
        found = kept.get(text)
        if found is not None:
            return found
        member = self._member(column, text)
        # Of importer numbers only the tax number has a hyphen there: no personal one is kept.
        personal = column in PERSONAL_COLUMNS and text[2:3] != "-"
        if member is not _UNKNOWN and len(text) < _KEPT_LENGTH and not personal:
            if len(kept) >= _KEPT:
                kept.clear()
            kept[text] = member
        return member

    def _member(self, column: str, text: str) -> str:
        if column == "filing_ref":
            return _UNKNOWN  # It is kept as it stands, or looked at by itself.
        if not text.strip():
            return _UNKNOWN if column in _REQUIRED else ""
        try:
            value = _ADAPTERS[column].validate_python(text)
        except ValidationError:
            return _UNKNOWN
        if value is Action.DELETE or any(remarks_of({column: value}, self._known)):
            return _UNKNOWN
        return f',"{column}":{json.dumps(plain(value), ensure_ascii=False)}'


# Told apart by being this one object; it never gets into a content.
_UNKNOWN: Final = " unknown "
