"""Whose filer code a block of messages may bear: the sender's own, as the agency has verified it."""

from collections.abc import Iterator

from app.advance_data.abi.model import RawMessage
from app.advance_data.checks import Verdict, place_of
from app.advance_data.faults import FILER, RowFault, fault_of
from app.advance_data.models import Batch
from app.advance_data.screening import ReadyRow
from app.kernel.identifiers import Scheme
from app.traders.queries import verified_identifiers
from app.work import Work


def filer_codes(work: Work, batch: Batch) -> frozenset[str]:
    """The verified filer codes of whoever sent the batch: of the broker, where one acts."""
    sender = batch.acting_trader_id or batch.trader_id
    return frozenset(
        one.value
        for one in verified_identifiers(work.session, sender)
        if one.scheme is Scheme.FILER and one.value is not None
    )


def foreign_filer(row: Verdict, codes: frozenset[str]) -> Iterator[RowFault]:
    """The fault of a message whose block bears a code that is not the sender's.

    Unknown and foreign codes get the same answer. The number of a filing begins with the code, so
    another one would give out numbers in somebody else's name. Source: ABI, record B.
    """
    if isinstance(row, ReadyRow) or not isinstance(row.raw, RawMessage):
        return
    code = row.raw.envelope.filer
    if code not in codes:
        yield fault_of(FILER, place_of(row), field="filer", value=code)
