"""What the agency's people do on the main journey, step by step."""

import re
from datetime import timedelta

from app.kernel.clock import SystemClock
from tests.journeys.visitor import Visitor

REASON = "The profile and its evidence are convincing; the sites were checked against them."


def take_the_case(reviewer: Visitor, company: str) -> str:
    """Find the new case in the queue and take it; gives the case's path."""
    reviewer.go("/console/").follow("Unassigned", exact=False)
    reviewer.page.get_by_label("Trader or case reference").fill(company)
    reviewer.press("Filter")
    row = reviewer.main.get_by_role("row").filter(has_text=company)
    case = row.get_by_role("link").first.get_attribute("href")
    row.get_by_role("button", name=re.compile("^Take")).click()
    return reviewer.go(case).path


def verify_identifiers(reviewer: Visitor, case: str) -> None:
    reviewer.go(f"{case}/identifiers")
    buttons = reviewer.main.get_by_role("button", name=re.compile("^Verify"))
    while buttons.count():
        with reviewer.page.expect_navigation():
            buttons.first.click()
    reviewer.arrive()


def judge(reviewer: Visitor, case: str, *, returned: dict[str, str]) -> None:
    """Accept every criterion that is not judged yet, but return those in `returned`."""
    reviewer.go(f"{case}/answers")
    found = reviewer.main.locator("a[href*='/answers/']").all()
    addresses = dict.fromkeys(re.split(r"[?#]", one.get_attribute("href"))[0] for one in found)
    for address in addresses:
        reviewer.go(address)
        for criterion in [name for name in returned if f"/answers/{name.split('.')[0]}" in address]:
            button = reviewer.page.get_by_role("button", name=f"Return {criterion}", exact=True)
            form = reviewer.main.locator("form").filter(has=button)
            form.locator("textarea").fill(returned[criterion])
            button.click()
            button.wait_for(state="hidden")
        accept = reviewer.main.get_by_role("button", name=re.compile(r"^Accept \d"))
        while [one for one in accept.all() if one.is_visible()]:
            first = next(one for one in accept.all() if one.is_visible())
            name = first.inner_text()
            first.click()
            reviewer.main.get_by_role("button", name=name, exact=True).wait_for(state="hidden")
        reviewer.arrive()


def ask(reviewer: Visitor, case: str, message: str) -> None:
    reviewer.go(f"{case}/requests").follow("Ask for information")
    due = SystemClock().now().date() + timedelta(days=20)
    reviewer.fill(message=message, due_on=due.isoformat()).press("Send to the trader")


def recommend(reviewer: Visitor, case: str) -> None:
    reviewer.go(f"{case}/decision").follow("Recommend: Certify")
    reviewer.main.locator("fieldset label").first.click()
    reviewer.fill(reason_text=REASON).press("Preview what the trader will read")
    reviewer.sees(REASON).press("Recommend: Certify")


def cannot_countersign_oneself(reviewer: Visitor, company: str) -> None:
    open_determination(reviewer, company)
    assert reviewer.main.get_by_role("button", name=re.compile("^Approve")).count() == 0


def open_determination(person: Visitor, company: str) -> None:
    person.go("/console/determinations")
    row = person.main.get_by_role("row").filter(has_text=company)
    person.go(row.get_by_role("link").first.get_attribute("href"))


def countersign(supervisor: Visitor, company: str) -> None:
    open_determination(supervisor, company)
    with supervisor.page.expect_navigation():
        supervisor.main.get_by_role("button", name=re.compile("^Approve")).click()
    supervisor.arrive()


def partner_page(person: Visitor, company: str) -> str:
    person.go("/console/register").fill(name=company).press("Filter").follow(company)
    return person.path


def propose_change(reviewer: Visitor, partner: str, move: str, *, choose: str = "") -> None:
    """Propose a change of standing: its page, its preview, its button."""
    reviewer.go(partner).follow(move)
    if choose:
        reviewer.main.locator("label").filter(has_text=choose).first.click()
    reasons = reviewer.main.locator("fieldset").filter(
        has=reviewer.page.locator("legend", has_text="Reason")
    )
    reasons.locator("label").first.click()
    reviewer.fill(reason_text=REASON).press("Preview what the trader will read")
    with reviewer.page.expect_navigation():
        reviewer.main.locator("button[name=step][value=send]").click()
    reviewer.arrive()


def suspend_now(reviewer: Visitor, partner: str) -> None:
    """One signature, at once; the page says so before one sends it."""
    reviewer.go(partner).follow("Suspend now").sees("One signature, at once")
    reasons = reviewer.main.locator("fieldset").filter(
        has=reviewer.page.locator("legend", has_text="Reason")
    )
    reasons.locator("label").first.click()
    reviewer.fill(reason_text="Contraband was found in a container of the partner.")
    reviewer.press("Preview what the trader will read")
    with reviewer.page.expect_navigation():
        reviewer.main.locator("button[name=step][value=send]").click()
    reviewer.arrive()
