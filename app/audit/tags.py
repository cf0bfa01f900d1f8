"""The closed list of audit tags.

Grammar: `subject:fact`, the subject a glossary word, the fact a past participle. A tag names
what has happened, never what somebody tried; refusals are security events.
"""

from enum import StrEnum


class EventTag(StrEnum):
    """What a business transaction can record, exactly once per change."""

    # People, sign-in, API clients.
    PERSON_SIGNED_UP = "person:signed-up"
    PERSON_MAIL_VERIFIED = "person:mail-verified"
    PERSON_PASSWORD_CHANGED = "person:password-changed"
    PERSON_ENDED = "person:ended"
    IDENTITY_LINKED = "identity:linked"
    IDENTITY_UNLINKED = "identity:unlinked"
    PERSON_INVITED_BACK = "person:invited-back"
    PERSON_CAME_BACK = "person:came-back"
    PASSKEY_ADDED = "passkey:added"
    PASSKEY_REMOVED = "passkey:removed"
    AUTHENTICATOR_ADDED = "authenticator:added"
    AUTHENTICATOR_REMOVED = "authenticator:removed"
    RECOVERY_CODES_RENEWED = "recovery-code:renewed"
    STAFF_INVITED = "staff:invited"
    STAFF_APPOINTED = "staff:appointed"
    CLIENT_CREATED = "client:created"
    CLIENT_REVOKED = "client:revoked"

    # Traders.
    TRADER_REGISTERED = "trader:registered"
    TRADER_PROFILE_CHANGED = "trader:profile-changed"
    IDENTIFIER_CLAIMED = "identifier:claimed"
    IDENTIFIER_WITHDRAWN = "identifier:withdrawn"
    IDENTIFIER_VERIFIED = "identifier:verified"
    IDENTIFIER_REFUSED = "identifier:refused"
    CONFLICT_OPENED = "conflict:opened"
    CONFLICT_RESOLVED = "conflict:resolved"
    BOND_RECORDED = "bond:recorded"
    SITE_ADDED = "site:added"
    SITE_CHANGED = "site:changed"
    SITE_REMOVED = "site:removed"
    CONTACT_ADDED = "contact:added"
    CONTACT_CHANGED = "contact:changed"
    CONTACT_REMOVED = "contact:removed"
    PERSON_INVITED = "appointment:invited"
    APPOINTMENT_ACCEPTED = "appointment:accepted"
    APPOINTMENT_CHANGED = "appointment:changed"
    APPOINTMENT_ENDED = "appointment:ended"

    DELEGATION_OFFERED = "delegation:offered"
    DELEGATION_ASKED = "delegation:asked"
    DELEGATION_ACCEPTED = "delegation:accepted"
    DELEGATION_DECLINED = "delegation:declined"
    DELEGATION_REVOKED = "delegation:revoked"

    # Documents, assessments, applications.
    DOCUMENT_STORED = "document:stored"
    DOCUMENT_SCANNED = "document:scanned"
    DOCUMENT_REMOVED = "document:removed"
    ASSESSMENT_STARTED = "assessment:started"
    ASSESSMENT_LOCKED = "assessment:locked"
    ASSESSMENT_REOPENED = "assessment:reopened"
    ANSWERS_SAVED = "assessment:answers-saved"
    SECTION_COMPLETED = "assessment:section-completed"
    SECTION_REOPENED = "assessment:section-reopened"
    EVIDENCE_ATTACHED = "assessment:evidence-attached"
    EVIDENCE_DETACHED = "assessment:evidence-detached"
    ELIGIBILITY_CHECKED = "eligibility:checked"
    APPLICATION_STARTED = "application:started"
    AGREEMENT_SIGNED = "application:agreement-signed"
    APPLICATION_SUBMITTED = "application:submitted"
    APPLICATION_RETURNED = "application:returned"
    APPLICATION_RESUBMITTED = "application:resubmitted"
    APPLICATION_GRANTED = "application:granted"
    APPLICATION_REFUSED = "application:refused"
    APPLICATION_WITHDRAWN = "application:withdrawn"
    TASK_COMPLETED = "application:task-completed"

    # Casework.
    CASE_OPENED = "case:opened"
    CASE_TAKEN = "case:taken"
    CASE_RELEASED = "case:released"
    CASE_RECOMMENDED = "case:recommended"
    CASE_RETURNED_TO_REVIEW = "case:returned-to-review"
    CASE_CLOSED = "case:closed"
    CRITERION_JUDGED = "case:criterion-judged"
    REQUEST_SENT = "request:sent"
    REQUEST_ANSWERED = "request:answered"
    REQUEST_CLOSED = "request:closed"

    # Register.
    DETERMINATION_PROPOSED = "determination:proposed"
    DETERMINATION_APPROVED = "determination:approved"
    DETERMINATION_DECLINED = "determination:declined"
    DETERMINATION_WITHDRAWN = "determination:withdrawn"
    PARTNER_SUSPENDED_URGENTLY = "determination:suspended-urgently"
    SUSPENSION_COUNTERSIGNED = "determination:suspension-countersigned"
    REGISTER_IMPORTED = "register:imported"

    # Advance data and facilitation.
    BATCH_RECEIVED = "batch:received"
    BATCH_STARTED = "batch:started"
    BATCH_CHECKED = "batch:checked"
    BATCH_FAILED = "batch:failed"
    DECISIONS_GIVEN = "decision:given"


class SecurityTag(StrEnum):
    """What the short transactions of `app.audit.access` record, whatever the answer was."""

    SIGNED_IN = "sign-in:succeeded"
    SIGN_IN_FAILED = "sign-in:failed"
    SIGN_IN_LOCKED = "sign-in:locked"
    PROVIDER_REFUSED = "provider:refused"
    FIRST_PROOF = "sign-in:half-done"
    SECOND_FACTOR_FAILED = "second-factor:failed"
    RECOVERY_CODE_USED = "recovery-code:used"
    SIGNED_OUT = "sign-out:done"
    SESSION_REVOKED = "session:revoked"
    SESSION_EXPIRED = "session:expired"
    STEPPED_UP = "step-up:succeeded"
    STEP_UP_FAILED = "step-up:failed"
    RESET_REQUESTED = "reset:requested"
    ACCESS_DENIED = "access:denied"
    TOKEN_ISSUED = "token:issued"
    TOKEN_REFUSED = "token:refused"
    TOKEN_REVOKED = "token:revoked"
    RATE_LIMITED = "rate:limited"
