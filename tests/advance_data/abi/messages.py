"""Messages to test with, record by record; each line is what `Record.encode` makes of its fields."""

from app.advance_data.abi.records import RECORDS

NUMBER = "12-345678900"


def line(record: str, **values: str) -> str:
    return RECORDS[record].encode(values)


def header(**changes: str) -> str:
    values = {
        "submission_type": "1", "shipment_type": "01", "action": "A", "action_reason": "CT",
        "importer_qualifier": "EI", "importer_number": NUMBER, "transport_mode": "11",
        "vessel_scac": "MAEU", "bond_holder": NUMBER, "bond_activity": "01", "bond_type": "8",
    }  # fmt: skip
    return line("SF10", **{name: text for name, text in {**values, **changes}.items() if text})


def party(entity: str, name: str, city: str = "HANOI", country: str = "VN") -> list[str]:
    return [
        line("SF30", entity=entity, name=name),
        line("SF35", qualifier_1="15", text_1="12 INDUSTRIAL ROAD"),
        line("SF36", city=city, country=country),
    ]


PARTIES = {
    "IM": [line("SF30", entity="IM", id_qualifier="EI", id=NUMBER)],
    "CN": [line("SF30", entity="CN", id_qualifier="EI", id="20-390340200")],
    "SE": [line("SF30", entity="SE", id_qualifier="DUN", id="123456789")],
    "BY": party("BY", "BLUE HARBOR IMPORTS", "LOS ANGELES", "US"),
    "ST": [line("SF30", entity="ST", id_qualifier="FR", id="Y123")],
    "LG": party("LG", "HANOI CFS 3"),
    "CS": party("CS", "DELTA FREIGHT"),
    "MF": [
        *party("MF", "HANOI CELL WORKS"),
        line("SF40", hts="8507600020", country_of_origin="VN"),
        line("SF40", hts="850650", country_of_origin="VN"),
    ],
}


def isf10(bill: str = "MAEU123456789012", **changes: str) -> list[str]:
    """A filing of ten elements without a fault."""
    return [
        header(**changes),
        line("SF15", bill_type="BM", bill_number=bill),
        line("SF20", reference_qualifier="CR", reference="PO48213"),
        line("SF25", equipment_type="CN", initial="CSQU", serial="305438", check_digit="3",
             size_type="4500"),
        *(one for lines in PARTIES.values() for one in lines),
    ]  # fmt: skip


def isf5(bill: str = "MAEU5", **changes: str) -> list[str]:
    """A filing of five elements without a fault."""
    empty = {"bond_holder": "", "bond_activity": "", "bond_type": "", "transport_mode": ""}
    return [
        header(submission_type="2", **{**empty, **changes}),
        line("SF15", bill_type="OB", bill_number=bill),
        *party("BKP", "RED RIVER TRADING"),
        *party("ST", "TORONTO STORES", "TORONTO", "CA"),
        line("SF40", hts="850650"),
        line("SF50", unlading_qualifier="UN", port_unlading="CAHAL", delivery_qualifier="UN",
             place_of_delivery="CATOR"),
    ]  # fmt: skip


def deletion(number: str) -> list[str]:
    return [line("SF10", submission_type="1", shipment_type="01", action="D",
                 importer_qualifier="EI", importer_number=NUMBER, transaction_number=number)]  # fmt: skip


FILER = "ABC"


def message(*filings: list[str], end: str = "\r\n", filer: str = FILER) -> bytes:
    around = {"site": "5301", "filer": filer}
    lines = [
        line("A", **around, password="SECRET", date="112426", application="SF"),
        line("B", port="5301", filer=filer, application="SF"),
        *(one for filing in filings for one in filing),
        line("Y", port="5301", filer=filer, application="SF"),
        line("Z", **around, date="112426"),
    ]
    return "".join(f"{one}{end}" for one in lines).encode()
