"""What somebody who was called away sees, and that nothing they typed is lost."""

import re

from playwright.sync_api import Locator, expect

from tests.journeys.visitor import Visitor

TYPED = "Warehouse at the old quay"
MINUTE = 60_000


def warning(person: Visitor) -> Locator:
    return person.page.locator("#session-end")


def later(person: Visitor, minutes: float) -> None:
    """Let time go by in the browser; the server's clock stays as it is."""
    person.page.clock.fast_forward(round(minutes * MINUTE))


def test_a_warning_before_the_session_ends(visitor):
    person = visitor()
    person.page.clock.install()
    person.sign_in_as("Ines Calder")
    other = person.page.context.new_page()
    home = re.match(r"/traders/[^/]+", person.path)[0]
    person.go(f"{home}/sites/new").fill(name=TYPED)
    expect(warning(person)).to_be_hidden()

    later(person, 27)
    expect(warning(person)).to_contain_text("Are you still there?")
    expect(warning(person)).to_contain_text(re.compile(r"at \d\d:\d\d"))
    person.arrive()
    person.page.get_by_role("button", name="Stay signed in").click()
    expect(warning(person)).to_be_hidden()
    later(person, 25)
    expect(warning(person)).to_be_hidden()

    # Another tab speaks for all of them.
    later(person, 2)
    expect(warning(person)).to_be_visible()
    other.goto(f"{person.address}{home}/sites")
    later(person, 0.2)
    expect(warning(person)).to_be_hidden()

    # Who never came back is told, keeps what they typed, and sends it after signing in again.
    later(person, 31)
    expect(warning(person)).to_contain_text("You are signed out.")
    expect(person.page.get_by_role("button", name="Stay signed in")).to_be_hidden()
    assert person.page.locator("[name=name]").input_value() == TYPED
    person.page.context.clear_cookies()
    person.main.get_by_role("button", name="Save").click()
    person.page.get_by_text("Nothing that you typed is lost").first.wait_for()
