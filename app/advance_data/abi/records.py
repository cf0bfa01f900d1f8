"""The records of the message, field by field: ISF chapter of July 2017, envelope of June 2023.

Both are known from transcriptions; `Basis` says for each record whether two agree or there is one.
"""

from typing import Final

from app.advance_data.abi.layout import Basis, Field, Kind, Record, Use, spaced

_A, _N, _AN, _X = Kind.ALPHA, Kind.NUMERIC, Kind.ALPHANUMERIC, Kind.ANY
_M, _C, _O = Use.MANDATORY, Use.CONDITIONAL, Use.OPTIONAL


def _record(identifier: str, title: str, basis: Basis, *fields: Field) -> Record:
    return Record(identifier, title, basis, spaced(*fields, start=len(identifier) + 1))


_ENVELOPE: Final = (
    _record(
        "A",
        "Transmission header",
        Basis.ONE,
        Field("site", 2, 5, _AN, _M),
        Field("filer", 6, 8, _AN, _M),
        Field("password", 9, 14, _X),
        Field("date", 15, 20, _N),
        Field("application", 26, 27, _AN, _M),
        Field("office", 38, 39, _AN, _C),
        Field("user_data", 60, 80, _X),
    ),
    _record(
        "B",
        "Block header",
        Basis.ONE,
        Field("port", 4, 7, _AN, _M),
        Field("filer", 8, 10, _AN, _M),
        Field("application", 11, 12, _AN, _M),
        Field("office", 45, 46, _AN),
        Field("preparer_port", 47, 50, _AN),
        Field("preparer", 51, 53, _AN),
        Field("preparer_office", 54, 55, _AN),
        Field("preparer_indicator", 56, 56, _AN),
        Field("user_data", 60, 80, _X),
    ),
    _record(
        "Y",
        "Block trailer",
        Basis.ONE,
        Field("port", 4, 7, _AN, _M),
        Field("filer", 8, 10, _AN, _M),
        Field("application", 11, 12, _AN, _M),
        # Filled in answers alone: how many records the block holds.
        Field("count", 13, 17, _N),
        Field("office", 45, 46, _AN),
    ),
    _record(
        "Z",
        "Transmission trailer",
        Basis.ONE,
        Field("site", 2, 5, _AN, _M),
        Field("filer", 6, 8, _AN, _M),
        Field("date", 15, 20, _N),
        Field("office", 38, 39, _AN, _C),
    ),
)

_FILING: Final = (
    _record(
        "SF10",
        "Header of a filing",
        Basis.TWO,
        Field("submission_type", 5, 5, _N, _M),
        Field("shipment_type", 6, 7, _N, _M),
        Field("action", 8, 8, _A, _M),
        Field("action_reason", 9, 10, _X, _C),
        Field("importer_qualifier", 11, 13, _X, _M),
        Field("importer_number", 14, 28, _X, _M),
        Field("importer_born", 29, 36, _N, _C),
        Field("transport_mode", 37, 38, _N),
        Field("transaction_number", 39, 53, _X, _C),
        Field("vessel_scac", 54, 57, _A),
        Field("bond_holder", 58, 72, _X, _C),
        Field("bond_activity", 73, 74, _N, _C),
        Field("bond_type", 75, 75, _N, _C),
        Field("country_of_issuance", 79, 80, _A, _C),
    ),
    _record(
        "SF13",
        "Shipment",
        Basis.ONE,
        Field("shipment_subtype", 5, 6, _X),
        Field("value_usd", 7, 17, _N),
        Field("quantity", 18, 28, _N),
        Field("uom", 29, 31, _X),
        Field("weight", 32, 42, _N),
        Field("weight_unit", 43, 43, _A),
    ),
    _record(
        "SF15",
        "Bill of lading",
        Basis.ONE,
        Field("bill_type", 5, 6, _AN, _M),
        Field("bill_number", 7, 56, _X, _M),
    ),
    _record(
        "SF20",
        "Reference",
        Basis.TWO,
        Field("reference_qualifier", 5, 7, _X, _M),
        Field("reference", 8, 57, _X, _M),
    ),
    _record(
        "SF25",
        "Equipment",
        Basis.TWO,
        Field("equipment_type", 5, 6, _AN, _M),
        Field("initial", 7, 10, _A, _M),
        Field("serial", 11, 25, _N, _M),
        Field("check_digit", 26, 26, _N, _C),
        Field("size_type", 27, 30, _AN),
    ),
    _record(
        "SF30",
        "Party",
        Basis.TWO,
        Field("entity", 5, 7, _X, _M),
        Field("name", 8, 42, _X, _C),
        Field("id_qualifier", 43, 45, _X, _C),
        Field("id", 46, 65, _X, _C),
        Field("passport_country", 66, 67, _A, _C),
        Field("born", 68, 75, _N, _C),
    ),
    _record(
        "SF31",
        "Second name of a party",
        Basis.TWO,
        Field("name_type", 5, 7, _X, _M),
        Field("name", 8, 42, _X, _M),
    ),
    _record(
        "SF35",
        "Address of a party",
        Basis.TWO,
        Field("qualifier_1", 5, 6, _X, _M),
        Field("text_1", 7, 41, _X, _M),
        Field("qualifier_2", 42, 43, _X, _C),
        Field("text_2", 44, 78, _X, _C),
    ),
    _record(
        "SF36",
        "Place of a party",
        Basis.TWO,
        Field("city", 5, 39, _X, _M),
        Field("subdivision", 40, 42, _X),
        Field("postal_code", 49, 63, _X),
        Field("country", 64, 65, _A, _M),
    ),
    _record(
        "SF40",
        "Goods",
        Basis.ONE,
        Field("hts", 5, 14, _N, _M, left=True),
        Field("country_of_origin", 15, 16, _A, _C),
    ),
    _record(
        "SF50",
        "Route of goods that do not stay",
        Basis.ONE,
        Field("unlading_qualifier", 5, 7, _X, _M),
        Field("port_unlading", 8, 22, _X, _M),
        Field("delivery_qualifier", 23, 25, _X, _M),
        Field("place_of_delivery", 26, 40, _X, _M),
    ),
)

_ANSWERS: Final = (
    _record(
        "SF90",
        "Outcome",
        Basis.ONE,
        Field("outcome", 5, 6, _N, _M),
        Field("code", 7, 9, _AN, _C),
        Field("narrative", 10, 49, _X, _M),
    ),
    _record("SA10", "Filing that a status is about", Basis.ONE, Field("number", 5, 19, _X, _M)),
    _record("SA20", "Sender's reference", Basis.ONE, Field("reference", 8, 57, _X)),
    _record("SA30", "Bill that a status is about", Basis.ONE, Field("bill", 5, 20, _X, _M)),
    _record(
        "SA50",
        "Status",
        Basis.ONE,
        Field("disposition", 5, 6, _AN, _M),
        Field("remarks", 7, 46, _X),
    ),
    _record(
        "X0",
        "Where an error is",
        Basis.ONE,
        Field("level", 4, 9, _A, _M),
        Field("occurrence", 11, 16, _N),
        Field("reference_label", 18, 24, _X),
        Field("reference", 26, 80, _X),
    ),
    _record(
        "X1",
        "What an error is",
        Basis.ONE,
        Field("rejected", 3, 3, _A),
        Field("final", 4, 4, _A),
        Field("code", 5, 7, _AN, _M),
        Field("reason", 10, 10, _AN),
        Field("narrative", 11, 50, _X),
    ),
)

RECORDS: Final = {one.id: one for one in (*_ENVELOPE, *_FILING, *_ANSWERS)}
FILING_RECORDS: Final = frozenset(one.id for one in _FILING)
ANSWER_RECORDS: Final = frozenset(one.id for one in _ANSWERS)
ENVELOPE_RECORDS: Final = frozenset(one.id for one in _ENVELOPE)


def record_of(line: str) -> Record | None:
    """The kind of record that a line is; `None` when its beginning says nothing that we know."""
    for length in (4, 2, 1):
        found = RECORDS.get(line[:length])
        if found is not None and len(found.id) == length:
            return found
    return None
