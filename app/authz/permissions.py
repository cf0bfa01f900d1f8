"""Everything that can be permitted, a sentence each.

Names are `AREA_VERB`; values are `area:verb`. A route names exactly one with `@requires`.
"""

from enum import StrEnum


class Permission(StrEnum):
    """The closed list of permissions."""

    PUBLIC = "public"
    """Anyone may come here, signed in or not."""
    DEMO_USE = "demo:use"
    """Anyone may use the demonstration's sign-in and mailbox; the routes exist in demo mode only."""
    SIGNED_IN = "signed-in"
    """Any person who is signed in, for pages about themselves."""
    SIGN_IN_GO_ON = "sign-in:go-on"
    """A person who has given the first of two proofs gives the second."""
    FACTOR_ENROL = "factor:enrol"
    """Set up a passkey or an authenticator app of one's own, once signed in or on the way there."""

    TRADER_REGISTER = "trader:register"
    """Register a new trader and become its officer."""
    TRADER_VIEW = "trader:view"
    """See a trader's own overview, profile and people."""
    TRADER_EDIT = "trader:edit"
    """Change a trader's profile: addresses, sites, contacts, bond, claimed identifiers."""
    PEOPLE_APPOINT = "people:appoint"
    """Appoint people at a trader, change their role, end their appointment."""

    SECURITY_VIEW = "security:view"
    """See who and what can come in for a trader, how each is protected, what needs attention."""

    CLIENT_MANAGE = "client:manage"
    """See, register, renew, revoke and wake the programs that use the API for a trader."""

    VERIFICATION_VIEW = "verification:view"
    """See which companies show a trader whether they are partners, and which ask about it."""
    VERIFICATION_ASK = "verification:ask"
    """Ask another company to show whether it is a partner, and take that back."""
    VERIFICATION_CONSENT = "verification:consent"
    """Consent to show another company whether the trader is a partner, decline, and end it."""

    DELEGATION_VIEW = "delegation:view"
    """See which brokers may act for a trader, and which traders a broker may act for."""
    CLIENTS_VIEW = "clients:view"
    """See the clients for whom a broker's people act now."""
    DELEGATION_GRANT = "delegation:grant"
    """Offer, ask for, accept, decline and revoke what a broker may do for a trader."""

    STANDING_VIEW = "standing:view"
    """See a trader's own standing in each programme."""
    APPLICATION_VIEW = "application:view"
    """See a trader's own applications, assessments, answers and documents."""
    APPLICATION_PREPARE = "application:prepare"
    """Check eligibility, start an application, answer the assessment, attach evidence."""
    APPLICATION_SUBMIT = "application:submit"
    """Sign the partner agreement, declare, submit and withdraw for the trader."""
    APPLICATION_RESPOND = "application:respond"
    """Answer the agency's request for information."""
    DOCUMENT_READ = "document:read"
    """Download a document revision of a trader in reach, or of a case under review."""

    ACTIVITY_VIEW = "activity:view"
    """See who saw and did what with a trader's data, in the kinds that traders are told of."""
    FILING_VIEW = "filing:view"
    """See batches, filings and their faults."""
    FILING_SUBMIT = "filing:submit"
    """Upload advance data for the trader."""

    CASE_VIEW = "case:view"
    """See the agency's queues, cases and the register."""
    CASE_REVIEW = "case:review"
    """Take a case, judge criteria, ask for information, verify identifiers, recommend."""
    DETERMINATION_PROPOSE = "determination:propose"
    """Propose a determination on a partner's status."""
    DETERMINATION_APPROVE = "determination:approve"
    """Countersign or decline a determination that somebody else proposed."""
    SUSPEND_URGENTLY = "determination:suspend-urgently"
    """Suspend a partner at once on one signature; the second is due within 24 hours."""

    SUCCESSION_PROPOSE = "succession:propose"
    """Propose a new officer for a trader whose officers have gone."""
    SUCCESSION_APPROVE = "succession:approve"
    """Approve or decline a new officer whom somebody else proposed."""

    AGENCY_CLIENT_VIEW = "agency-client:view"
    """See the agency's own API clients, their use and their quotas."""
    AGENCY_CLIENT_MANAGE = "agency-client:manage"
    """Register, renew, revoke and wake the agency's own API clients, and set their quotas."""

    WEBHOOK_VIEW = "webhook:view"
    """See which addresses are told of changes of the register, and what came of each delivery."""
    WEBHOOK_MANAGE = "webhook:manage"
    """Register, test, resume and remove webhooks, renew their keys, and deliver again."""

    ACTIVITY_LOG = "activity:log"
    """Read and export the whole record over all traders; that it was read is recorded in it."""

    STATUS_READ = "status:read"
    """Look up partner status over the internal API."""
    FEED_READ = "feed:read"
    """Read the register's change feed over the internal API."""
    DECISIONS_WRITE = "decisions:write"
    """Ask for facilitation decisions over the internal API."""
    DECISIONS_READ = "decisions:read"
    """Read stored facilitation decisions over the internal API."""
    TRADER_API_FILE = "filings:write"
    """File advance data over the traders' API."""
    TRADER_API_READ = "filings:read"
    """Read batches and filings over the traders' API."""
    TRADER_API_STATUS = "status:self"
    """Read the trader's own standing over the traders' API."""
