"""Who does what and when: the outline of the story. Days count back from the present."""

from collections.abc import Mapping

from app.authz.actor import DelegationScope, TraderRole
from app.demo import applying, delegating, planning, publishing, reviewing, succeeding, talking
from app.demo.applying import Bid
from app.demo.cast import Company
from app.demo.filings import Shipment, send
from app.demo.founding import (
    claim_late,
    claim_rival,
    invite_late,
    refuse_claim,
    register_company,
    resolve_conflict,
)
from app.demo.script import Script
from app.demo.standing import move_standings, take_over
from app.kernel.identifiers import Scheme
from app.traders.kinds import EntityType

CHECKED_AFTER = 6
BEGINNERS = ("willowbrook", "zephyr")
UNVERIFIED = ("verdant", "tamarack")
CRITERIA_MET = "Every category was answered with evidence, and no point of the review is open."
NOT_MET = (
    "The answers describe what is planned, not what is in place, and no record shows that the"
    " checks are made. Please apply again when three months of records exist."
)

Cast = Mapping[str, Company]


def write(script: Script, cast: Cast) -> None:
    """The whole outline."""
    taken_on = take_over(script, cast)
    for key, company in cast.items():
        if key not in taken_on:
            register_company(
                script,
                company,
                verified_after=None if key in (*BEGINNERS, *UNVERIFIED) else CHECKED_AFTER,
                bare=key in BEGINNERS,
            )
    move_standings(script)
    _identifiers(script, cast)
    _shipments(script, cast)
    _delegations(script, cast)
    _criteria(script)
    if script.calendar.open_for_applications:
        _cases(script, cast)


FILERS = (
    *("alder", "calloway", "granite", "eastgate", "ironbridge", "gable", "dunmore", "delmar"),
    *("juniper", "marlow", "oakhurst", "bellwether", "copperleaf", "kestrel", "cedar", "lakeshore"),
)
ROWS = (96, 134)
HARBOUR_BATCHES = 28


def _shipments(script: Script, cast: Cast) -> None:
    """About five thousand filings: many of one importer, a few of others, one file that broke."""
    harbour = cast["harbour"]
    random = harbour.random("shipments")
    for number in range(1, HARBOUR_BATCHES + 1):
        days = 706 - (number - 1) * 26 + random.uniform(-4, 4)
        broken = number == HARBOUR_BATCHES - 2
        send(script, max(days, 1.7), Shipment(harbour, number, random.randint(*ROWS), broken))
    for key in FILERS:
        company = cast[key]
        days = random.uniform(2, min(company.since - 8, 320))
        send(script, days, Shipment(company, 1, random.randint(*ROWS)))


_MESSAGES = (
    (54, 14, "CCCCC", 19),
    (38, 12, "CCCTC", 40),
    (24, 16, "CCTCR", 31),
    (9, 12, "CTCCC", None),
    (4, 10, "CCRCT", 6),
)
"""The broker's messages: days ago, how many, what they leave open, when the ships arrive."""


def _delegations(script: Script, cast: Cast) -> None:
    """One in force, two that wait for an answer; and an officer who has left her company."""
    harbour, tideway = cast["harbour"], cast["tideway"]
    delegating.offer(
        script,
        62,
        harbour,
        tideway,
        {DelegationScope.SUBMIT, DelegationScope.STATUS},
        accepted_after=1,
    )
    send(script, 20, Shipment(harbour, HARBOUR_BATCHES + 1, 36, through=tideway))
    for number, (days, rows, reasons, arrives_in) in enumerate(_MESSAGES, HARBOUR_BATCHES + 2):
        shipment = Shipment(
            harbour,
            number,
            rows,
            through=tideway,
            form="abi",
            reasons=reasons,
            arrives_in=arrives_in,
        )
        send(script, days, shipment)
    for number, days in enumerate((66, 45, 31, 16, 5), HARBOUR_BATCHES + 10):
        send(script, days, Shipment(harbour, number, 40 + 7 * number % 30, form="xlsx"))
    delegating.offer(
        script, 2.5, cast["juniper"], tideway, {DelegationScope.PREPARE, DelegationScope.RESPOND}
    )
    delegating.ask(script, 1.8, cast["cardinal"], harbour, {DelegationScope.DATA})
    succeeding.propose(script, 2.2, cast["crossway"], by="reviewer", name="Imani Rowntree")


def _criteria(script: Script) -> None:
    """The versions of which two people said that they are used; open drafts stay on theirs."""
    days = (12.0, 8.0)
    publishing.publish(
        script,
        days,
        "importer",
        "2026.2",
        "Questions that asked two things at once made answers that nobody could judge.",
    )
    publishing.publish(
        script, days, "broker", "2026.2", "Brokers are asked the whole published list from now on."
    )
    publishing.publish(
        script, days, "trade-compliance", "2026.1", "The programme for trade compliance opens."
    )


def _identifiers(script: Script, cast: Cast) -> None:
    claim_rival(script, 410, cast["kestrel"], cast["granite"], Scheme.GLN)
    claim_rival(script, 66, cast["thistle"], cast["bellwether"], Scheme.DUNS)
    claim_rival(script, 28, cast["stonegate"], cast["blue-mesa"], Scheme.DUNS)
    resolve_conflict(
        script,
        386,
        cast["granite"],
        Scheme.GLN,
        "The certificate that you sent names another company. Please claim your own number.",
    )
    for key, days, email, role in (
        ("harbour", 6, "lena.osei@harbour.example", TraderRole.VIEWER),
        ("juniper", 4, "ana.ruiz@juniper.example", TraderRole.PREPARER),
        ("tideway", 8, "joel.stern@tideway.example", TraderRole.PREPARER),
    ):
        invite_late(script, days, cast[key], email, role)
    claim_late(script, 11, cast["harbour"], Scheme.GLN, "0614141000012")
    refuse_claim(
        script,
        560,
        cast["greyling"],
        Scheme.DUNS,
        "The number belongs to a company in another state. Please ask the issuer for yours.",
    )


def _cases(script: Script, cast: Cast) -> None:
    _ended(script, cast)
    _with_the_agency(script, cast)
    _with_the_trader(script, cast)
    _in_preparation(script, cast)


def _ended(script: Script, cast: Cast) -> None:
    """Applications that were granted, refused or withdrawn; some tried again later."""
    harbour = Bid(cast["harbour"], "harbour", thorough=True, honest_gaps=0.02)
    granted(script, harbour, (312, 258), "reviewer")
    planning.plan(script, 40, harbour)
    talking.talk(script, 12, harbour, ("4.12", "9.16"))
    granted(script, Bid(cast["crossway"], "crossway"), (305, 250), "second-reviewer")
    granted(script, Bid(cast["cardinal"], "cardinal"), (292, 228), "reviewer")
    granted(script, Bid(cast["keystone"], "keystone"), (270, 205), "second-reviewer")
    granted(script, Bid(cast["lighthouse"], "lighthouse"), (236, 176), "reviewer")
    refused(script, Bid(cast["dockside"], "dockside-1", honest_gaps=0.4), (300, 244), "reviewer")
    refused(script, Bid(cast["ferrier"], "ferrier-1", honest_gaps=0.3), (288, 222), "reviewer")
    withdrawn(script, Bid(cast["peninsula"], "peninsula-1"), (195, 160), "second-reviewer")
    withdrawn(script, Bid(cast["riverbend"], "riverbend-1"), (140, 104), "reviewer")
    refused(script, Bid(cast["beacon"], "beacon-1", honest_gaps=0.3), (250, 190), "reviewer")
    early = Bid(cast["larkspur"], "larkspur-1")
    applying.begin(script, 230, early)
    applying.fill(script, (228, 220), early, share=0.15)
    applying.withdraw(script, 206, early)


def _with_the_agency(script: Script, cast: Cast) -> None:
    """Cases that wait for a reviewer, are under review, or wait for the second signature."""
    for key, days in (
        ("ferrier", (92, 71)),
        ("thistle", (58, 43)),
        ("peninsula", (60, 34)),
        ("marlow", (49, 21)),
        ("riverbend", (52, 17)),
        ("union-station", (40, 6)),
    ):
        sent(script, Bid(cast[key], f"{key}-2"), days)
    sable = Bid(cast["sable"], "sable")
    reviewed(script, sable, (98, 66, 40), "reviewer", first=14, returned=("3.7", "9.15"))
    anchor = Bid(cast["anchor"], "anchor")
    reviewed(script, anchor, (110, 84, 60), "second-reviewer")
    reviewing.recommend(
        script,
        30,
        anchor,
        "second-reviewer",
        move="certify",
        reason="criteria-met",
        text=CRITERIA_MET,
    )
    reviewing.decline(
        script,
        26,
        anchor,
        "The Newark branch has moved. Please ask for the new floor plan before this is signed.",
    )
    oakhurst = Bid(cast["oakhurst"], "oakhurst")
    reviewed(script, oakhurst, (150, 112, 80), "reviewer")
    reviewing.recommend(
        script, 2.6, oakhurst, "reviewer", move="certify", reason="criteria-met", text=CRITERIA_MET
    )
    dockside = Bid(cast["dockside"], "dockside-2")
    reviewed(script, dockside, (128, 96, 50), "second-reviewer")
    reviewing.recommend(
        script,
        1.1,
        dockside,
        "second-reviewer",
        move="certify",
        reason="criteria-met",
        text="What was missing the first time is in place, with several months of records.",
    )
    gateway = Bid(cast["gateway"], "gateway", honest_gaps=0.35)
    reviewed(script, gateway, (152, 121, 90), "second-reviewer", first=6, returned=("4.7",))
    reviewing.recommend(
        script,
        6.2,
        gateway,
        "second-reviewer",
        move="reject",
        reason="criteria-not-met",
        text=NOT_MET,
    )


def _with_the_trader(script: Script, cast: Cast) -> None:
    """Requests for information: open, overdue, and answered."""
    juniper = Bid(cast["juniper"], "juniper", thorough=True)
    reviewed(script, juniper, (75, 52, 30), "reviewer", first=12, returned=("6.6", "10.1"))
    reviewing.ask(
        script,
        9,
        juniper,
        "reviewer",
        criteria=("6.6", "10.1"),
        message=(
            "Thank you for a careful profile. Two points keep us from going on. Please answer them"
            " in the two sections that are open again; everything else stays as you sent it."
        ),
    )
    palmetto = Bid(cast["palmetto"], "palmetto", honest_gaps=0.12)
    reviewed(script, palmetto, (140, 118, 90), "reviewer", first=7, returned=("3.1", "4.7"))
    reviewing.ask(
        script,
        64,
        palmetto,
        "reviewer",
        criteria=("3.1", "4.7"),
        message="Please complete the two points below, so that the review can go on.",
    )
    beacon = Bid(cast["beacon"], "beacon-2")
    reviewed(script, beacon, (118, 90, 60), "second-reviewer", first=6, returned=("3.1", "7.23"))
    reviewing.ask(
        script,
        19,
        beacon,
        "second-reviewer",
        criteria=("3.1", "7.23"),
        message="Two short points. A sentence or two on each will do.",
    )
    answered(script, Bid(cast["paragon"], "paragon"), (160, 104, 82, 44, 3.4), ("6.6", "9.15"))
    answered(script, Bid(cast["summit"], "summit"), (106, 82, 64, 38, 1.6), ("4.7", "7.23"))


def _in_preparation(script: Script, cast: Cast) -> None:
    """Drafts at several stages, and companies that found that they cannot apply yet."""
    tideway = Bid(cast["tideway"], "tideway")
    applying.begin(script, 24, tideway)
    applying.fill(script, (20, 3), tideway, share=0.55)
    tamarack = Bid(cast["tamarack"], "tamarack", honest_gaps=0.1)
    applying.begin(script, 60, tamarack)
    applying.fill(script, (55, 31), tamarack, share=0.25)
    verdant = Bid(cast["verdant"], "verdant")
    applying.begin(script, 33, verdant)
    applying.fill(script, (30, 4), verdant, share=0.75, left=0.2)
    applying.sign_only(script, 3, verdant)
    stonegate = Bid(cast["stonegate"], "stonegate")
    applying.begin(script, 48, stonegate)
    applying.fill(script, (44, 12), stonegate, share=0.5, left=0.5)
    larkspur = Bid(cast["larkspur"], "larkspur-2")
    applying.begin(script, 14, larkspur)
    applying.check(script, 4, cast["zephyr"], wrong="active-importer")
    applying.check(script, 52, cast["greyling"], wrong="continuous-bond")


Days = tuple[float, ...]


def sent(script: Script, bid: Bid, days: Days) -> None:
    """Started on the first day, submitted on the second."""
    first, last = days
    span = first - last
    applying.begin(script, first, bid)
    applying.fill(script, (first - 0.1 * span, first - 0.8 * span), bid)
    applying.sign_and_submit(script, last, bid)


def reviewed(
    script: Script,
    bid: Bid,
    days: Days,
    by: str,
    *,
    first: int | None = None,
    returned: tuple[str, ...] = (),
) -> None:
    """Started, submitted, then taken and judged by a reviewer."""
    sent(script, bid, days[:2])
    reviewing.take(script, days[2], bid, by)
    reviewing.judge(script, days[2] - 1.4, bid, by, first=first, returned=returned)


def granted(script: Script, bid: Bid, days: Days, by: str) -> None:
    """An application from its start to the register."""
    first, last = days
    span = first - last
    reviewed(script, bid, (first, first - 0.35 * span, first - 0.55 * span), by)
    reviewing.recommend(
        script, last + 3, bid, by, move="certify", reason="criteria-met", text=CRITERIA_MET
    )
    reviewing.approve(script, last, bid)


def refused(script: Script, bid: Bid, days: Days, by: str) -> None:
    """An application that was not good enough."""
    first, last = days
    span = first - last
    reviewed(script, bid, (first, first - 0.35 * span, first - 0.55 * span), by, first=4)
    reviewing.recommend(
        script, last + 4, bid, by, move="reject", reason="no-evidence", text=NOT_MET
    )
    reviewing.approve(script, last, bid)


def withdrawn(script: Script, bid: Bid, days: Days, by: str) -> None:
    """An application that the company took back while it was under review."""
    first, last = days
    span = first - last
    reviewed(script, bid, (first, first - 0.4 * span, first - 0.6 * span), by, first=2)
    applying.withdraw(script, last, bid)


def answered(script: Script, bid: Bid, days: Days, criteria: tuple[str, ...]) -> None:
    """Started, submitted, reviewed, asked, and answered on the last day."""
    first, submitted, taken, asked, last = days
    by = "second-reviewer"
    reviewed(script, bid, (first, submitted, taken), by, first=7, returned=criteria)
    reviewing.ask(
        script,
        asked,
        bid,
        by,
        criteria=criteria,
        message="Most of it is fine. Please look at the points below once more.",
        due_in=45,
    )
    catalogue = "broker" if bid.company.kind is EntityType.BROKER else "importer"
    applying.answer_return(script, last, bid, reviewing.changes_for(catalogue, criteria))
