"""How both sides of a verification stand, in words."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from app.verifications.models import Consent, Verification
from app.verifications.queries import Shown
from app.verifications.workflow import ConsentState, VerificationState
from app.web.banners import Banner
from app.web.filters import day, when

VERIFICATIONS = {
    VerificationState.WAITING: (_l("Waits for consent"), "progress"),
    VerificationState.SHOWN: (_l("Shown to you"), "success"),
    VerificationState.LAPSED: (_l("Not shown"), "neutral"),
    VerificationState.WITHDRAWN: (_l("Taken back"), "neutral"),
    VerificationState.ENDED: (_l("No longer shown"), "warning"),
}
CONSENTS = {
    ConsentState.ASKED: (_l("Waits for your answer"), "warning"),
    ConsentState.GIVEN: (_l("Sees your status"), "success"),
    ConsentState.DECLINED: (_l("Declined"), "neutral"),
    ConsentState.LAPSED: (_l("Never answered"), "neutral"),
    ConsentState.ENDED: (_l("Ended by you"), "neutral"),
    ConsentState.CLOSED: (_l("Ended by them"), "neutral"),
}


def asked_banner(
    verification: Verification, state: VerificationState, shown: Shown | None
) -> Banner:
    """What the asker sees: as of now, or why nothing."""
    if state is VerificationState.SHOWN:
        return _shown_banner(shown)
    match state:
        case VerificationState.WAITING:
            body = gettext(
                "If a company here goes by this number, its officers can consent until %(day)s. You hear"
                " nothing of it, not even whether the number is known, until they do.",
                day=day(verification.lapses_at),
            )
            return Banner(gettext("Waits for consent"), body, None, "progress")
        case VerificationState.LAPSED:
            body = gettext(
                "Nobody consented in time, or nobody here goes by this number. Fairway does not tell"
                " which."
            )
            return Banner(gettext("Not shown"), body, None, "neutral")
        case VerificationState.WITHDRAWN:
            body = gettext("You took it back on %(day)s.", day=day(verification.ended_at))
            return Banner(gettext("Taken back"), body, None, "neutral")
        case _:
            return _shown_banner(None)


def _shown_banner(shown: Shown | None) -> Banner:
    """What is shown at this instant; nothing, as soon as the consent is gone."""
    if shown is None:
        body = gettext(
            "The company has taken its consent back. Do not rely on what you saw before."
        )
        return Banner(gettext("No longer shown"), body, None, "warning")
    if shown.active is None:
        body = gettext("The register cannot be read afresh just now. Do not rely on anything.")
        return Banner(gettext("Cannot be said now"), body, None, "warning")
    as_of = gettext("As of %(at)s. Look again before you rely on it.", at=when(shown.as_of))
    if shown.active:
        return Banner(gettext("Is an active partner"), as_of, None, "success")
    return Banner(gettext("Is not an active partner"), as_of, None, "warning")


def consent_banner(consent: Consent, state: ConsentState, *, may_answer: bool) -> Banner:
    """What the company that was asked sees: who sees what of it, and whose turn it is."""
    match state:
        case ConsentState.ASKED:
            body = gettext(
                "%(asker)s asks to see whether your company is an active partner. Until %(day)s an"
                " officer can consent; nothing is shown before.",
                asker=consent.asker_name,
                day=day(consent.lapses_at),
            )
            turn = gettext("You") if may_answer else gettext("An officer of yours")
            return Banner(gettext("Waits for your answer"), body, turn, "warning")
        case ConsentState.GIVEN:
            body = gettext(
                "Since %(day)s they see, at any time, whether your company is an active partner, and"
                " get a letter when that changes. They see no tier, no reason and nothing else.",
                day=day(consent.decided_at),
            )
            return Banner(gettext("Sees your status"), body, None, "success")
        case ConsentState.DECLINED:
            body = gettext("They were not told, and see nothing.")
            return Banner(gettext("Declined"), body, None, "neutral")
        case ConsentState.LAPSED:
            body = gettext("Its time has passed. They see nothing.")
            return Banner(gettext("Never answered"), body, None, "neutral")
        case _:
            body = gettext("It ended on %(day)s. They see nothing.", day=day(consent.ended_at))
            return Banner(gettext("Ended"), body, None, "neutral")
