"""The rows that were not filed as a workbook: marked, harmless, and good to send again."""

import io
import re
import zipfile

import pytest
from python_calamine import CalamineWorkbook

from app.advance_data.formats import CSV, NDJSON, XLSX
from app.advance_data.rows import COLUMNS
from app.authz.actor import system_actor
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.advance_data.workbooks import parts_of, workbook
from tests.factories.advance_data import receive, rows

TEST = system_actor("test")
SSN = "536-90-4399"
FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\uff1d1",
    '=HYPERLINK("http://x","y")',
    "=cmd|' /C calc'!A0",
]


@pytest.fixture
def program(program_of, scene):
    return program_of(scene)


@pytest.fixture
def send(program, run_jobs):
    def sent(content, media_type=CSV, key="key-1"):
        answer = program.send(content, key=key, **{"Content-Type": media_type})
        assert answer.status_code == 202, answer.text
        run_jobs()
        address = answer.headers["Location"].partition("/trader/v1")[2]
        return address, program.get(address).get_json()

    return sent


def cells(content):
    """The workbook's rows as another reader sees them, and its notes by cell."""
    found = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    parts = parts_of(content)
    text = parts.get("xl/comments1.xml", b"").decode()
    notes = {
        place: re.sub(r"<[^>]+>", "", body)
        for place, body in re.findall(
            r'<comment ref="([A-Z]+\d+)"[^>]*>(.*?)</comment>', text, re.DOTALL
        )
    }
    return found, notes


def test_bad_rows_come_back_marked_and_are_filed_once_corrected(send, program, scene):
    bad = [
        good_row(filing_ref="PO-X", hts="0101210010x", quantity="0"),
        good_row(filing_ref="PO-Y", mf_name=""),
    ]
    address, batch = send(csv_bytes([*rows(3), bad[0], *rows(2, start=7, mf_country="CN"), bad[1]]))
    assert (batch["accepted"], batch["rejected"]) == (5, 2)
    answer = program.get(f"{address}/errors", Accept=XLSX)
    assert answer.status_code == 200
    assert answer.mimetype == XLSX
    assert answer.headers["Content-Disposition"].endswith("-to-correct.xlsx")
    found, notes = cells(answer.data)
    assert found[0] == list(COLUMNS)
    assert found[1:] == [list(row.values()) for row in bad]
    hts, quantity, name = (chr(65 + COLUMNS.index(one)) for one in ("hts", "quantity", "mf_name"))
    assert set(notes) == {f"{hts}2", f"{quantity}2", f"{name}3"}
    assert "This is not a tariff number. Give 6, 8 or 10 digits" in notes[f"{hts}2"]
    # Corrected and sent again, they are filed, and nothing of the first file twice.
    corrected = [dict(zip(COLUMNS, row, strict=True)) for row in found[1:]]
    corrected[0] |= {"hts": "8507600020", "quantity": "5"}
    corrected[1] |= {"mf_name": "Hanoi Cell Works"}
    address, batch = send(workbook(corrected), XLSX, key="2")
    assert (batch["read"], batch["accepted"]) == (2, 2)
    assert len(scene.filings()) == 7
    assert program.get(f"{address}/errors", Accept=XLSX).status_code == 404


def test_the_workbook_can_be_sent_back_as_it_is(send, program):
    rejected = [good_row(filing_ref=f"PO-{n}", hts="77", quantity="1.5") for n in range(40)]
    address, _ = send(csv_bytes(rejected))
    workbook_again = program.get(f"{address}/errors", Accept=XLSX).data
    again, batch = send(workbook_again, XLSX, key="2")
    assert (batch["read"], batch["rejected"]) == (40, 40)
    first, second = (
        [(one["file_row"], one["field"], one["code"], one["value"]) for one in
         program.get(f"{at}/errors?limit=500").get_json()["errors"]]
        for at in (address, again)
    )  # fmt: skip
    assert first == second


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_becomes_a_formula_or_a_link(send, program, text):
    row = good_row(filing_ref="PO-F", mf_name=text, seller_name=text, hts="x")
    address, _ = send(csv_bytes([row]))
    content = program.get(f"{address}/errors", Accept=XLSX).data
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [
            archive.read(name)
            for name in archive.namelist()
            if "sheet" in name and name.endswith(".xml")
        ]
    assert not any(re.search(rb"<f[ >]|<hyperlink", part) for part in sheets)
    found, _ = cells(content)
    assert text in found[1]


def test_personal_numbers_and_invisible_characters_stay_out(send, program):
    row = good_row(
        importer_number=SSN, consignee_number="536904399", mf_name="Ha\u202enoi", hts="x"
    )
    address, _ = send(csv_bytes([row]))
    content = program.get(f"{address}/errors", Accept=XLSX).data
    unpacked = b"".join(parts_of(content).values())
    assert b"536" not in unpacked
    assert "\u202e".encode() not in unpacked
    found, _ = cells(content)
    assert found[1][COLUMNS.index("importer_number")] == "***-**-4399"


@pytest.mark.parametrize("media_type", [CSV, XLSX, NDJSON])
def test_every_format_of_rows_has_one(send, program, media_type):
    bad = good_row(hts="x")
    content = {
        CSV: csv_bytes([bad]),
        XLSX: workbook([bad]),
        NDJSON: b'{"filing_ref": "PO-1", "hts": "x"}\n{"broken\n',
    }[media_type]
    address, batch = send(content, media_type)
    found, notes = cells(program.get(f"{address}/errors", Accept=XLSX).data)
    assert len(found) == 1 + batch["rejected"]
    assert notes


def test_without_rejected_rows_or_before_the_check_there_is_none(send, program, scene, work_as):
    address, _ = send(csv_bytes(rows(2)))
    assert program.get(f"{address}/errors", Accept=XLSX).status_code == 404
    with work_as(TEST) as work:
        waiting = receive(work, scene.trader(work), csv_bytes(rows(1, start=5)), media_type=CSV).id
    assert program.get(f"/batches/{waiting}/errors", Accept=XLSX).status_code == 404
