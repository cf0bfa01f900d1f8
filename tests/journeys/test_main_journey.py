"""The whole main job, from a stranger's sign-up to a release system's decision, in a browser."""

import re
import secrets
from pathlib import Path

from tests.journeys.visitor import PASSWORD, Visitor

# A run of its own words and numbers, so that it can visit one installation twice.
RUN = secrets.token_hex(3)
COMPANY = f"Vance Home Goods {RUN} LLC"
NORA = f"nora@{RUN}.example"
PIA = f"pia@{RUN}.example"
IMPORTER_NUMBER = f"45-{secrets.randbelow(10**7):07d}00"


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


def fill_in_the_profile(officer: Visitor, trader: str, importer_number: str) -> None:
    claim(officer, trader, "Importer of record number", importer_number)
    claim(officer, trader, "Legal entity identifier", "213800KUD8LAJWSQ9D15")
    claim(officer, trader, "D-U-N-S", "150483782")
    claim(officer, trader, "Global location number", "9501101530003")
    officer.go(f"{trader}/bonds/new").choose("Kind of bond", "Continuous")
    officer.fill(number="991234567", surety="Harbor Surety Company", activity_code="1")
    officer.fill(amount="50000", valid_from="2025-01-01").press("Save")
    officer.go(f"{trader}/contacts/new").fill(name="Nora Vance", role="Chief operating officer")
    officer.choose(re.compile("What is this person"), "Company officer")
    officer.fill(email=NORA, phone="+1 562 555 0134")
    officer.tick("Primary security contact").press("Save")
    officer.go(f"{trader}/sites/new").fill(name="Long Beach warehouse")
    officer.choose("What happens there?", "Warehouse").pick("country", "United States")
    officer.fill(address_line="88 Pier Avenue", city="Long Beach", region="CA")
    officer.fill(postal_code="90802").press("Save")


def appoint_preparer(officer: Visitor, preparer: Visitor, trader: str) -> None:
    officer.go(f"{trader}/people/invite").fill(email=PIA)
    officer.choose("Role", "Preparer: may fill in and upload, but not sign or submit")
    officer.press("Send the invitation")
    sign_up(preparer, "Pia Lund", PIA)
    confirm_mail(preparer, f"Nora Vance invites you to act for {COMPANY}")
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


def fill_in_a_section(preparer: Visitor, evidence: Path) -> None:
    """Answer every question of the section in view, attach what is needed, complete it."""
    page = preparer.page
    for criterion in page.locator("details.criterion").all():
        if criterion.get_attribute("open") is None:
            criterion.locator("> summary").click()
        for question in criterion.locator("fieldset").all():
            if question.locator("input[type=radio]").count():
                question.locator("label").first.click()
            elif question.locator("input[type=checkbox]").count():
                question.locator("label").first.click()
        for choice in criterion.locator(".question select").all():
            choice.select_option(index=1)
        for field in criterion.locator(".question input[type=date]").all():
            field.fill("2026-09-01")
        for field in criterion.locator(".question input[inputmode]").all():
            field.fill("12")
        for field in criterion.locator(
            ".question input[type=text]:not([inputmode]), .question textarea"
        ).all():
            if not field.get_attribute("name").endswith("not_applicable_reason"):
                field.fill("Written down, done every week, checked by the warehouse manager.")
        how = criterion.locator("textarea[name$=how_met]").last
        how.fill("Our written procedure names who does this, and the log shows that it was done.")
    preparer.choose("Have you completed this section?", "Yes, it is complete")
    preparer.press("Save and continue")


def attach_evidence(preparer: Visitor, evidence: Path) -> None:
    """Attach one file to each criterion that asks for one, as the evidence page lists them."""
    page = preparer.page
    while page.locator("main a[href*='/sections/']").count():
        page.locator("main a[href*='/sections/']").first.click()
        page.wait_for_load_state()
        wanting = page.locator(".evidence").filter(has_text=re.compile(r"needed; attached: 0"))
        while wanting.count():
            box = wanting.first
            box.locator("input[type=file]").set_input_files(evidence)
            box.get_by_role("button", name=re.compile("^Attach")).click()
            page.wait_for_load_state()
        preparer.arrive()
        page.goto(preparer.evidence_page)


def test_the_whole_main_job(visitor, served, tmp_path: Path):
    officer, preparer = visitor(), visitor()
    sign_up(officer, "Nora Vance", NORA)
    trader = register_company(officer, COMPANY)
    fill_in_the_profile(officer, trader, IMPORTER_NUMBER)
    appoint_preparer(officer, preparer, trader)
    application = start_application(officer, trader)
