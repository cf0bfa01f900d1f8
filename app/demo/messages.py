"""Files of other formats for the demonstration: workbooks, and ABI messages with what they owe."""

import io
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Final

import xlsxwriter

from app.advance_data.abi.records import RECORDS
from app.advance_data.rows import COLUMNS

WRITTEN: Final = datetime(2026, 1, 5, tzinfo=UTC)
SITE: Final = "2704"
LONGEST_NAME: Final = 35
Row = Mapping[str, str]


def workbook(rows: Iterable[Row]) -> bytes:
    """The rows as a workbook, every cell a text, as the template says; the same bytes each time."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"created": WRITTEN})
    sheet = book.add_worksheet("Filings")
    for at, column in enumerate(COLUMNS):
        sheet.write_string(0, at, column)
    for number, row in enumerate(rows, 1):
        for at, column in enumerate(COLUMNS):
            sheet.write_string(number, at, row.get(column, ""))
    book.close()
    return out.getvalue()


def messages(rows: Iterable[Row], filer: str, day: date, reasons: str) -> bytes:
    """Each row as an ISF-10 that adds a filing.

    `reasons` is spread over them in turn: C is complete, T leaves stuffing location and
    consolidator open, R a range of manufacturers.
    """
    on = f"{day:%m%d%y}"
    lines = [
        _line("A", site=SITE, filer=filer, password="SECRET", date=on, application="SF"),  # noqa: S106
        _line("B", port=SITE, filer=filer, application="SF"),
    ]
    for number, row in enumerate(rows):
        lines += _isf10(row, reasons[number % len(reasons)])
    lines += [
        _line("Y", port=SITE, filer=filer, application="SF"),
        _line("Z", site=SITE, filer=filer, date=on),
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _isf10(row: Row, reason: str) -> list[str]:
    number = row["importer_number"]
    container = row["container_number"]
    lines = [
        _line(
            "SF10",
            submission_type="1",
            shipment_type="01",
            action="A",
            action_reason={"C": "CT", "T": "FT", "R": "FR"}[reason],
            importer_qualifier="EI",
            importer_number=number,
            transport_mode="11",
            vessel_scac=row["bill_number"][:4],
            bond_holder=number,
            bond_activity="01",
            bond_type="8",
        ),
        _line("SF15", bill_type=row["bill_type"], bill_number=row["bill_number"]),
        _line("SF20", reference_qualifier="CR", reference=row["filing_ref"]),
        _line(
            "SF25",
            equipment_type="CN",
            initial=container[:4],
            serial=container[4:10],
            check_digit=container[10:],
            size_type="4500",
        ),
        _line("SF30", entity="IM", id_qualifier="EI", id=number),
        _line("SF30", entity="CN", id_qualifier="EI", id=row["consignee_number"]),
        *_party("SE", row["seller_name"], row["mf_address"], row["mf_city"], row["mf_country"]),
        *_party("BY", row["buyer_name"], "1 HARBOR PLAZA", "LONG BEACH", "US"),
        *_party("ST", row["ship_to_name"], "1 HARBOR PLAZA", "LONG BEACH", "US"),
    ]
    if reason != "T":
        place = (row["mf_address"], row["mf_city"], row["stuffing_country"])
        lines += _party("LG", row["consolidator_name"], *place)
        lines += _party("CS", row["consolidator_name"], *place)
    lines += _party("MF", row["mf_name"], row["mf_address"], row["mf_city"], row["mf_country"])
    digits = row["hts"].replace(".", "")
    lines.append(_line("SF40", hts=digits, country_of_origin=row["country_of_origin"]))
    return lines


def _party(entity: str, name: str, street: str, city: str, country: str) -> list[str]:
    return [
        _line("SF30", entity=entity, name=_plain(name)),
        _line("SF35", qualifier_1="15", text_1=_plain(street)),
        _line("SF36", city=_plain(city), country=country),
    ]


def _plain(text: str) -> str:
    """As mainframes write it: capitals of ASCII, and no more than a field holds."""
    return text.encode("ascii", "ignore").decode().upper()[:LONGEST_NAME].strip()


def _line(record: str, **values: str) -> str:
    return RECORDS[record].encode(values)
