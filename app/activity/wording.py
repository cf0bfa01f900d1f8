"""What a trader is told of the record: an allow-list of kinds, each with its sentence.

What stands in neither table is told to nobody outside the agency, and a test fails until somebody
has decided on it. Of the agency's people a trader is told the role and never the name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from flask_babel import lazy_gettext as _l

from app.audit.tags import EventTag as Tag


class Side(StrEnum):
    """In which capacity somebody acted."""

    OWN = "own"
    BROKER = "broker"
    AGENCY = "agency"
    SYSTEM = "system"


class Area(StrEnum):
    """The kinds that a filter offers."""

    LOOKED = "looked"
    COMPANY = "company"
    PEOPLE = "people"
    APPLICATION = "application"
    FILINGS = "filings"
    STANDING = "standing"


@dataclass(frozen=True, slots=True)
class Told:
    """One kind of event as a trader reads it; `agency` when only the agency's people do it."""

    area: Area
    words: str
    agency: bool = False


_C, _P, _A, _F, _S = Area.COMPANY, Area.PEOPLE, Area.APPLICATION, Area.FILINGS, Area.STANDING

TOLD: Final[Mapping[Tag, Told]] = {
    Tag.TRADER_REGISTERED: Told(_C, _l("Registered the company")),
    Tag.TRADER_PROFILE_CHANGED: Told(_C, _l("Changed the company's details")),
    Tag.IDENTIFIER_CLAIMED: Told(_C, _l("Claimed an identifier (%(scheme)s)")),
    Tag.IDENTIFIER_WITHDRAWN: Told(_C, _l("Withdrew an identifier (%(scheme)s)")),
    Tag.IDENTIFIER_VERIFIED: Told(_C, _l("Verified an identifier (%(scheme)s)"), agency=True),
    Tag.IDENTIFIER_REFUSED: Told(_C, _l("Did not accept an identifier (%(scheme)s)"), agency=True),
    Tag.BOND_RECORDED: Told(_C, _l("Recorded a customs bond")),
    Tag.SITE_ADDED: Told(_C, _l("Added a site")),
    Tag.SITE_CHANGED: Told(_C, _l("Changed a site")),
    Tag.SITE_REMOVED: Told(_C, _l("Removed a site")),
    Tag.CONTACT_ADDED: Told(_C, _l("Added a contact")),
    Tag.CONTACT_CHANGED: Told(_C, _l("Changed a contact")),
    Tag.CONTACT_REMOVED: Told(_C, _l("Removed a contact")),
    Tag.PERSON_INVITED: Told(_P, _l("Invited somebody to act for the company")),
    Tag.APPOINTMENT_ACCEPTED: Told(_P, _l("Accepted the invitation to act for the company")),
    Tag.APPOINTMENT_CHANGED: Told(_P, _l("Changed somebody's role")),
    Tag.APPOINTMENT_ENDED: Told(_P, _l("Ended somebody's appointment")),
    Tag.OFFICER_INVITED: Told(_P, _l("Invited a new officer"), agency=True),
    Tag.ROLE_CHANGED_BY_AGENCY: Told(_P, _l("Changed somebody's role"), agency=True),
    Tag.APPOINTMENT_ENDED_BY_AGENCY: Told(
        _P, _l("Ended an appointment or an invitation"), agency=True
    ),
    Tag.SUCCESSION_PROPOSED: Told(
        _P, _l("Proposed a new officer for the company (%(reference)s)"), agency=True
    ),
    Tag.SUCCESSION_APPROVED: Told(
        _P, _l("Approved the new officer of the company (%(reference)s)"), agency=True
    ),
    Tag.SUCCESSION_DECLINED: Told(
        _P, _l("Declined the new officer; nothing changed (%(reference)s)"), agency=True
    ),
    Tag.SUCCESSION_WITHDRAWN: Told(
        _P, _l("Took back its proposal of a new officer (%(reference)s)"), agency=True
    ),
    Tag.DELEGATION_OFFERED: Told(_P, _l("Offered a delegation to a broker")),
    Tag.DELEGATION_ASKED: Told(_P, _l("Asked for a delegation")),
    Tag.DELEGATION_ACCEPTED: Told(_P, _l("Accepted a delegation")),
    Tag.DELEGATION_DECLINED: Told(_P, _l("Declined a delegation")),
    Tag.DELEGATION_REVOKED: Told(_P, _l("Revoked a delegation")),
    Tag.VERIFICATION_ASKED: Told(_S, _l("Asked to see whether a company is a partner")),
    Tag.VERIFICATION_SHOWN: Told(_S, _l("A company began to show whether it is a partner")),
    Tag.VERIFICATION_CHANGED: Told(_S, _l("Told of a change at a company that shows its status")),
    Tag.VERIFICATION_LAPSED: Told(_S, _l("A question about a company was not answered in time")),
    Tag.VERIFICATION_WITHDRAWN: Told(_S, _l("Took a question about a company back")),
    Tag.VERIFICATION_ENDED: Told(_S, _l("A company no longer shows whether it is a partner")),
    Tag.CONSENT_ASKED: Told(_S, _l("A company asked whether this one is a partner")),
    Tag.CONSENT_GIVEN: Told(_S, _l("Consented to show a company whether this one is a partner")),
    Tag.CONSENT_DECLINED: Told(_S, _l("Declined to show a company whether this one is a partner")),
    Tag.CONSENT_LAPSED: Told(_S, _l("A company's question was not answered in time")),
    Tag.CONSENT_ENDED: Told(_S, _l("No longer shows a company whether this one is a partner")),
    Tag.CONSENT_CLOSED: Told(_S, _l("A company took its question back")),
    Tag.CLIENT_CREATED: Told(_P, _l("Set up a program that may use the traders' API"), agency=True),
    Tag.CLIENT_REVOKED: Told(_P, _l("Revoked a program's access to the traders' API")),
    Tag.CLIENT_SUSPENDED: Told(_P, _l("Suspended a program's access to the traders' API")),
    Tag.CLIENT_WOKEN: Told(_P, _l("Gave a program its access to the traders' API back")),
    Tag.CLIENT_WARNED: Told(_P, _l("Warned that a program has not been used for long")),
    Tag.CLIENT_QUOTA_SET: Told(_P, _l("Set how often a program may ask"), agency=True),
    Tag.CREDENTIAL_ADDED: Told(_P, _l("Gave a program a new secret or key")),
    Tag.CREDENTIAL_ENDED: Told(_P, _l("Ended a program's secret or key")),
    Tag.DOCUMENT_STORED: Told(_A, _l("Uploaded a document")),
    Tag.DOCUMENT_SCANNED: Told(_A, _l("Checked a document for viruses")),
    Tag.DOCUMENT_REMOVED: Told(_A, _l("Removed a document")),
    Tag.DOCUMENT_DESCRIBED: Told(
        _A, _l("Said until when a document holds, and whether it is confidential")
    ),
    Tag.ASSESSMENT_STARTED: Told(_A, _l("Started the self-assessment")),
    Tag.ASSESSMENT_LOCKED: Told(_A, _l("Locked the self-assessment for the submission")),
    Tag.ASSESSMENT_MOVED: Told(
        _A, _l("Moved the self-assessment to version %(to_version)s of the criteria")
    ),
    Tag.CARRIED_SET_ASIDE: Told(_A, _l("Set carried answers aside")),
    Tag.ASSESSMENT_REOPENED: Told(_A, _l("Opened the self-assessment again")),
    Tag.ANSWERS_SAVED: Told(_A, _l("Saved answers of the self-assessment")),
    Tag.WORKBOOK_RECEIVED: Told(_A, _l("Uploaded a workbook of the self-assessment")),
    Tag.WORKBOOK_APPLIED: Told(_A, _l("Took answers from a workbook into the self-assessment")),
    Tag.WORKBOOK_DISCARDED: Told(_A, _l("Put away a workbook of the self-assessment")),
    Tag.SECTIONS_SHARED_OUT: Told(_A, _l("Said who looks after which section")),
    Tag.SECTION_COMPLETED: Told(_A, _l("Marked a section of the self-assessment complete")),
    Tag.SECTION_REOPENED: Told(_A, _l("Reopened a section of the self-assessment")),
    Tag.EVIDENCE_ATTACHED: Told(_A, _l("Attached evidence")),
    Tag.EVIDENCE_DETACHED: Told(_A, _l("Detached evidence")),
    Tag.ELIGIBILITY_CHECKED: Told(_A, _l("Checked whether the company can apply")),
    Tag.APPLICATION_STARTED: Told(_A, _l("Started application %(reference)s")),
    Tag.AGREEMENT_SIGNED: Told(_A, _l("Signed the partner agreement")),
    Tag.APPLICATION_SUBMITTED: Told(_A, _l("Submitted application %(reference)s")),
    Tag.APPLICATION_RESUBMITTED: Told(_A, _l("Submitted application %(reference)s again")),
    Tag.APPLICATION_RETURNED: Told(_A, _l("Returned the application to the company"), agency=True),
    Tag.APPLICATION_GRANTED: Told(_A, _l("Granted application %(reference)s"), agency=True),
    Tag.APPLICATION_REFUSED: Told(_A, _l("Refused application %(reference)s"), agency=True),
    Tag.APPLICATION_WITHDRAWN: Told(_A, _l("Withdrew application %(reference)s")),
    Tag.TASK_COMPLETED: Told(_A, _l("Answered a point that the agency returned")),
    Tag.ACTIONS_PROMISED: Told(_A, _l("Promised actions in the improvement plan")),
    Tag.ACTION_CHANGED: Told(_A, _l("Changed an action of the improvement plan")),
    Tag.ACTION_BEGUN: Told(_A, _l("Began an action of the improvement plan")),
    Tag.ACTION_DONE: Told(_A, _l("Finished an action of the improvement plan, with its proof")),
    Tag.ACTION_DROPPED: Told(_A, _l("Gave up an action of the improvement plan")),
    Tag.ACTION_REOPENED: Told(_A, _l("Opened an action of the improvement plan again")),
    Tag.PLAN_SHARED: Told(_A, _l("Shared the improvement plan with the agency")),
    Tag.PLAN_KEPT: Told(_A, _l("Stopped sharing the improvement plan with the agency")),
    Tag.OFFER_ACCEPTED: Told(_A, _l("Took over what another self-assessment offered")),
    Tag.COLLEAGUE_COMMENTED: Told(_A, _l("Commented on a question of the self-assessment")),
    Tag.COLLEAGUE_ASKED: Told(_A, _l("Asked a colleague about a question of the self-assessment")),
    Tag.COLLEAGUE_ANSWERED: Told(_A, _l("Answered a colleague's question on the self-assessment")),
    Tag.COLLEAGUE_ASK_CLOSED: Told(_A, _l("Closed a colleague's question on the self-assessment")),
    Tag.CASE_OPENED: Told(_A, _l("Opened a case on the application"), agency=True),
    Tag.REQUEST_SENT: Told(_A, _l("Asked the company for information"), agency=True),
    Tag.REQUEST_ANSWERED: Told(_A, _l("Answered the agency's request for information")),
    Tag.DETERMINATION_APPROVED: Told(_S, _l("Changed the company's standing"), agency=True),
    Tag.PARTNER_SUSPENDED_URGENTLY: Told(_S, _l("Suspended the company at once"), agency=True),
    Tag.REGISTER_IMPORTED: Told(
        _S, _l("Took the company's standing over from another system"), agency=True
    ),
    Tag.BATCH_RECEIVED: Told(_F, _l("Sent advance data, batch %(reference)s")),
    Tag.BATCH_STARTED: Told(_F, _l("Began to check batch %(reference)s")),
    Tag.BATCH_CHECKED: Told(
        _F,
        _l("Checked batch %(reference)s: %(accepted)s of %(read)s rows filed"),
    ),
    Tag.BATCH_FAILED: Told(_F, _l("Refused batch %(reference)s: it could not be read")),
    Tag.VOYAGE_TOLD: Told(_F, _l("Told when the ship of filing %(filing_ref)s leaves and arrives")),
}

DELIBERATION: Final = frozenset(
    {
        Tag.CASE_TAKEN,
        Tag.CASE_RELEASED,
        Tag.CASE_RECOMMENDED,
        Tag.CASE_RETURNED_TO_REVIEW,
        Tag.CASE_CLOSED,
        Tag.CRITERION_JUDGED,
        Tag.REQUEST_CLOSED,
        Tag.DETERMINATION_PROPOSED,
        Tag.DETERMINATION_DECLINED,
        Tag.DETERMINATION_WITHDRAWN,
        Tag.SUSPENSION_COUNTERSIGNED,
        Tag.CONFLICT_OPENED,
        Tag.CONFLICT_RESOLVED,
        Tag.SUCCESSION_EVIDENCE_STORED,
    }
)
"""How the agency comes to its decisions: the outcome reaches the trader, the way to it does not."""
OF_NO_TRADER: Final = frozenset(
    {
        Tag.PERSON_SIGNED_UP,
        Tag.PERSON_MAIL_VERIFIED,
        Tag.PERSON_PASSWORD_CHANGED,
        Tag.PERSON_ENDED,
        Tag.PERSON_SIGNED_OUT,
        Tag.PERSON_ERASED,
        Tag.PERSON_INVITED_BACK,
        Tag.PERSON_CAME_BACK,
        Tag.IDENTITY_LINKED,
        Tag.IDENTITY_UNLINKED,
        Tag.PASSKEY_ADDED,
        Tag.PASSKEY_REMOVED,
        Tag.AUTHENTICATOR_ADDED,
        Tag.AUTHENTICATOR_REMOVED,
        Tag.RECOVERY_CODES_RENEWED,
        Tag.STAFF_INVITED,
        Tag.STAFF_APPOINTED,
        Tag.DECISIONS_GIVEN,
        Tag.WEBHOOK_REGISTERED,
        Tag.WEBHOOK_KEY_RENEWED,
        Tag.WEBHOOK_TESTED,
        Tag.WEBHOOK_REDELIVERED,
        Tag.WEBHOOK_PARKED,
        Tag.WEBHOOK_RESUMED,
        Tag.WEBHOOK_REMOVED,
        Tag.CATALOGUE_PROPOSED,
        Tag.CATALOGUE_PUBLISHED,
        Tag.CATALOGUE_DECLINED,
        Tag.CATALOGUE_WITHDRAWN,
        Tag.REFERENCE_LOADED,
    }
)
"""A person's own affair, or the agency's own."""
INTERNAL: Final = DELIBERATION | OF_NO_TRADER

AGENCY_TAGS: Final = frozenset(tag for tag, told in TOLD.items() if told.agency)

FILE: Final = _l("Looked into the company's file")
LOOKED: Final[Mapping[str, str]] = {
    # One sentence for all of these: which of them it was would tell what is being thought about.
    **dict.fromkeys(("case", "trader", "determination", "conflict", "succession"), FILE),
    "activity_log": _l("Looked at the record of what was done with the company's data"),
    "identifier": _l("Asked for the company's standing"),
    "document_revision": _l("Downloaded a document: %(filename)s"),
    "page": _l("Looked at the company's pages: %(place)s"),
}
"""What accesses a trader is told of, by the kind of what was looked at."""
NOT_TOLD: Final = frozenset({"register", "decision"})
"""These name no trader."""
PLACES: Final[Mapping[str, str]] = {
    "advance_data": _l("advance data"),
    "applications": _l("applications"),
    "assessments": _l("self-assessment"),
    "comments": _l("comments on the self-assessment"),
    "crosswalk": _l("self-assessment"),
    "delegations": _l("delegations"),
    "documents": _l("documents"),
    "gaps": _l("gap report"),
    "home": _l("overview"),
    "plans": _l("improvement plan"),
    "register": _l("standing"),
    "trader_api": _l("advance data or standing, by a program"),
    "traders": _l("company"),
}
"""What a broker looked at, by the first part of the page's endpoint."""

AREAS: Final[Mapping[Area, str]] = {
    Area.LOOKED: _l("Who looked at it"),
    Area.COMPANY: _l("Company details"),
    Area.PEOPLE: _l("People, brokers and programs"),
    Area.APPLICATION: _l("Applications and documents"),
    Area.FILINGS: _l("Advance data"),
    Area.STANDING: _l("Standing"),
}
SIDES: Final[Mapping[Side, str]] = {
    Side.OWN: _l("The company's own people and programs"),
    Side.BROKER: _l("Brokers"),
    Side.AGENCY: _l("The agency"),
    Side.SYSTEM: _l("Fairway itself"),
}
