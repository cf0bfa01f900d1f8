"""The answer to a file of messages: SN with SF90 for each filing, X0 and X1 for a refused file.

What an answer looks like rests on one transcription. Of the numbers for errors only the first page
is known: a fault without a number has its code in the narrative alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from app.advance_data.abi.model import Envelope, RawMessage
from app.advance_data.abi.records import RECORDS, record_of
from app.advance_data.faults import RowFault, Severity
from app.kernel.identifiers import masked

APPLICATION: Final = "SN"
MESSAGE_REJECTED, ACCEPTED, WITH_WARNINGS = "01", "02", "03"
RECORD_REJECTED, RECORD_WARNING = "11", "13"
BATCH_REJECTED: Final = "999"
# What stands in the number of three positions for codes that are longer.
_NUMBERS: Final = {
    ("IOR_FORMAT", "importer_number"): "125",
    ("MISSING", "importer_number"): "109",
    ("REF", "filing_ref"): "108",
    ("REF", "bill_number"): "119",
}
_NARRATIVE: Final = 40
_PERSONAL: Final = frozenset({"importer_number", "bond_holder", "id"})
_UNREPEATED: Final = frozenset({"importer_born", "born", "passport_country"})
_REPEATED: Final = ("SF15", "SF20")


def accepted(
    filings: Iterable[tuple[RawMessage, str, Sequence[RowFault]]],
) -> Iterator[str]:
    """The lines of the answer: for each filing its header, with its number, and what was found.

    A filing comes with its number, empty when it was refused, and its faults. Each fault follows
    the record that it is about, the outcome of the whole filing comes last.
    """
    around: Envelope | None = None
    count = 0
    for message, number, faults in filings:
        if around != message.envelope:
            if around is not None:
                yield from _closing(around, count)
            around, count = message.envelope, 0
            yield from _opening(around)
        for line in _answer_to(message, number, faults):
            count += 1
            yield line
    if around is not None:
        yield from _closing(around, count)


def refused(around: Envelope, faults: Sequence[RowFault]) -> Iterator[str]:
    """The lines of the answer to a file of which nothing was filed."""
    yield from _opening(around)
    for fault in faults:
        yield RECORDS["X0"].encode(
            {"level": "BLOCK", "occurrence": "1", "reference_label": "REF ID:",
             "reference": f"LINE {fault.line_no}"}
        )  # fmt: skip
        yield _error(_number_of(fault), f"{fault.code} {fault.field}")
    yield _error(BATCH_REJECTED, "BATCH REJECTED")
    yield from _closing(around, 2 * len(faults) + 1)


def _error(number: str, narrative: str) -> str:
    return RECORDS["X1"].encode(
        {"rejected": "R", "final": "F", "code": number, "narrative": _fitted(narrative)}
    )


def _opening(around: Envelope) -> Iterator[str]:
    yield RECORDS["A"].encode(
        {"site": around.site, "filer": around.filer, "date": around.date,
         "application": APPLICATION}
    )  # fmt: skip
    yield RECORDS["B"].encode(
        {"port": around.port, "filer": around.filer, "application": APPLICATION}
    )


def _closing(around: Envelope, count: int) -> Iterator[str]:
    yield RECORDS["Y"].encode(
        {"port": around.port, "filer": around.filer, "application": APPLICATION,
         "count": str(count)[-5:]}
    )  # fmt: skip
    yield RECORDS["Z"].encode({"site": around.site, "filer": around.filer, "date": around.date})


def _answer_to(message: RawMessage, number: str, faults: Sequence[RowFault]) -> Iterator[str]:
    at: dict[int, list[RowFault]] = {}
    for fault in faults:
        at.setdefault(fault.line_no, []).append(fault)
    for line_no, line in message.lines:
        kind = record_of(line)
        found = at.get(line_no, [])
        if kind is not None and (kind.id == "SF10" or kind.id in _REPEATED or found):
            repeated = _repeated(line, number if kind.id == "SF10" else "")
            if repeated:
                yield repeated
        for fault in found:
            warns = fault.severity is Severity.WARNING
            yield _outcome(
                RECORD_WARNING if warns else RECORD_REJECTED,
                _number_of(fault),
                f"L{fault.line_no} {fault.code} {fault.field}",
            )
    if not number:
        yield _outcome(MESSAGE_REJECTED, "", "ISF REJECTED")
    elif faults:
        yield _outcome(WITH_WARNINGS, "", "ISF ACCEPTED WITH WARNINGS")
    else:
        yield _outcome(ACCEPTED, "", "ISF ACCEPTED")


def _outcome(kind: str, number: str, narrative: str) -> str:
    return RECORDS["SF90"].encode(
        {"outcome": kind, "code": number, "narrative": _fitted(narrative)}
    )


def _repeated(line: str, number: str) -> str:
    """The line as an answer may repeat it: no personal number, and what cannot be shown not."""
    kind = record_of(line)
    if kind is None:
        return ""
    values = {
        name: masked(text, identifier=True) if name in _PERSONAL else masked(text)
        for name, text in kind.decode(line).values.items()
        if name not in _UNREPEATED
    }
    if number:
        values["transaction_number"] = number
    try:
        return kind.encode(values)
    except ValueError:
        return ""


def _number_of(fault: RowFault) -> str:
    if fault.code.lstrip("X").isdigit():
        return fault.code
    return _NUMBERS.get((fault.code, fault.field), "")


def _fitted(narrative: str) -> str:
    return narrative.replace("_", " ").strip().upper()[:_NARRATIVE]
