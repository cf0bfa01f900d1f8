"""Asking whether another company is an active partner, and consenting to show it.

What one side does reaches the other through a job, which alone reads both rows. So how long a page
takes, and what it says, does not depend on whether anybody holds the number.
"""

import uuid

from app.audit.tags import EventTag
from app.db.concurrency import first_with, lock_row, lock_words
from app.jobs.queue import defer
from app.kernel.errors import ConflictError, NotReadyError, Problem
from app.kernel.identifiers import MalformedIdentifierError, Scheme, parse
from app.traders.models import Trader
from app.traders.queries import holders
from app.verifications import queries, rules
from app.verifications.letters import tell_asker, tell_holder
from app.verifications.models import Consent, Verification
from app.verifications.rules import WAITS
from app.verifications.workflow import ConsentState, VerificationState
from app.work import Work, move

BRING = "verifications.bring"


def ask(work: Work, trader: Trader, *, key: uuid.UUID, scheme: Scheme, number: str) -> Verification:
    """Ask whoever holds the number to show the trader whether it is an active partner.

    In order: the row with `key` as its id; one event; the job that looks for the holder. The same
    key again gives the first row back. Errors: `NotReadyError` for a number that is none or a private
    person's, for an asker that is no active partner, and for a twenty-first question at a time; none
    of them depends on another company. Records `VERIFICATION_ASKED`.
    """
    earlier = first_with(work.session, Verification, key)
    if earlier is not None and earlier.trader_id == trader.id:
        return earlier
    try:
        identifier = parse(scheme, number)
    except MalformedIdentifierError as error:
        raise NotReadyError([Problem(str(error), "number", "malformed")]) from error
    lock_words(work.session, "verification", str(trader.id))
    problems = rules.asking_problems(
        asker_is_active=queries.is_active(work.session, trader.id, work.now),
        waiting=queries.waiting_of(work.session, trader.id, work.now),
        sensitive=identifier.sensitive,
    )
    if problems:
        raise NotReadyError(problems)
    assert work.actor.person_id is not None  # noqa: S101 - only people hold the permission.
    found = Verification(
        id=key,
        trader_id=trader.id,
        trader_name=trader.name,
        scheme=scheme,
        number=identifier.value,
        asked_by=work.actor.person_id,
        asked_at=work.now,
        lapses_at=work.now + WAITS,
    )
    work.session.add(found)
    work.session.flush()
    work.record(EventTag.VERIFICATION_ASKED, found, scheme=scheme)
    _pass_on(work, found.id)
    return found


def withdraw(work: Work, verification: Verification) -> None:
    """Take a question back, or see no longer; at once. A second call does nothing.

    Errors: `ConflictError` when it is over. Records `VERIFICATION_WITHDRAWN`; a job tells the other side.
    """
    lock_row(work.session, verification)
    if verification.state == VerificationState.WITHDRAWN:
        return
    if "withdraw" not in verification.available():
        raise ConflictError("This question is over already.")
    verification.ended_at = work.now
    move(work, verification, "withdraw")
    _pass_on(work, verification.id)


def give(work: Work, consent: Consent) -> None:
    """Consent: from now on the asker sees whether the company is an active partner.

    A second call does nothing. Errors: `ConflictError` when the question is over. Records
    `CONSENT_GIVEN`; a job tells the asker.
    """
    _decide(work, consent, "give", ConsentState.GIVEN)


def decline(work: Work, consent: Consent) -> None:
    """Say no. The asker is told nothing, and cannot ask again for half a year.

    A second call does nothing. Errors: `ConflictError` when the question is over. Records
    `CONSENT_DECLINED`.
    """
    _decide(work, consent, "decline", ConsentState.DECLINED)


def end(work: Work, consent: Consent) -> None:
    """Take a consent back; the asker sees nothing from the next click on. A second call does nothing.

    Errors: `ConflictError` when there is none. Records `CONSENT_ENDED`; a job tells the asker.
    """
    lock_row(work.session, consent)
    if consent.state == ConsentState.ENDED:
        return
    if "end" not in consent.available():
        raise ConflictError("This consent is over already.")
    consent.ended_at = work.now
    move(work, consent, "end")
    _pass_on(work, consent.verification_id)


def pass_on(work: Work, verification_id: uuid.UUID) -> None:
    """Bring both sides of a question together, in whatever state they are; for the job alone.

    A question that waits reaches the one company that holds the number, if it may be asked
    (`CONSENT_ASKED`). A consent that was given, or ended, is told to the asker (`VERIFICATION_SHOWN`,
    `VERIFICATION_ENDED`). A question that was taken back closes the consent (`CONSENT_CLOSED`). Each with
    letters; run again it does nothing.
    """
    verification = work.session.get(Verification, verification_id, with_for_update=True)
    if verification is None:
        return
    consent = queries.consent_to(work.session, verification.id)
    if consent is None:
        if verification.state == VerificationState.WAITING and verification.lapses_at > work.now:
            _bring(work, verification)
        return
    lock_row(work.session, consent)
    match verification.state:
        case VerificationState.WITHDRAWN if "close" in consent.available():
            consent.ended_at = work.now
            move(work, consent, "close")
            tell_holder(work, consent, EventTag.CONSENT_CLOSED)
        case VerificationState.WAITING if consent.state == ConsentState.GIVEN:
            verification.holder_name = consent.trader_name
            verification.shown_at = work.now
            told = queries.shown(work.session, [verification.id], work.now).get(verification.id)
            verification.told_active = None if told is None else told.active
            move(work, verification, "show")
            tell_asker(work, verification, EventTag.VERIFICATION_SHOWN)
        case VerificationState.SHOWN if consent.state == ConsentState.ENDED:
            verification.ended_at = work.now
            move(work, verification, "end")
            tell_asker(work, verification, EventTag.VERIFICATION_ENDED)
        case _:
            return


def let_lapse(work: Work) -> None:
    """End what nobody has answered in time, on both sides, and tell the askers; for the job alone.

    Records `VERIFICATION_LAPSED` and `CONSENT_LAPSED`. A refusal lapses here like a question to nobody.
    """
    for verification in queries.lapsed(work.session, work.now):
        consent = queries.consent_to(work.session, verification.id)
        if consent is not None and consent.state == ConsentState.GIVEN:
            # Given in time, and the job that tells of it has not run yet.
            pass_on(work, verification.id)
            continue
        verification.ended_at = work.now
        move(work, verification, "lapse")
        tell_asker(work, verification, EventTag.VERIFICATION_LAPSED)
    for consent in queries.unanswered(work.session, work.now):
        consent.ended_at = work.now
        move(work, consent, "lapse")


def note_changes(work: Work, keys: list[uuid.UUID]) -> None:
    """Tell the askers among `keys` for whom the answer has changed; for the job alone.

    Records `VERIFICATION_CHANGED` each, which does not say how.
    """
    for key, told in queries.shown(work.session, keys, work.now).items():
        verification = work.session.get_one(Verification, key, with_for_update=True)
        if told.active is None or verification.state != VerificationState.SHOWN:
            continue
        if verification.told_active != told.active:
            verification.told_active = told.active
            work.record(EventTag.VERIFICATION_CHANGED, verification)
            tell_asker(work, verification, EventTag.VERIFICATION_CHANGED)


def _decide(work: Work, consent: Consent, name: str, target: ConsentState) -> None:
    lock_row(work.session, consent)
    if consent.state == target:
        return
    if name not in consent.available() or consent.lapses_at <= work.now:
        raise ConflictError("This question is over already.")
    consent.decided_at = work.now
    consent.decided_by = work.actor.person_id
    move(work, consent, name)
    _pass_on(work, consent.verification_id)


def _bring(work: Work, verification: Verification) -> None:
    identifier = queries.identifier_of(verification)
    found = holders(work.session, [identifier])[identifier]
    if len(found) != 1 or found[0] == verification.trader_id:
        return
    holder = work.session.get_one(Trader, found[0])
    lock_words(work.session, "consent", str(holder.id), str(verification.trader_id))
    if queries.is_not_to_be_asked(work.session, holder.id, verification.trader_id, work.now):
        return
    consent = Consent(
        id=work.new_id(),
        trader_id=holder.id,
        trader_name=holder.name,
        verification_id=verification.id,
        asker_id=verification.trader_id,
        asker_name=verification.trader_name,
        scheme=verification.scheme,
        number=verification.number,
        asked_at=work.now,
        lapses_at=verification.lapses_at,
    )
    work.session.add(consent)
    work.session.flush()
    work.record(EventTag.CONSENT_ASKED, consent, trader_id=holder.id)
    tell_holder(work, consent, EventTag.CONSENT_ASKED)


def _pass_on(work: Work, verification_id: uuid.UUID) -> None:
    defer(work, BRING, verification_id=str(verification_id))
