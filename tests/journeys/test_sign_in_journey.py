"""Passkeys with Chromium's own virtual authenticator, and authenticator apps, as people use them."""

import re
import secrets

import pyotp

from app.kernel.clock import SystemClock
from tests.journeys import trader_steps as trader
from tests.journeys.visitor import PASSWORD, Visitor

RUN = secrets.token_hex(3)


def give_a_device(person: Visitor) -> None:
    """A device that holds discoverable keys and verifies its user, through the browser's protocol."""
    protocol = person.page.context.new_cdp_session(person.page)
    protocol.send("WebAuthn.enable")
    protocol.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def sign_out(person: Visitor) -> None:
    person.page.locator(".person-menu summary").click()
    person.page.get_by_role("button", name="Sign out").click()
    person.arrive().sees("You are signed out.")


def use_the_passkey(person: Visitor, button: str, *, then: str) -> None:
    person.main.get_by_role("button", name=button, exact=True).click()
    person.page.get_by_text(then).first.wait_for()
    person.arrive()


def is_refused(person: Visitor, button: str) -> None:
    """Press a button whose page comes back with what is wrong."""
    with person.page.expect_navigation():
        person.main.get_by_role("button", name=button, exact=True).click()
    person.forgive(422)
    person.arrive().sees("There is a problem")


def sign_up_to_the_choice(person: Visitor, name: str, email: str) -> None:
    person.go("/sign-up").fill(name=name, email=email, password=PASSWORD).press("Sign up")
    trader.confirm_mail(person, "Confirm your email address for Fairway")
    person.fill(password=PASSWORD).press("Confirm and sign in")


def test_a_passkey_from_its_making_to_its_end(visitor):
    person = visitor()
    give_a_device(person)
    sign_up_to_the_choice(person, "Ada Brook", f"ada@{RUN}.example")
    # Nothing else is open before.
    person.go("/security").sees("Choose how you sign in")
    person.follow("Set up a passkey").fill(name="Work laptop")
    use_the_passkey(person, "Create the passkey", then="They are shown only now.")
    person.follow("I have kept them: go on")
    sign_out(person)

    person.go("/sign-in")
    use_the_passkey(person, "Sign in with a passkey", then="Register your company")
    person.go("/security").sees("Work laptop").sees("Signed in by passkey").sees("This session")

    # The last factor stays; with a second one it may go.
    assert person.main.get_by_role("button", name="Remove this passkey").count() == 0
    person.sees("Your last way to sign in").follow("Set up an authenticator app")
    key = person.page.locator("#authenticator-key").inner_text().replace(" ", "")
    person.fill(code=pyotp.TOTP(key).now()).press("Finish")
    person.go("/security").press("Remove this passkey").sees("The passkey is removed.")
    person.misses("Work laptop")


def test_a_password_and_an_app(visitor):
    email = f"tom@{RUN}.example"
    person = visitor()
    sign_up_to_the_choice(person, "Tom Okafor", email)
    key = trader.set_up_an_authenticator(person)
    sign_out(person)
    person.fill(email=email, password=PASSWORD).press("Sign in")
    person.sees("One more proof").fill(code="000000")
    is_refused(person, "Go on")
    # The code that set the app up is used; the next half minute's is accepted already.
    later = pyotp.TOTP(key).at(SystemClock().now(), counter_offset=1)
    person.fill(code=later).press("Go on")
    person.go("/security").sees("Signed in by password and authenticator app")


def test_staff_have_no_way_in_by_password(visitor):
    person = visitor(javascript=False)
    person.go("/sign-in").sees(re.compile("This browser cannot use passkeys"))
    person.fill(email="reviewer@demo.example", password=PASSWORD)
    is_refused(person, "Sign in")
    assert person.path.startswith("/sign-in")
    person.go("/console/")
    assert person.path.startswith("/sign-in")
