"""What the pages of signing in through a provider say."""

from flask_babel import gettext

from app.identity.oidc.rules import Reason


def reason_words(reason: Reason, provider: str) -> tuple[str, str]:
    """Why it ended, as a heading and what to do, for the person who was sent back."""
    again = gettext("Nothing was changed. You can try again, or sign in another way.")
    words = {
        Reason.CANCELLED: (gettext("You cancelled the sign-in"), again),
        Reason.AWAY: (
            gettext("%(provider)s does not answer", provider=provider),
            gettext("This is not your fault. Wait a few minutes, or sign in another way."),
        ),
        Reason.STATE: (
            gettext("This sign-in is over"),
            gettext(
                "It was used already, took too long, or began in another browser. Begin again."
            ),
        ),
        Reason.ASSURANCE: (
            gettext("A stronger sign-in is needed"),
            gettext(
                "%(provider)s let you in by a way that is not strong enough here. Sign in there"
                " again, with your security key, PIV card or second factor.",
                provider=provider,
            ),
        ),
        Reason.UNVERIFIED: (
            gettext("Your email address is not confirmed"),
            gettext(
                "Confirm your email address at %(provider)s, then come back.", provider=provider
            ),
        ),
        Reason.NOT_INVITED: (
            gettext("You have not been invited yet"),
            gettext("Staff join by invitation. Ask the person who runs Fairway at your agency."),
        ),
        Reason.WRONG_SIDE: (
            gettext("This is not the door for your account"),
            gettext(
                "Traders sign in through the traders' provider, and the agency's people through"
                " the agency's. Choose the other one."
            ),
        ),
        Reason.ENDED: (
            gettext("This account has ended"),
            gettext("If you think that this is a mistake, ask the people who run this service."),
        ),
        Reason.OTHER_PERSON: (
            gettext("That was somebody else's sign-in"),
            gettext("Confirm with the identity that belongs to the account you are signed in to."),
        ),
        Reason.TAKEN: (
            gettext("This identity belongs to another account"),
            gettext("An identity opens one account. Remove it there first."),
        ),
        Reason.STALE: (
            gettext("That did not confirm that it is you"),
            gettext("%(provider)s did not ask you to sign in anew. Try again.", provider=provider),
        ),
        Reason.KNOWN: (
            gettext("You have an account already"),
            gettext(
                "An account with your email address exists. Sign in to it as you always do; then"
                " you can add %(provider)s as a way in. This keeps others out of your account.",
                provider=provider,
            ),
        ),
    }
    return words.get(reason) or (
        gettext("The sign-in could not be trusted"),
        gettext("What came back from %(provider)s was not in order.", provider=provider)
        + " "
        + again,
    )
