"""Delegations in words: what each scope means, how each stage is called, what each event says.

English source texts, which the page translates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask_babel import lazy_gettext as _l

from app.audit.tags import EventTag
from app.authz.actor import DelegationScope
from app.delegations.rules import Stage
from app.delegations.workflow import Side

_S = DelegationScope
SCOPE_NAMES: Final[Mapping[DelegationScope, object]] = {
    _S.SUBMIT: _l("File advance data"),
    _S.DATA: _l("See all advance data"),
    _S.STATUS: _l("See the standing"),
    _S.PREPARE: _l("Prepare applications"),
    _S.RESPOND: _l("Answer the agency"),
}
SCOPE_MEANINGS: Final[Mapping[DelegationScope, object]] = {
    _S.SUBMIT: _l(
        "send filings in the company's name, and see, replace and delete those that it sent itself"
    ),
    _S.DATA: _l("look at every filing of the company, also those that others sent"),
    _S.STATUS: _l("look at the standing in each programme, with its reasons"),
    _S.PREPARE: _l(
        "fill in applications, answer the assessment and attach evidence; it cannot sign, declare"
        " or submit"
    ),
    _S.RESPOND: _l("look at applications and answer what the agency asks about them"),
}
"""In the order in which a page lists them."""


@dataclass(frozen=True, slots=True)
class StageWords:
    """Name and tone of the tag, and what comes next, for each side."""

    name: object
    tone: str
    to_trader: object
    to_broker: object

    def next_step(self, side: Side) -> object:
        return self.to_trader if side is Side.TRADER else self.to_broker


STAGES: Final[Mapping[Stage, StageWords]] = {
    Stage.OFFERED: StageWords(
        _l("Offered"),
        "warning",
        _l("Until an officer of the broker accepts, nobody there can act for you."),
        _l("Until an officer of yours accepts, nobody here can act for the client."),
    ),
    Stage.ASKED: StageWords(
        _l("Asked for"),
        "warning",
        _l("The broker asks to act for you. Until an officer of yours accepts, it cannot."),
        _l("Until an officer of the client accepts, nobody here can act for it."),
    ),
    Stage.UNANSWERED: StageWords(
        _l("Never answered"),
        "neutral",
        _l("Its last day passed without an answer. It gave nobody anything."),
        _l("Its last day passed without an answer. It gave nobody anything."),
    ),
    Stage.COMING: StageWords(
        _l("Agreed, not begun"),
        "progress",
        _l("Both sides agreed. From its first day the broker's people can act for you."),
        _l("Both sides agreed. From its first day your people can act for the client."),
    ),
    Stage.LIVE: StageWords(
        _l("In force"),
        "success",
        _l("The broker's people can act for you now. You can revoke it at any time, at once."),
        _l("Your people can act for the client now. Either side can end it at any time."),
    ),
    Stage.OVER: StageWords(
        _l("Over"),
        "neutral",
        _l("Its last day has passed. The broker can no longer act for you under it."),
        _l("Its last day has passed. Nobody here can act for the client under it."),
    ),
    Stage.DECLINED: StageWords(
        _l("Declined"),
        "neutral",
        _l("It gave nobody anything."),
        _l("It gave nobody anything."),
    ),
    Stage.REVOKED: StageWords(
        _l("Ended"),
        "neutral",
        _l("It was ended before its last day. The broker can no longer act for you under it."),
        _l("It was ended before its last day. Nobody here can act for the client under it."),
    ),
}

SENTENCES: Final[Mapping[EventTag, object]] = {
    EventTag.DELEGATION_OFFERED: _l("Offered by the client"),
    EventTag.DELEGATION_ASKED: _l("Asked for by the broker"),
    EventTag.DELEGATION_ACCEPTED: _l("Accepted: both sides consent"),
    EventTag.DELEGATION_DECLINED: _l("Declined"),
    EventTag.DELEGATION_REVOKED: _l("Ended"),
}
