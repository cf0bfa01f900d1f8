"""Rules of one message: every error and every warning it has, not the first.

Values are judged by the types of a CSV row (`model`), what the parts must be together by the rules
here. Rules: 19 CFR 149.2 to 149.5, ISF chapter of July 2017.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from app.advance_data.abi.fields import MAIN, field_of, isf_fault, party_field
from app.advance_data.abi.grouping import ISF_5
from app.advance_data.abi.model import (
    IMPORTER_QUALIFIER,
    IsfDeletion,
    IsfFiling,
    RawMessage,
    Spot,
)
from app.advance_data.abi.texts import (
    ALLOWED_IDS,
    BOND,
    BOND_ACTIVITIES,
    BOND_TYPES,
    BONDED,
    CODES,
    EITHER,
    ENTITY,
    FIRMS_UNKNOWN,
    FLEXIBLE,
    IDENTIFIED,
    IM_MISMATCH,
    IM_TWICE,
    INCOMPLETE,
    MISSING_RECORD,
    NO_CHECK_DIGIT,
    NO_NUMBER,
    ONE_BOND,
    ONLY_HEADER,
    PARTY_ID,
    PLAIN_SHIPMENT,
    REQUIRED_PARTIES,
    UNDER_NUMBER,
)
from app.advance_data.faults import MISSING, NAME, Place, RowFault, Severity
from app.advance_data.rows import Action
from app.advance_data.rules import (
    HS_UNKNOWN,
    NO_LISTS,
    ORIGIN_MISMATCH,
    PORT_UNKNOWN,
    CheckedRow,
    Claim,
    KnownCodes,
)
from app.kernel import codes
from app.kernel.codes import CodeProblem
from app.kernel.identifiers import Identifier, Scheme

# What is wrong, with the path of its value, the record it belongs to if that is missing, and the
# field if the path names none.
_Finding = tuple[str, CodeProblem, str, str]


def check_message(raw: RawMessage, known: KnownCodes = NO_LISTS) -> CheckedRow:
    """Return the message's filing or None, and all its faults in the order of the lines.

    Of a message whose records are not a filing's (a fault without a field) only that is said: the
    values may belong elsewhere.
    """
    if any(not fault.field for fault in raw.faults):
        return CheckedRow(raw, None, raw.faults)
    values = raw.values
    deletes = values.get("action") == Action.DELETE
    model: type[IsfDeletion] = IsfDeletion if deletes else IsfFiling
    given = (
        {name: values[name] for name in IsfDeletion.model_fields if name in values}
        if deletes
        else {name: value for name, value in values.items() if name not in _UNKEPT}
    )
    filing: IsfFiling | IsfDeletion | None = None
    faults = list(raw.faults)
    told = {(fault.line_no, fault.field) for fault in faults}
    findings: list[_Finding] = []
    rules = _DELETION_RULES if deletes else _RULES
    # The rules come first: of the same value the chapter's own number says more.
    findings += [found for rule in rules for found in rule(values)]
    try:
        filing = model.model_validate(given)
    except ValidationError as error:
        findings += _value_findings(error)
    for path, problem, record, name in findings:
        spot = raw.spot(path)
        if record:
            spot = Spot(spot.line_no, record)
        named = name or field_of(path, values)
        if (spot.line_no, named) not in told:
            told.add((spot.line_no, named))
            faults.append(_fault(raw, spot, problem, named, _text(values, path)))
    if not any(fault.severity is Severity.ERROR for fault in faults):
        faults += [
            _fault(raw, raw.spot(path), problem, field_of(path, values), _text(values, path),
                   Severity.WARNING)
            for path, problem in _remarks(values, known)
        ]  # fmt: skip
    else:
        filing = None
    faults.sort(key=lambda fault: fault.line_no)
    return CheckedRow(raw, filing, tuple(faults))


def claim_of_message(row: CheckedRow, raw: RawMessage) -> Claim:
    """Return what the message claims of the register and of earlier filings."""
    if any(not fault.field for fault in raw.faults):
        return Claim(None, None, None)
    wrong = {fault.field for fault in row.faults if fault.severity is Severity.ERROR}
    values = raw.values
    importer = None
    if not wrong & {"importer_number", "importer_qualifier"}:
        scheme = Scheme.SCAC if values["importer_qualifier"] == "2" else Scheme.IOR
        importer = Identifier(scheme, codes.canonical(values["importer_number"]))
    return Claim(
        None if "filing_ref" in wrong else values.get("filing_ref"),
        None if "action" in wrong else Action(values["action"]),
        importer,
    )


# Of a passport and a birth nothing is kept.
_UNKEPT: Final = frozenset({"importer_born", "country_of_issuance"})


def _fault(
    raw: RawMessage,
    spot: Spot,
    problem: CodeProblem,
    named: str,
    value: str,
    severity: Severity = Severity.ERROR,
) -> RowFault:
    place = Place(raw.file_row, spot.line_no, spot.record)
    return isf_fault(problem, place, field=named, value=value, severity=severity)


def _text(values: Any, path: str) -> str:  # noqa: ANN401 - texts in nested parts.
    for step in path.split("/"):
        if isinstance(values, list):
            values = values[int(step)]
        elif isinstance(values, Mapping):
            values = values.get(step, "")
    return values if isinstance(values, str) else ""


def _value_findings(error: ValidationError) -> Iterator[_Finding]:
    for detail in error.errors(include_url=False, include_input=False):
        path = "/".join(str(step) for step in detail["loc"])
        if detail["type"] == "missing":
            yield path, MISSING, "", ""
        else:
            yield path, CodeProblem(detail["type"], detail["msg"], detail["ctx"]["fix"]), "", ""


def _header(values: Mapping[str, Any]) -> Iterator[_Finding]:
    for name, (allowed, problem) in CODES.items():
        given = values.get(name, "")
        if given and given not in allowed:
            yield name, problem, "", ""
    if values.get("submission_type") in ISF_5:
        if values.get("shipment_type", "01") != "01":
            yield "shipment_type", PLAIN_SHIPMENT, "", ""
    elif values.get("importer_qualifier") == "2":
        yield "importer_qualifier", IMPORTER_QUALIFIER, "", ""
    if values.get("action") == Action.ADD and "filing_ref" in values:
        yield "filing_ref", NO_NUMBER, "", ""
    if values.get("action") == Action.REPLACE and "filing_ref" not in values:
        yield "filing_ref", UNDER_NUMBER, "", ""


def _deletion(values: Mapping[str, Any]) -> Iterator[_Finding]:
    if "filing_ref" not in values:
        yield "filing_ref", UNDER_NUMBER, "", ""
    for name in ("shipment", "bills", "references", "equipment", "parties", "goods", "route"):
        if name in values:
            path = name if name in {"shipment", "route"} else f"{name}/0"
            yield path, ONLY_HEADER, "", name


def _parts(values: Mapping[str, Any]) -> Iterator[_Finding]:
    five = values.get("submission_type") in ISF_5
    if "bills" not in values:
        yield "", MISSING_RECORD, "SF15", "bill_number"
    if values.get("shipment_type") == "11" and "shipment" not in values:
        yield "", MISSING_RECORD, "SF13", "value_usd"
    if five:
        if "shipment" in values:
            yield "shipment", ONLY_HEADER, "", "shipment"
        if not values.get("goods"):
            yield "", MISSING_RECORD, "SF40", "hts"
        if "route" not in values:
            yield "", MISSING_RECORD, "SF50", "port_unlading"


def _bond(values: Mapping[str, Any]) -> Iterator[_Finding]:
    if values.get("submission_type") in ISF_5:
        return
    if values.get("shipment_type") in BONDED:
        for name in ("bond_holder", "bond_activity", "bond_type"):
            if name not in values:
                yield name, BOND[name], "", ""
    activity, kind = values.get("bond_activity", ""), values.get("bond_type", "")
    if activity and activity not in BOND_ACTIVITIES:
        yield "bond_activity", BOND["bond_activity"], "", ""
    if kind and kind not in BOND_TYPES:
        yield "bond_type", BOND["bond_type"], "", ""
    if kind == "9":
        named = {one.get("reference_qualifier") for one in values.get("references", ())}
        if activity != "16" or not {"V1", "SBN"} <= named:
            yield "bond_type", ONE_BOND, "", ""


def _parties(values: Mapping[str, Any]) -> Iterator[_Finding]:
    five = values.get("submission_type") in ISF_5
    parties = values.get("parties", [])
    there = [party.get("entity", "") for party in parties]
    spared = FLEXIBLE.get(values.get("action_reason", ""), frozenset())
    for entity in REQUIRED_PARTIES[five]:
        if entity not in there and entity not in spared:
            yield "", MISSING_RECORD, "SF30", MAIN[entity]
    for index, party in enumerate(parties):
        path = f"parties/{index}"
        entity = party.get("entity", "")
        if entity and entity not in ALLOWED_IDS:
            yield f"{path}/entity", ENTITY, "", "entity"
            continue
        if entity == "IM" and entity in there[:index]:
            yield path, IM_TWICE, "", MAIN["IM"]
        yield from _party(path, entity, party)
        if entity == "MF" and not five:
            goods = party.get("goods", [])
            if not goods:
                yield path, MISSING_RECORD, "SF40", "hts"
            for number, one in enumerate(goods):
                if "country_of_origin" not in one:
                    yield f"{path}/goods/{number}/country_of_origin", MISSING, "", ""


def _party(path: str, entity: str, party: Mapping[str, Any]) -> Iterator[_Finding]:
    qualifier = party.get("id_qualifier", "")
    identified = "id" in party
    if qualifier and qualifier not in ALLOWED_IDS[entity]:
        yield f"{path}/id_qualifier", PARTY_ID, "", party_field(entity, "id")
    if identified != bool(qualifier):
        yield f"{path}/id", IDENTIFIED, "", party_field(entity, "id")
    if entity in {"CN", "IM"}:
        if not identified and not qualifier:
            yield f"{path}/id", MISSING, "", party_field(entity, "id")
        return
    located = "address" in party or "city" in party
    if identified and (located or ("name" in party and qualifier != "34")):
        yield f"{path}/id", EITHER, "", party_field(entity, "id")
    elif not identified and not qualifier:
        if not any(map(str.isalnum, party.get("name", ""))):
            yield f"{path}/name", NAME, "", party_field(entity, "name")
        if "address" not in party:
            yield path, INCOMPLETE, "SF35", party_field(entity, "address")
        if "city" not in party:
            yield path, INCOMPLETE, "SF36", party_field(entity, "city")


def _remarks(values: Mapping[str, Any], known: KnownCodes) -> Iterator[tuple[str, CodeProblem]]:
    """What looks unusual about a filing without an error."""
    for index, bill in enumerate(values.get("bills", ())):
        if long := codes.bill_number_warning(bill["bill_number"].strip()):
            yield f"bills/{index}/bill_number", long
    for index, party in enumerate(values.get("parties", ())):
        path = f"parties/{index}"
        if party["entity"] == "IM" and party.get("id") != values["importer_number"]:
            yield f"{path}/id", IM_MISMATCH
        if party.get("id_qualifier") == "FR" and _unlisted(party["id"], known.firms):
            yield f"{path}/id", FIRMS_UNKNOWN
        yield from _remarks_on_goods(path, party, known)
    route = values.get("route", {})
    for name, qualifier in _PORTS:
        ports = {"K": known.schedule_k, "UN": known.unlocodes}.get(route.get(qualifier, ""))
        if name in route and _unlisted(route[name], ports):
            yield f"route/{name}", PORT_UNKNOWN


def _remarks_on_goods(
    path: str, party: Mapping[str, Any], known: KnownCodes
) -> Iterator[tuple[str, CodeProblem]]:
    for number, goods in enumerate(party.get("goods", ())):
        if special := codes.hts_warning(goods["hts"]):
            yield f"{path}/goods/{number}/hts", special
        if known.hs6 is not None and codes.hts_digits(goods["hts"])[:6] not in known.hs6:
            yield f"{path}/goods/{number}/hts", HS_UNKNOWN
        made_in = party.get("country")
        if made_in and goods.get("country_of_origin", made_in) != made_in:
            yield f"{path}/goods/{number}/country_of_origin", ORIGIN_MISMATCH


_PORTS: Final = (
    ("port_unlading", "unlading_qualifier"),
    ("place_of_delivery", "delivery_qualifier"),
)


def _unlisted(code: str, listed: Container[str] | None) -> bool:
    return listed is not None and codes.canonical(code) not in listed


def _containers(values: Mapping[str, Any]) -> Iterator[_Finding]:
    for index, one in enumerate(values.get("equipment", ())):
        number = one.get("container_number", "")
        if number and len(number) == _WITHOUT_CHECK_DIGIT:
            yield f"equipment/{index}/container_number", NO_CHECK_DIGIT, "", ""


_WITHOUT_CHECK_DIGIT: Final = 10
_RULES: Final[tuple[Callable[[Mapping[str, Any]], Iterator[_Finding]], ...]] = (
    _header, _parts, _bond, _parties, _containers,
)  # fmt: skip
_DELETION_RULES: Final = (_header, _deletion)
