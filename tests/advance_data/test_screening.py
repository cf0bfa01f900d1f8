"""Looking at whole columns gives what looking at each row gives: the same rows, contents and faults."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.advance_data import receipts
from app.advance_data.checks import check_all
from app.advance_data.content import content_of
from app.advance_data.rows import COLUMNS, Block
from app.advance_data.rules import KnownCodes, check_row
from app.advance_data.screening import ReadyRow, Screen
from app.audit.receipts import canonical
from tests.advance_data.sample_rows import good_row

LISTS = KnownCodes(
    hs6=frozenset({"850760", "990000"}),
    unlocodes=frozenset({"VNSGN"}),
    schedule_d=frozenset({"2704"}),
)
# Texts on both sides of what each rule asks; each column may get any of them.
TEXTS = (
    *("", " ", "A", "a", "R", "D", "X", "OB", " ob ", "VN", "vn", " VN", "CN", "XX", "KG", "pcs"),
    *("8507600020", "8507.60", "9900.00", "7701", "850761", "2704", "2705", "VNSGN", "CNSHA"),
    *("12-345678900", "07-345678900", "261234-00001", "536-90-4399", "536904399", "219-09-9999"),
    *("MAEU123456789012", "maeu12", "MAEU1234567890123", "MA EU1", "CSQU3054383", "CSQU3054384"),
    *("VNHANCEL12HAN", "vnHANCEL12HAN", "CNHANCEL12HAN", "XAHANCEL12HAN", "123456789", "12345678"),
    *("2026-06-20", "2026-02-30", "0", "0.00", "0.10", "007.5", "7", "1e999", "12345678901", "1_0"),
    *("\u0663", "-", 'A "quoted" \\ name', "Ünïcode", "stra\u00dfe", "x" * 70, "x" * 256, "\x1f"),
    *("PO-1", " PO-1", "PO 1", "p/1", "\u00a0VN"),
)
CHANGES = st.lists(
    st.dictionaries(st.sampled_from(COLUMNS), st.sampled_from(TEXTS), max_size=4),
    min_size=1,
    max_size=8,
)


def block_of(rows):
    return Block(COLUMNS, 5, 7, [row[column] for row in rows for column in COLUMNS])


def like_check_row(block, known, screen):
    for raw, verdict in zip(block.rows(), screen.check(block), strict=True):
        expected = check_row(raw, known)
        if not isinstance(verdict, ReadyRow):
            assert verdict == expected
            continue
        assert expected.filing is not None
        assert not expected.faults
        assert verdict == ReadyRow(
            raw.file_row,
            raw.line_no,
            expected.filing.filing_ref,
            expected.filing.action,
            expected.filing.importer_number,
            canonical(content_of(expected.filing)),
        )


REMEMBERING = {True: Screen(LISTS), False: Screen()}


@given(CHANGES, st.booleans())
def test_a_row_of_a_block_is_judged_as_it_is_alone(changes, lists):
    # A screen that remembers what all the blocks before it had.
    block = block_of([good_row(**change) for change in changes])
    like_check_row(block, LISTS if lists else KnownCodes(), REMEMBERING[lists])


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("lists", [True, False])
def test_every_text_in_every_column_is_judged_as_it_is_alone(column, lists):
    known = LISTS if lists else KnownCodes()
    block = block_of([good_row(**{column: text}) for text in TEXTS])
    like_check_row(block, known, Screen(known))
    # Most of the good ones are found good without being looked at alone.
    kinds = [type(one) for one in Screen(known).check(block_of([good_row()] * 3))]
    assert kinds == [ReadyRow] * 3


def kept(screen):
    return screen._members  # noqa: SLF001 - nobody else may look at it.


def test_personal_numbers_are_not_remembered():
    screen = Screen()
    block = block_of([good_row(importer_number="536-90-4399", consignee_number="536-90-4399")])
    [row] = screen.check(block)
    assert isinstance(row, ReadyRow)
    assert '"importer_number":"***-**-4399"' in row.content
    assert "4399" not in repr(kept(screen))


def test_what_is_remembered_is_bounded():
    screen = Screen()
    for start in range(0, 6_000, 500):
        names = (f"Works {number}" for number in range(start, start + 500))
        assert all(
            isinstance(one, ReadyRow)
            for one in screen.check(block_of([good_row(mf_name=name) for name in names]))
        )
    assert max(map(len, kept(screen).values())) <= 2048
    [row] = screen.check(block_of([good_row(mf_name="y" * 100)]))
    assert isinstance(row, ReadyRow)
    assert "y" * 100 not in kept(screen)["mf_name"]


def test_rows_alone_and_in_blocks_come_in_their_order():
    block = block_of([good_row(), good_row(hts="1"), good_row()])
    alone = block.row(1)
    found = list(check_all([alone, block, alone, block.without(2)]))
    numbers = [one.file_row if isinstance(one, ReadyRow) else one.raw.file_row for one in found]
    assert numbers == [6, 5, 6, 7, 6, 7]


@given(st.text(min_size=1, max_size=20), st.integers(1, 99))
def test_the_line_of_a_filing_in_its_tree_is_canonical_json(reference, number):
    at = datetime(2026, 11, 25, 1, 2, 3, 4, tzinfo=UTC)
    assert receipts.entry_of("BT-1-0000001", reference, number, "A", "ab", at) == canonical(
        {
            "format": receipts.FORMAT,
            "receipt": "BT-1-0000001",
            "filing_ref": reference,
            "number": number,
            "action": "A",
            "sha256": "ab",
            "filed_at": at.isoformat(),
        }
    )
