"""A body for every route that takes one, good enough that whoever may do it succeeds.

A form is read from the page on which it stands, as somebody who may see it sees it, with what its
controls hold; `TYPED` adds what a person would type. Whoever asks later sends the same body with a
form token of their own. So a refusal never comes from a body that nobody could send.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

from app.applications.eligibility import for_trader
from app.demo.accounts import ACCOUNTS
from app.traders.kinds import EntityType
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.facilitation.scenes import transaction
from tests.factories.documents import pdf
from tests.factories.identity import PASSWORD
from tests.factories.workbooks import first_words
from tests.guards.addresses import Cell
from tests.guards.scene import Ids

ELIGIBILITY = for_trader("security", EntityType.IMPORTER)
assert ELIGIBILITY is not None
NEW_PASSWORD = "nine silent lanterns"

PAGES = {
    "applications.sign": "applications.agreement",
    "applications.submit": "applications.check",
    "applications.move_criteria": "applications.criteria",
    "applications.settle_carried": "applications.carried",
    "applications.start": "applications.eligibility",
    "assessments.save_section": "assessments.section",
    "assessments.save": "assessments.section",
    "assessments.attach": "assessments.section",
    "assessments.detach": "assessments.section",
    "assessments.complete": "assessments.section",
    "assessments.share_out": "assessments.owners",
    "assessments.upload_workbook": "assessments.workbook",
    "assessments.apply_workbook": "assessments.workbook_differences",
    "assessments.discard_workbook": "assessments.workbook_differences",
    "advance_data.correct": "advance_data.row",
    "advance_data.receive": "advance_data.upload",
    "advance_data.tell_voyage": "advance_data.voyage",
    "casework.judge": "casework.section",
    "casework.release": "casework.case",
    "casework.take": "casework.case",
    "casework.stop_waiting": "casework.requests",
    "casework.resolve": "casework.conflict",
    "casework.approve": "casework.determination",
    "casework.decline": "casework.determination",
    "casework.withdraw_proposal": "casework.determination",
    "successions.approve": "successions.show",
    "successions.decline": "successions.show",
    "successions.withdraw": "successions.show",
    "casework.publish_catalogue": "casework.catalogue",
    "casework.decline_catalogue": "casework.catalogue",
    "casework.withdraw_catalogue": "casework.catalogue",
    "casework.verify_identifier": "casework.refuse_identifier",
    "documents.remove": "documents.index",
    "webhooks.send_test": "webhooks.show",
    "webhooks.redeliver": "webhooks.delivery",
    "crosswalk.accept": "crosswalk.offers",
    "assessments.talk_about": "assessments.section",
    "comments.close": "comments.ask",
    "documents.describe": "documents.show",
    "plans.change": "plans.action",
    "plans.begin": "plans.action",
    "plans.finish": "plans.action",
    "plans.drop": "plans.action",
    "plans.reopen": "plans.action",
}
"""The page on which a form stands, where that has another address than the form is sent to."""

COMPANY = {
    "name": "Third Company LLC",
    "country": "US",
    "address_line": "3 Third Street",
    "city": "Oakland",
    "region": "CA",
    "postal_code": "94607",
    "office_country": "US",
    "imported_within_year": "True",
}
SITE = {
    **{name: COMPANY[name] for name in ("country", "address_line", "city", "region")},
    "postal_code": "94607",
    "name": "Third warehouse",
    "kind": "warehouse",
}
CONTACT = {
    "name": "Third Person",
    "role": "Head of security",
    "position": "officer",
    "email": "third@example.com",
    "phone": "+1 310 555 0199",
}
BOND = {
    "kind": "continuous",
    "number": "240100999",
    "surety": "Third Surety",
    "activity_code": "1",
    "amount": "50,000",
    "valid_from": "2024-01-01",
}
DETERMINATION = {"reason_text": "As found at the visit.", "step": "send"}

Typed = Mapping[str, Any] | Callable[[Ids], Mapping[str, Any]]
TYPED: dict[str, Typed] = {
    "advance_data.correct": {"hts": "8507.60.00.20", "do": "file"},
    "advance_data.tell_voyage": {"arrives_at": "2027-01-20T08:00"},
    "identity.change_password": {"present": PASSWORD, "password": NEW_PASSWORD},
    "identity.sign_in_with_password": {
        "email": "officer@brightwater.example",
        "password": PASSWORD,
    },
    "identity.sign_up_with_password": {
        "name": "Nia New",
        "email": "nia@example.net",
        "password": NEW_PASSWORD,
    },
    "identity.send_reset": {"email": "officer@brightwater.example"},
    "identity.reset_with_password": {"password": NEW_PASSWORD},
    "identity.recover_with_password": {"password": PASSWORD},
    "identity.verify_with_password": {"password": PASSWORD},
    "identity.join_with_password": {"name": "Jo Joiner", "password": NEW_PASSWORD},
    "demo.sign_in": {"account": ACCOUNTS[0].key},
    "traders.register": {"entity_type": "importer", **COMPANY},
    "traders.company": {"city": "Alameda"},
    "traders.add_site": SITE,
    "traders.site": {"city": "Alameda"},
    "traders.add_contact": CONTACT,
    "traders.contact": {"phone": "+1 310 555 0177"},
    "traders.record_bond": BOND,
    "traders.bond": {"number": "240100777"},
    "traders.claim": {"value": "39-000012300"},
    "traders.invite": {"email": "invited@example.com", "role": "viewer"},
    "traders.appointment": {"role": "preparer"},
    "api_access.register": {"name": "Third system", "scopes": "filings:read"},
    "agency_clients.register": {"name": "Third system", "scopes": "status:read"},
    "verifications.ask": {"number": "55-555555500"},
    "webhooks.register": {"name": "Third receiver", "address": "http://localhost:9/third"},
    "agency_clients.set_quota": {"per_minute": "60", "per_day": "5000"},
    "gaps.make": {
        "criteria": "1.3",
        "owner": lambda ids: ids["officer.id"],
        "due_on": "2027-03-01",
    },
    "crosswalk.accept": {"words": "y"},
    "documents.describe": {"expires_on": "2027-03-01"},
    "comments.say": {"body": "I shall look it up."},
    "comments.answer": {"body": "Third Person knows."},
    "plans.finish": lambda ids: {"proof": ids["revision_id"]},
    "plans.drop": {"reason": "We closed the site."},
    "applications.sign": {"agreed": "y", "name": lambda ids: ids["officer.name"]},
    "applications.submit": {"declared": "y", "name": lambda ids: ids["officer.name"]},
    "applications.settle_carried": lambda ids: {
        "question": ids["carried.question_id"],
        "act": "confirm",
    },
    "applications.check_eligibility": {one.id: one.passes for one in ELIGIBILITY.questions},
    "applications.task": {"reply": "The contacts are as they should be."},
    "assessments.complete": {"completed": "no"},
    "assessments.share_out": {"due.1": "2027-03-01"},
    "delegations.accept": {"agreed": "y"},
    "casework.judge": {"verdict": "returned", "comment": "Say how."},
    "casework.ask": lambda _ids: {
        "message": "Tell us more.",
        "due_on": date(2026, 12, 24).isoformat(),
    },
    "casework.resolve": {"reason": "It is theirs."},
    "casework.decline": {"reason": "Not yet."},
    "casework.refuse_identifier": {"reason": "It is not theirs."},
    "casework.recommend": DETERMINATION,
    "casework.change_standing": DETERMINATION,
    "casework.suspend_now": DETERMINATION,
    "successions.propose": {
        "ground": "left",
        "reason": "The owner wrote to us.",
        "officer_name": "Third Person",
        "officer_email": "third@example.com",
    },
    "successions.decline": {"reason": "Not shown."},
    "casework.propose_catalogue": {"note": "The programme opens."},
    "casework.decline_catalogue": {"reason": "Too early."},
}
WITHOUT_PAGE = {"demo.sign_in", "casework.propose_catalogue"}
"""Forms that stand on a page of which the scene does not hold what they need."""
PICKED = {
    "casework.resolve": "keep",
    "casework.recommend": "reason_code",
    "casework.change_standing": "reason_code",
    "casework.suspend_now": "reason_code",
}
"""A radio button of which none is chosen on the page: the first is."""


@dataclass
class FoundForm:
    """One form of a page: where it goes, and what it would send."""

    action: str
    values: dict[str, Any] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    """Name, value and own address of each button that has any."""

    def put(self, name: str, value: str) -> None:
        """A name that stands twice sends a list, as a browser does."""
        if name in self.values:
            before = self.values[name]
            self.values[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            self.values[name] = value


class FormReader(HTMLParser):
    """Collects the forms of a page that are sent by POST, with what their controls hold."""

    def __init__(self, here: str) -> None:
        super().__init__()
        self.here, self.forms = here, []
        self.form: FoundForm | None = None
        self.area: tuple[str, list[str]] | None = None
        self.select: tuple[str, bool, list[tuple[str, bool]]] | None = None

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in pairs}
        name = given.get("name", "")
        if tag == "form":
            self.form = FoundForm(given.get("action") or self.here)
            if given.get("method", "").lower() == "post":
                self.forms.append(self.form)
        elif self.form is None or "disabled" in given:
            return
        elif tag == "button":
            self.form.buttons.append((name, given.get("value", ""), given.get("formaction", "")))
        elif tag == "textarea":
            self.area = (name, [])
        elif tag == "select":
            self.select = (name, "multiple" in given, [])
        elif tag == "option" and self.select is not None:
            self.select[2].append((given.get("value", ""), "selected" in given))
        elif tag == "input" and name:
            self._input(self.form, name, given)

    @staticmethod
    def _input(form: FoundForm, name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "text")
        if kind in {"radio", "checkbox"}:
            form.choices.setdefault(name, []).append(given.get("value", "on"))
            if "checked" in given:
                form.put(name, given.get("value", "on"))
        elif kind != "file":
            form.put(name, given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.area[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "textarea" and self.area is not None and self.form is not None:
            self.form.put(self.area[0], "".join(self.area[1]).removeprefix("\n"))
            self.area = None
        elif tag == "select" and self.select is not None and self.form is not None:
            name, several, options = self.select
            chosen = [value for value, selected in options if selected]
            for value in chosen or ([] if several else [value for value, _ in options[:1]]):
                self.form.put(name, value)
            self.select = None


def forms_of(page: str, here: str) -> list[FoundForm]:
    reader = FormReader(here)
    reader.feed(page)
    return reader.forms


Button = tuple[str, str, str]


def sent_to(address: str, forms: list[FoundForm]) -> tuple[FoundForm, Button | None] | None:
    """The form that goes to `address`, by itself or by one of its buttons."""
    for one in forms:
        if one.action.split("?")[0] == address:
            return one, next((b for b in one.buttons if b[0] and not b[2]), None)
    for one in forms:
        for button in one.buttons:
            if button[2].split("?")[0] == address:
                return one, button
    return None


def own_body(cell: Cell, ids: Ids, forms: list[FoundForm], address: str) -> dict[str, Any] | None:
    """What a person sends to `address`; `None` when no page of `forms` sends anything there."""
    endpoint = cell.rule.endpoint
    sent = sent_to(address.removesuffix("/save"), forms)
    if sent is None and endpoint in WITHOUT_PAGE:
        sent = FoundForm(address, {"csrf_token": ""}), None
    if sent is None:
        return None
    found, button = sent
    data = dict(found.values)
    if button is not None and button[0] and endpoint not in TYPED:
        data[button[0]] = button[1]
    picked = PICKED.get(endpoint)
    if picked and picked in found.choices:
        data.setdefault(picked, found.choices[picked][0])
    typed = TYPED.get(endpoint, {})
    typed = typed(ids) if callable(typed) else typed
    # Two forms of one page have prefixes before their names.
    token = next((name for name in data if name.endswith("csrf_token")), "csrf_token")
    prefix = token.removesuffix("csrf_token")
    data |= {
        prefix + name: value(ids) if callable(value) else value for name, value in typed.items()
    }
    return filled(endpoint, ids, data)


def filled(endpoint: str, ids: Ids, data: dict[str, Any]) -> dict[str, Any]:
    """The form with its files, and as the page's script sends it where a script does."""
    body: dict[str, Any] = {"data": data}
    match endpoint:
        case "assessments.save":
            body["query_string"] = {"criterion": ids["criterion_id"]}
            body["headers"] = {"HX-Request": "true", "HX-Request-Type": "partial"}
            data[next(name for name in data if name.endswith("how_met"))] = "By a new lock."
        case "assessments.attach":
            data["criterion"] = ids["criterion_id"]
            data[f"file.{ids['criterion_id']}"] = (pdf("More"), "more.pdf")
        case "delegations.accept":
            data["file"] = (pdf("Authority"), "authority.pdf")
        case "successions.propose":
            data["file"] = (pdf("The owner's letter"), "letter.pdf")
            body["content_type"] = "multipart/form-data"
        case "assessments.upload_workbook":
            filled_in = first_words(ids["assessment_id"], "By a workbook.")
            data["file"] = (filled_in, "filled.xlsx")
        case "assessments.detach":
            data["evidence"] = ids["evidence_id"]
        case "casework.ask":
            data["tasks"] = "contacts"
        case "advance_data.receive":
            row = good_row(filing_ref="NEW-1", importer_number=ids["value"])
            data["file"] = (csv_bytes([row]), "new.csv")
    if (
        endpoint.startswith(("assessments.", "advance_data.", "delegations."))
        and "headers" not in body
    ):
        body["content_type"] = "multipart/form-data"
    return body


def api_body(endpoint: str, ids: Ids, key: UUID) -> dict[str, Any] | None:
    """What a program sends."""
    row = good_row(filing_ref="API-1", importer_number=ids["value"])
    header = {"Idempotency-Key": str(key)}
    token = {"data": {"token": "no-token-at-all"}}
    return {
        "status_api.decide": {"json": {"transactions": [transaction(transaction_id="NEW-1")]}},
        "status_api.statuses": {
            "json": {"identifiers": [{"scheme": "ior", "value": ids["value"]}]}
        },
        "trader_api.file_one": {"json": row, "headers": header},
        "trader_api.send_batch": {
            "data": csv_bytes([row]),
            "content_type": "text/csv",
            "headers": header,
        },
        "oauth.token": {"data": {"grant_type": "client_credentials"}},
        "oauth.revoke": token,
        "oauth.introspect": token,
    }.get(endpoint)
