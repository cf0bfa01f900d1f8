"""The whole policy on one screen: a permission is granted when any one clause holds."""

from collections.abc import Mapping

from app.authz import predicates as p
from app.authz.actor import Actor, DelegationScope, TraderRole
from app.authz.permissions import Permission
from app.authz.predicates import HasTrader, Predicate

AT_THE_TRADER = (p.IS_OFFICER, p.IS_PREPARER, p.IS_CONSULTANT, p.IS_VIEWER)
OF_THE_TRADER = (p.IS_OFFICER, p.IS_PREPARER)
PREPARES = (p.IS_OFFICER, p.IS_PREPARER, p.IS_CONSULTANT)
DOES = (TraderRole.OFFICER, TraderRole.PREPARER)
LOOKS = (*DOES, TraderRole.VIEWER)
FILES = (*DOES, TraderRole.DATA_ONLY)
SEES_DATA = (*LOOKS, TraderRole.DATA_ONLY)
DELEGATED_PREPARE = p.acts_under(DelegationScope.PREPARE, *DOES)
DELEGATED_RESPOND = p.acts_under(DelegationScope.RESPOND, *DOES)
SEES_CASE_WORK = (
    p.acts_under(DelegationScope.PREPARE, *LOOKS),
    p.acts_under(DelegationScope.RESPOND, *LOOKS),
)
AT_THE_AGENCY = (p.IS_REVIEWER, p.IS_SUPERVISOR, p.IS_PROGRAMME_MANAGER, p.IS_AUDITOR)

POLICY: Mapping[Permission, tuple[Predicate, ...]] = {
    Permission.PUBLIC: (p.ANYONE,),
    Permission.DEMO_USE: (p.ANYONE,),
    Permission.SIGNED_IN: (p.IS_SIGNED_IN,),
    Permission.SIGN_IN_GO_ON: (p.IS_HALF_SIGNED_IN,),
    Permission.FACTOR_ENROL: (p.IS_SIGNED_IN, p.IS_HALF_SIGNED_IN),
    Permission.TRADER_REGISTER: (p.IS_NOT_AGENCY,),
    Permission.TRADER_VIEW: AT_THE_TRADER,
    Permission.TRADER_EDIT: OF_THE_TRADER,
    Permission.PEOPLE_APPOINT: (p.IS_OFFICER,),
    Permission.SECURITY_VIEW: (p.IS_OFFICER,),
    Permission.CLIENT_MANAGE: (p.IS_OFFICER,),
    Permission.VERIFICATION_VIEW: (p.IS_OFFICER, p.IS_PREPARER, p.IS_VIEWER),
    Permission.VERIFICATION_ASK: OF_THE_TRADER,
    Permission.VERIFICATION_CONSENT: (p.IS_OFFICER,),
    Permission.DELEGATION_VIEW: (p.IS_OFFICER, p.IS_PREPARER, p.IS_VIEWER),
    Permission.CLIENTS_VIEW: (p.IS_OFFICER, p.IS_PREPARER, p.IS_VIEWER, p.IS_DATA_ONLY),
    Permission.DELEGATION_GRANT: (p.IS_OFFICER,),
    Permission.STANDING_VIEW: (*AT_THE_TRADER, p.acts_under(DelegationScope.STATUS, *LOOKS)),
    Permission.APPLICATION_VIEW: (*AT_THE_TRADER, *SEES_CASE_WORK),
    Permission.APPLICATION_PREPARE: (*PREPARES, DELEGATED_PREPARE),
    Permission.APPLICATION_SUBMIT: (p.IS_OFFICER,),
    Permission.PLAN_PROMISE: PREPARES,
    Permission.COMMENT_SHARE: (*AT_THE_TRADER, DELEGATED_PREPARE),
    Permission.APPLICATION_RESPOND: (*PREPARES, DELEGATED_RESPOND),
    Permission.DOCUMENT_READ: (*AT_THE_TRADER, *SEES_CASE_WORK, *AT_THE_AGENCY),
    Permission.DOCUMENT_DESCRIBE: PREPARES,
    Permission.ACTIVITY_VIEW: OF_THE_TRADER,
    Permission.FILING_VIEW: (
        *AT_THE_TRADER,
        p.IS_DATA_ONLY,
        p.acts_under(DelegationScope.DATA, *SEES_DATA),
        p.acts_under(DelegationScope.SUBMIT, *SEES_DATA, own_work=True),
    ),
    Permission.FILING_SUBMIT: (
        *OF_THE_TRADER,
        p.IS_DATA_ONLY,
        p.acts_under(DelegationScope.SUBMIT, *FILES),
    ),
    Permission.CASE_VIEW: AT_THE_AGENCY,
    Permission.CASE_REVIEW: (p.IS_REVIEWER, p.IS_SUPERVISOR),
    Permission.DETERMINATION_PROPOSE: (p.IS_REVIEWER, p.IS_SUPERVISOR),
    Permission.DETERMINATION_APPROVE: (p.IS_SUPERVISOR,),
    Permission.SUSPEND_URGENTLY: (p.IS_REVIEWER, p.IS_SUPERVISOR),
    Permission.SUCCESSION_PROPOSE: (p.IS_REVIEWER, p.IS_SUPERVISOR),
    Permission.SUCCESSION_APPROVE: (p.IS_SUPERVISOR,),
    Permission.CATALOGUE_PROPOSE: (p.IS_PROGRAMME_MANAGER, p.IS_SUPERVISOR),
    Permission.CATALOGUE_APPROVE: (p.IS_PROGRAMME_MANAGER, p.IS_SUPERVISOR),
    Permission.AGENCY_CLIENT_VIEW: (p.IS_PROGRAMME_MANAGER, p.IS_SUPERVISOR, p.IS_AUDITOR),
    Permission.AGENCY_CLIENT_MANAGE: (p.IS_PROGRAMME_MANAGER,),
    Permission.WEBHOOK_VIEW: (p.IS_PROGRAMME_MANAGER, p.IS_SUPERVISOR, p.IS_AUDITOR),
    Permission.WEBHOOK_MANAGE: (p.IS_PROGRAMME_MANAGER,),
    Permission.ACTIVITY_LOG: (p.IS_AUDITOR,),
    Permission.STATUS_READ: (p.has_scope("status:read"),),
    Permission.FEED_READ: (p.has_scope("feed:read"),),
    Permission.DECISIONS_WRITE: (p.has_scope("decisions:write"),),
    Permission.DECISIONS_READ: (p.has_scope("decisions:read"),),
    Permission.TRADER_API_FILE: (
        p.has_scope("filings:write"),
        p.acts_under(DelegationScope.SUBMIT, api_scope="filings:write"),
    ),
    Permission.TRADER_API_READ: (
        p.has_scope("filings:read"),
        p.acts_under(DelegationScope.DATA, api_scope="filings:read"),
        p.acts_under(DelegationScope.SUBMIT, api_scope="filings:read", own_work=True),
    ),
    Permission.TRADER_API_STATUS: (
        p.has_scope("status:self"),
        p.acts_under(DelegationScope.STATUS, api_scope="status:self"),
    ),
}


def may_ever(actor: Actor, permission: Permission) -> bool:
    """Whether the actor could hold the permission on any subject at all: the route's question."""
    return any(clause.ever(actor) for clause in POLICY[permission])


def may(actor: Actor, permission: Permission, subject: HasTrader) -> bool:
    """Whether the actor holds the permission on this subject: the row's question."""
    return any(clause.holds(actor, subject) for clause in POLICY[permission])
