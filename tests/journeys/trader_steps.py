"""What a trader's people do on the main journey, step by step."""

import re
from pathlib import Path

import pyotp
from playwright.sync_api import Locator, expect

from tests.journeys.visitor import PASSWORD, Visitor


def confirm_mail(person: Visitor, subject: str) -> None:
    """Open the newest letter with that subject in the demo mailbox and follow its link."""
    person.go("/demo/mailbox")
    person.follow(subject)
    person.page.locator("main pre a").first.click()
    person.arrive()


def sign_up(person: Visitor, name: str, email: str) -> None:
    person.go("/sign-up").fill(name=name, email=email, password=PASSWORD).press("Sign up")
    confirm_mail(person, "Confirm your email address for Fairway")
    person.fill(password=PASSWORD).press("Confirm and sign in")
    set_up_an_authenticator(person)


def set_up_an_authenticator(person: Visitor) -> str:
    """The second factor that everybody needs; gives the key that the app would hold."""
    person.sees("Choose how you sign in").follow("Set up an authenticator app")
    key = person.page.locator("#authenticator-key").inner_text().replace(" ", "")
    person.fill(code=pyotp.TOTP(key).now()).press("Finish")
    person.sees("They are shown only now.").follow("I have kept them: go on")
    return key


def register_company(officer: Visitor, name: str) -> str:
    """Register an importer with all that an application needs; gives the trader's path."""
    officer.follow("Register your company")
    officer.choose("What kind of company is it?", "Importer")
    officer.fill(name=name, address_line="88 Pier Avenue", city="Long Beach")
    officer.fill(region="CA", postal_code="90802").pick("country", "United States")
    officer.choose(re.compile("Where is the office"), "United States")
    officer.choose(re.compile("customs business"), "Yes")
    officer.press("Register the company")
    return officer.path.split("/overview")[0]


def claim(officer: Visitor, trader: str, scheme: str, value: str) -> None:
    officer.go(f"{trader}/identifiers").follow(f"Claim {scheme}", exact=False)
    officer.fill(value=value).press("Claim it")


def fill_in_the_profile(
    officer: Visitor, trader: str, identifiers: dict[str, str], *, email: str
) -> None:
    for scheme, value in identifiers.items():
        claim(officer, trader, scheme, value)
    officer.go(f"{trader}/bonds/new").choose("Kind of bond", "Continuous")
    officer.fill(number="991234567", surety="Harbor Surety Company", activity_code="1")
    officer.fill(amount="50000", valid_from="2025-01-01").press("Save")
    officer.go(f"{trader}/contacts/new").fill(name="Nora Vance", role="Chief operating officer")
    officer.choose(re.compile("What is this person"), "Company officer")
    officer.fill(email=email, phone="+1 562 555 0134")
    officer.tick("Primary security contact").press("Save")
    officer.go(f"{trader}/sites/new").fill(name="Long Beach warehouse")
    officer.choose("What happens there?", "Warehouse").pick("country", "United States")
    officer.fill(address_line="88 Pier Avenue", city="Long Beach", region="CA")
    officer.fill(postal_code="90802").press("Save")


def appoint_preparer(
    officer: Visitor, preparer: Visitor, trader: str, *, company: str, email: str
) -> None:
    officer.go(f"{trader}/people/invite").fill(email=email)
    officer.choose("Role", "Preparer: may fill in and upload, but not sign or submit")
    officer.press("Send the invitation")
    sign_up(preparer, "Pia Lund", email)
    confirm_mail(preparer, f"Nora Vance invites you to act for {company}")
    preparer.press("Accept")


DEBT = re.compile("debt", re.IGNORECASE)


def answer_eligibility(officer: Visitor, *, debt: str) -> None:
    questions = officer.main.locator("fieldset")
    for number in range(questions.count()):
        question = questions.nth(number)
        answer = debt if DEBT.search(question.locator("legend").inner_text()) else "Yes"
        question.locator("label").filter(has_text=re.compile(rf"^\s*{answer}")).click()
    officer.press("See the result")


def start_application(officer: Visitor, trader: str) -> str:
    """A "no" first, which is a page with its reason; then a "yes"; gives the application's path."""
    officer.go(f"{trader}/applications").follow("Before you start", exact=False)
    officer.follow("Check eligibility")
    answer_eligibility(officer, debt="Yes")
    officer.sees("You cannot apply yet").sees("What to do:")
    officer.go(f"{trader}/applications").follow("Before you start", exact=False)
    officer.follow("Check eligibility again")
    answer_eligibility(officer, debt="No")
    officer.sees("You can apply").press("Start application")
    return officer.path


def shown(within: Locator, selector: str) -> list[Locator]:
    return [one for one in within.locator(selector).all() if one.is_visible()]


PROSE = "Written down, done every week, checked by the warehouse manager."
UNANSWERED = ".question fieldset:has([type=radio], [type=checkbox]):not(:has(:checked))"
OPEN_TEXT = ".question input[type=text]:not([inputmode]), .question textarea"


def fill_in_a_section(preparer: Visitor) -> None:
    """Answer every question of the section in view, also those that an answer brings up."""
    for criterion in preparer.page.locator("details.criterion").all():
        if criterion.get_attribute("open") is None:
            criterion.locator("> summary").click()
        # One after the other, since an answer can bring up the next question.
        while unanswered := shown(criterion, UNANSWERED):
            unanswered[0].locator("label").first.click()
        for choice in shown(criterion, ".question select"):
            choice.select_option(index=1)
        for field in shown(criterion, ".question input[type=date]"):
            field.fill("2026-09-01")
        for field in shown(criterion, ".question input[inputmode]"):
            field.fill("12")
        for field in shown(criterion, OPEN_TEXT):
            field.fill(PROSE)
        how = criterion.locator("textarea[name$=how_met]").last
        how.fill("Our written procedure names who does this, and the log shows that it was done.")


def finish(preparer: Visitor) -> None:
    """Save for good. A background save that comes too late is refused (409) after the page is gone,
    which nobody sees but the browser's console."""
    with preparer.page.expect_navigation():
        preparer.main.get_by_role("button", name="Save and continue").click()
    preparer.forgive(409)
    preparer.arrive()
    assert "check=yes" not in preparer.path, preparer.main.inner_text()


def attach_evidence(preparer: Visitor, evidence: Path) -> None:
    """Upload one file to each criterion of the section in view that still asks for one."""
    page = preparer.page
    wanting = page.locator(".evidence").filter(has_text="attached: 0")
    boxes = [f"#{box.get_attribute('id')}".replace(".", r"\.") for box in wanting.all()]
    for box in boxes:
        wanted = page.locator(box)
        if not wanted.is_visible():
            wanted.locator("xpath=ancestor::details/summary").first.click()
        if not wanted.locator("input[type=file]").is_visible():
            wanted.locator("summary").first.click()
        wanted.locator("input[type=file]").set_input_files(evidence)
    if boxes:
        # One press uploads everything that was chosen on the page.
        with page.expect_navigation():
            page.locator(boxes[-1]).get_by_role("button", name=re.compile("^Attach")).click()
    for box in boxes:
        expect(page.locator(box)).to_contain_text("attached: 1")
    preparer.forgive(409)
    preparer.arrive()


def assess(preparer: Visitor, application: str, evidence: Path) -> None:
    """Work through every section of the assessment, as the task list offers them."""
    preparer.go(application)
    sections = preparer.main.locator("a[href*='/sections/']")
    addresses = [one.get_attribute("href") for one in sections.all()]
    assert len(addresses) == 12
    for address in addresses:
        preparer.go(address)
        fill_in_a_section(preparer)
        attach_evidence(preparer, evidence)
        preparer.choose("Have you completed this section?", "Yes, it is complete")
        finish(preparer)


def sign(officer: Visitor, preparer: Visitor, application: str) -> None:
    """Only an officer is offered to sign."""
    preparer.go(application).follow("Partner agreement")
    assert preparer.main.get_by_role("button", name="Sign the agreement").count() == 0
    officer.go(application).follow("Partner agreement")
    officer.tick("I have read the agreement").fill(name="Nora Vance").press("Sign the agreement")


def submit(officer: Visitor, preparer: Visitor, application: str) -> None:
    """Only an officer is offered to declare and submit."""
    preparer.go(application).follow("Check and submit")
    assert preparer.main.get_by_role("button", name="Submit application").count() == 0
    officer.go(application).follow("Check and submit")
    officer.tick("I make this declaration.").fill(name="Nora Vance").press("Submit application")


def answer_the_request(officer: Visitor, preparer: Visitor, application: str, comment: str) -> None:
    """Only the named section is open again; mend it and submit once more."""
    preparer.go(application).sees(comment)
    assert preparer.main.locator(".task-list a[href*='/sections/']").count() == 1
    preparer.page.locator(".task-list a[href*='/sections/']").click()
    preparer.arrive().sees(comment)
    asked = preparer.page.locator("details.criterion").filter(has_text=comment)
    how = asked.locator("textarea[name$=how_met]").last
    how.fill("The assessment of March 2026 now names every lane, with its owner and its date.")
    preparer.choose("Have you completed this section?", "Yes, it is complete")
    finish(preparer)
    submit(officer, preparer, application)


def upload(preparer: Visitor, trader: str, file: Path, *, outcome: str) -> None:
    """Send a file and wait until its page says by itself what came of it."""
    preparer.go(f"{trader}/advance-data/upload").attach("file", file).press("Upload and check")
    preparer.page.get_by_text(outcome).first.wait_for(timeout=60_000)
    preparer.page.reload()
    preparer.arrive()
