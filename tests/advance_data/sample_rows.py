"""A filing that has nothing wrong with it, as texts by column, and files made of it."""

import csv
import io
from collections.abc import Iterable, Mapping

GOOD_ROW = {
    "filing_ref": "PO-2026/0417",
    "action": "A",
    "importer_number": "12-345678900",
    "consignee_number": "20-390340200",
    "bill_type": "OB",
    "bill_number": "MAEU123456789012",
    "container_number": "CSQU3054383",
    "hts": "8507.60.00.20",
    "country_of_origin": "VN",
    "mf_name": "Hanoi Cell Works",
    "mf_address": "12 Industrial Road",
    "mf_city": "Hanoi",
    "mf_country": "VN",
    "mf_duns": "123456789",
    "mid": "VNHANCEL12HAN",
    "seller_name": "Red River Trading",
    "buyer_name": "Blue Harbor Imports",
    "ship_to_name": "Blue Harbor Warehouse 2",
    "stuffing_country": "VN",
    "consolidator_name": "Delta Freight",
    "port_lading": "VNSGN",
    "port_unlading": "2704",
    "etd": "2026-06-20",
    "value_usd": "26453.09",
    "quantity": "712",
    "uom": "PCS",
}


def good_row(**changes: str) -> dict[str, str]:
    return {**GOOD_ROW, **changes}


def csv_bytes(
    rows: Iterable[Mapping[str, str]], columns: Iterable[str] = GOOD_ROW, line_end: str = "\n"
) -> bytes:
    columns = list(columns)
    rows = list(rows)
    text = io.StringIO(newline="")
    # The writer sees no need to quote a carriage return that is not part of its line end.
    returns = any("\r" in cell for row in rows for cell in row.values())
    writer = csv.writer(
        text, lineterminator=line_end, quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
    )
    writer.writerow(columns)
    writer.writerows([row[column] for column in columns] for row in rows)
    return text.getvalue().encode("utf-8")
