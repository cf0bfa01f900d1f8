"""What a fault calls a value of a message: the column of a CSV row that means the same, if any."""

from dataclasses import replace
from typing import Any, Final

from app.advance_data.faults import Place, RowFault, Severity, fault_of
from app.kernel.codes import CodeProblem

ROLES: Final = {
    "IM": "importer_of_record",
    "CN": "consignee",
    "SE": "seller",
    "BY": "buyer",
    "ST": "ship_to",
    "LG": "stuffing",
    "CS": "consolidator",
    "MF": "mf",
    "BKP": "booking_party",
}
# The one value of each party that is named apart, since a CSV row has a column for it.
_COLUMNS: Final = {
    ("CN", "id"): "consignee_number",
    ("IM", "id"): "importer_of_record",
    ("MF", "id"): "mf_duns",
}
# Which value stands for a party that is missing altogether.
MAIN: Final = {
    **{entity: f"{role}_name" for entity, role in ROLES.items()},
    "IM": "importer_of_record",
    "CN": "consignee_number",
    "LG": "stuffing_country",
}
PARTY_VALUES: Final = ("name", "id", "address", "city", "country")


def party_field(entity: str, name: str) -> str:
    """The name of a party's value, for example `seller_name`."""
    if name not in PARTY_VALUES or entity not in ROLES:
        return name
    return _COLUMNS.get((entity, name), f"{ROLES[entity]}_{name}")


def field_of(path: str, values: Any) -> str:  # noqa: ANN401 - texts in nested parts.
    """The field at a path such as `parties/0/name`, or at that of a whole part."""
    steps = path.split("/")
    names = [step for step in steps if not step.isdigit()]
    if steps[0] == "parties" and len(names) > 1 and names[1] in PARTY_VALUES:
        return party_field(values["parties"][int(steps[1])].get("entity", ""), names[1])
    return names[-1] if names else ""


def isf_fault(
    problem: CodeProblem,
    place: Place,
    *,
    field: str = "",
    value: str = "",
    severity: Severity = Severity.ERROR,
) -> RowFault:
    """A fault of a message; `place.record` is the record, which is the rule's place as well."""
    fault = fault_of(problem, place, field=field, value=value, severity=severity)
    return fault if fault.spec_ref else replace(fault, spec_ref=f"ISF chapter, {fault.record}")
