"""What needs attention, in words, with the one thing to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from flask import url_for
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from app.home.attention import Attention, Kind, Member
from app.identity.views.words import event_words

EVENTS = {
    "person:password-changed": _l("Changed the password"),
    "person:came-back": _l("Came back after losing every way to sign in"),
    "identity:linked": _l("Linked a provider to sign in with"),
    "identity:unlinked": _l("Unlinked a provider"),
    "passkey:added": _l("Set up a passkey"),
    "passkey:removed": _l("Removed a passkey"),
    "authenticator:added": _l("Set up an authenticator app"),
    "authenticator:removed": _l("Removed an authenticator app"),
    "recovery-code:renewed": _l("Made new recovery codes"),
}
"""What people did themselves; what was tried is told in the words of their own page."""


WAYS = {
    Kind.ANSWER: (
        _l("A delegation waits for your answer: %(name)s."),
        _l("Answer"),
        "delegations.show",
        "delegation_id",
    ),
    Kind.OLD_CREDENTIAL: (
        _l("A secret or key of the program %(name)s is older than a year."),
        _l("Make a new one"),
        "api_access.rotate",
        "api_client_id",
    ),
    Kind.SUSPENDED: (
        _l("The program %(name)s is suspended: nobody had used it."),
        _l("Wake or revoke it"),
        "api_access.show",
        "api_client_id",
    ),
    Kind.ENDS_SOON: (
        _l("The delegation to %(name)s ends within a month."),
        _l("See it"),
        "delegations.show",
        "delegation_id",
    ),
}
"""What is about one thing: the sentence, what to do, and the page on which it is done."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence, and a link to what can be done."""

    text: str
    label: str
    href: str


def happened(tag: str) -> str:
    """A security event in words."""
    return str(EVENTS.get(tag) or event_words(tag))


def advise(one: Attention, trader_id: UUID, members: Sequence[Member]) -> Advice:
    """The line at the top of the page."""
    who = ", ".join(one.names)
    if one.kind in WAYS:
        words, label, endpoint, argument = WAYS[one.kind]
        href = url_for(endpoint, trader_id=trader_id, **{argument: str(one.subjects[0])})  # type: ignore[arg-type]
        return Advice(str(words) % {"name": who}, str(label), href)
    if one.kind is Kind.LOCKED:
        text = gettext(
            "Somebody typed five wrong passwords within the last week for: %(who)s.", who=who
        )
        return Advice(text, gettext("See what happened"), "#happened")
    if one.kind is Kind.ONE_OFFICER:
        text = (
            gettext("You are the only officer. Should you leave, nobody can sign or appoint.")
            if one.mine
            else gettext(
                "%(name)s is the only officer. Should they leave, nobody can sign or appoint.",
                name=who,
            )
        )
        href = url_for("traders.invite", trader_id=trader_id)
        return Advice(text, gettext("Invite another"), href)
    return _about_people(one, trader_id, members, who)


def _about_people(one: Attention, trader_id: UUID, members: Sequence[Member], who: str) -> Advice:
    count, people = len(one.names), url_for("traders.people", trader_id=trader_id)
    match one.kind:
        case Kind.UNANSWERED:
            text = ngettext(
                "An invitation is unanswered.", "%(num)d invitations are unanswered.", count
            )
            return Advice(text, gettext("Send again or take back"), people)
        case Kind.AWAY:
            text = ngettext(
                "%(who)s has not signed in for three months.",
                "%(num)d people have not signed in for three months: %(who)s.",
                count,
                who=who,
            )
            return Advice(text, gettext("Look whether they are still needed"), people)
        case _ if one.mine:
            text = gettext("You have no passkey: the safest way to sign in.")
            return Advice(text, gettext("Set one up"), url_for("identity.new_passkey"))
        case Kind.NO_FACTOR:
            text = ngettext(
                "%(who)s has set up neither a passkey nor an authenticator app.",
                "%(num)d people have set up neither a passkey nor an authenticator app: %(who)s.",
                count,
                who=who,
            )
        case _:
            text = ngettext(
                "%(who)s has no passkey.",
                "%(num)d people have no passkey: %(who)s.",
                count,
                who=who,
            )
    return Advice(text, gettext("Write to them"), _letter(one, members))


def _letter(one: Attention, members: Sequence[Member]) -> str:
    """A mail to those whom it is about: only they can set up what is missing."""
    mails: Mapping[UUID, str] = {each.appointment_id: each.email for each in members}
    to = ",".join(quote(mails[key], safe="@") for key in one.subjects if key in mails)
    return f"mailto:{to}?subject={quote(gettext('Please set up a passkey in Fairway'))}"
