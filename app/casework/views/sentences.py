"""Events as sentences. What has no sentence of its own is said in the words of its tag."""

from datetime import date

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from app.audit.models import AuditEvent
from app.audit.tags import EventTag
from app.register.programme import PROGRAMMES
from app.web.filters import day

SENTENCES = {
    EventTag.CASE_OPENED: _l("Case %(reference)s was opened, to be decided by %(due_on)s"),
    EventTag.CASE_TAKEN: _l("Took the case"),
    EventTag.CASE_RELEASED: _l("Gave the case back to the queue"),
    EventTag.CASE_RECOMMENDED: _l("Recommended: %(move)s"),
    EventTag.CRITERION_JUDGED: _l("Criterion %(criterion)s: %(verdict)s, version %(round)s"),
    EventTag.REQUEST_SENT: _l("Asked the trader for information, due by %(due_on)s"),
    EventTag.REQUEST_ANSWERED: _l("The request for information was answered"),
    EventTag.REQUEST_CLOSED: _l("The request for information was closed without an answer"),
    EventTag.CASE_CLOSED: _l("The case was closed"),
    EventTag.DETERMINATION_PROPOSED: _l("Proposed a determination: %(move)s"),
    EventTag.DETERMINATION_APPROVED: _l("Countersigned the determination: %(move)s"),
    EventTag.DETERMINATION_DECLINED: _l("Declined the determination: %(move)s"),
    EventTag.DETERMINATION_WITHDRAWN: _l("Took back the proposal: %(move)s"),
    EventTag.PARTNER_SUSPENDED_URGENTLY: _l("Suspended the partner at once, on one signature"),
    EventTag.SUSPENSION_COUNTERSIGNED: _l("Gave the urgent suspension its second signature"),
    EventTag.REGISTER_IMPORTED: _l("A standing was taken over from another system"),
    EventTag.APPLICATION_STARTED: _l("Started an application"),
    EventTag.APPLICATION_SUBMITTED: _l("Submitted the application, version %(number)s"),
    EventTag.APPLICATION_RESUBMITTED: _l("Submitted the application again, version %(number)s"),
    EventTag.APPLICATION_RETURNED: _l("The application was returned to the trader"),
    EventTag.APPLICATION_GRANTED: _l("The application was granted"),
    EventTag.APPLICATION_REFUSED: _l("The application was refused"),
    EventTag.APPLICATION_WITHDRAWN: _l("Withdrew the application"),
    EventTag.AGREEMENT_SIGNED: _l("Signed the partner agreement"),
    EventTag.ELIGIBILITY_CHECKED: _l("Checked whether the company can apply"),
    EventTag.ANSWERS_SAVED: _l("Saved answers of the self-assessment"),
    EventTag.WORKBOOK_RECEIVED: _l("Uploaded a workbook of the self-assessment"),
    EventTag.WORKBOOK_APPLIED: _l("Took answers from a workbook into the self-assessment"),
    EventTag.WORKBOOK_DISCARDED: _l("Put away a workbook of the self-assessment"),
    EventTag.SECTIONS_SHARED_OUT: _l("Said who looks after which section"),
    EventTag.SECTION_COMPLETED: _l("Marked a section of the self-assessment complete"),
    EventTag.SECTION_REOPENED: _l("Reopened a section of the self-assessment"),
    EventTag.EVIDENCE_ATTACHED: _l("Attached evidence"),
    EventTag.EVIDENCE_DETACHED: _l("Detached evidence"),
    EventTag.DOCUMENT_STORED: _l("Uploaded a document"),
    EventTag.DOCUMENT_SCANNED: _l("A document was checked for viruses"),
    EventTag.TRADER_REGISTERED: _l("Registered the company"),
    EventTag.TRADER_PROFILE_CHANGED: _l("Changed the company's details"),
    EventTag.IDENTIFIER_CLAIMED: _l("Claimed an identifier (%(scheme)s)"),
    EventTag.IDENTIFIER_VERIFIED: _l("Verified an identifier (%(scheme)s)"),
    EventTag.IDENTIFIER_REFUSED: _l("Did not accept an identifier (%(scheme)s)"),
    EventTag.IDENTIFIER_WITHDRAWN: _l("Withdrew an identifier (%(scheme)s)"),
    EventTag.PERSON_INVITED: _l("Invited somebody to act for the company"),
    EventTag.APPOINTMENT_ACCEPTED: _l("Accepted the invitation to act for the company"),
    EventTag.APPOINTMENT_CHANGED: _l("Changed somebody's role"),
    EventTag.APPOINTMENT_ENDED: _l("Ended somebody's appointment"),
}
BACK_IN_REVIEW = {
    "answered": _l("The trader answered; the case is in review again"),
    "not-answered": _l("Stopped waiting for the trader; the case is in review again"),
    "declined": _l("What was recommended was declined; the case is in review again"),
    "taken-back": _l("The recommendation was taken back; the case is in review again"),
}
VERDICTS = {"accepted": _l("accepted"), "returned": _l("returned")}


def sentence(event: AuditEvent) -> str:
    """One event in a sentence."""
    data = {**event.data, "scheme": str(event.data.get("scheme", "")).upper()}
    if event.tag == EventTag.CASE_RETURNED_TO_REVIEW:
        return str(BACK_IN_REVIEW.get(str(data.get("reason")), _fallback(event)))
    data["move"] = _move(data)
    if "due_on" in data:
        data["due_on"] = day(date.fromisoformat(str(data["due_on"])))
    data["verdict"] = VERDICTS.get(str(data.get("verdict")), data.get("verdict", ""))
    known = {str(tag): words for tag, words in SENTENCES.items()}.get(event.tag)
    if known is None:
        return _fallback(event)
    try:
        return str(known) % data
    except KeyError:
        # An older event told less; its tag still says what happened.
        return _fallback(event)


def _move(data: dict[str, object]) -> str:
    name = str(data.get("recommended") or data.get("move") or "")
    for programme in PROGRAMMES.values():
        move = programme.move(name)
        if move is not None:
            return move.name
    return name


def _fallback(event: AuditEvent) -> str:
    words = event.tag.replace(":", " ").replace("-", " ")
    return gettext("%(what)s", what=words.capitalize())
