"""The letters about verifications: to the officers of one company, naming the other alone.

A letter never says what the status is: it says where to look. Whoever forwards it gives nothing away.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.audit.tags import EventTag
from app.notifications.service import send
from app.traders.queries import officers_of
from app.verifications.models import Consent, Verification
from app.work import Work


@dataclass(frozen=True, slots=True)
class Told:
    """Subject line, what happened, and what the reader can do."""

    subject: str
    happened: str
    advice: str


TOLD: Final[Mapping[EventTag, Told]] = {
    EventTag.CONSENT_ASKED: Told(
        "A company asks whether you are a partner",
        "A company that is an active partner itself asks to see whether yours is. It sees nothing, and"
        " not even that you were asked, unless an officer of yours consents.",
        "Consent or decline in Fairway. If you do not know the company, decline, or do nothing.",
    ),
    EventTag.CONSENT_CLOSED: Told(
        "A company no longer asks whether you are a partner",
        "The company has taken its question back, and sees nothing of yours any more.",
        "There is nothing to do.",
    ),
    EventTag.VERIFICATION_SHOWN: Told(
        "A company shows you whether it is a partner",
        "The company consents: you see in Fairway, at any time, whether it is an active partner.",
        "Look each time before you rely on it. Either side can end this.",
    ),
    EventTag.VERIFICATION_LAPSED: Told(
        "A question was not answered",
        "Nothing is shown to you for this number: nobody has consented within thirty days, or nobody"
        " here goes by it. Fairway does not tell which.",
        "If you know the company, ask it which number it goes by.",
    ),
    EventTag.VERIFICATION_CHANGED: Told(
        "The status of a company has changed",
        "Whether the company is an active partner has changed since you were last told.",
        "Look in Fairway before you rely on it.",
    ),
    EventTag.VERIFICATION_ENDED: Told(
        "A company no longer shows you whether it is a partner",
        "The company has taken its consent back. From now on you see nothing.",
        "Do not rely on what you saw before.",
    ),
}


def tell_asker(work: Work, verification: Verification, tag: EventTag) -> None:
    """Write to every officer of the company that asked. Letters alone."""
    other = verification.holder_name or verification.number
    path = f"/traders/{verification.trader_id}/verifications/{verification.id}"
    _send(work, verification.trader_id, verification.trader_name, tag, other, path)


def tell_holder(work: Work, consent: Consent, tag: EventTag) -> None:
    """Write to every officer of the company that was asked. Letters alone."""
    path = f"/traders/{consent.trader_id}/verifications/consents/{consent.id}"
    _send(work, consent.trader_id, consent.trader_name, tag, consent.asker_name, path)


def _send(
    work: Work, trader_id: uuid.UUID, company: str, tag: EventTag, other: str, path: str
) -> None:
    told = TOLD[tag]
    for person in officers_of(work.session, trader_id):
        send(
            work,
            to=person.email,
            template="verification",
            person_id=person.id,
            name=person.name,
            subject=told.subject,
            happened=told.happened,
            advice=told.advice,
            company=company,
            other=other,
            path=path,
        )
