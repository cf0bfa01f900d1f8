"""What happened to standings outside any case, as `texts/register.yaml` tells it."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from app.demo.cast import Company
from app.demo.founding import SECURITY, take_on
from app.demo.script import Script
from app.demo.stage import Stage
from app.demo.texts import read
from app.register import service as register
from app.register.models import Determination
from app.register.programme import Status

USUALLY_SIGNED_AFTER = 0.2
SIGNER = "supervisor"
PROPOSERS = ("reviewer", "second-reviewer")
URGENT = "suspend-urgently"
ENDS = ("never", "declined", "taken-back")


def take_over(script: Script, companies: Mapping[str, Company]) -> set[str]:
    """Bring in the partners of the system before; returns who they are."""
    rows = read("register")["take_on"]
    for row in rows:
        take_on(script, companies[row["company"]], tier=row["tier"], valid_from=row["since"])
    return {row["company"] for row in rows}


def move_standings(script: Script) -> None:
    """Every move, with its second signature or without."""
    for number, row in enumerate(read("register")["moves"]):
        if script.calendar.open_for_applications or not row.get("after_case"):
            _one_move(script, row, PROPOSERS[number % len(PROPOSERS)])


def _one_move(script: Script, row: dict[str, Any], proposer: str) -> None:
    kept: list[uuid.UUID] = []
    signed = row.get("signed", USUALLY_SIGNED_AFTER)

    script.add(row["days"], partial(_propose, script=script, row=row, by=proposer, kept=kept))
    if signed == "never":
        return
    after = USUALLY_SIGNED_AFTER if signed in ENDS else signed
    script.add(row["days"] - after, partial(_decide, row=row, by=proposer, kept=kept))


def _propose(
    stage: Stage, *, script: Script, row: dict[str, Any], by: str, kept: list[uuid.UUID]
) -> None:
    with stage.work(by=by) as work:
        trader_id = stage.traders[row["company"]]
        if row["move"] == URGENT:
            found = register.suspend_urgently(
                work,
                trader_id,
                programme=SECURITY,
                reason_code=row["reason"],
                reason_text=row["text"],
            )
        else:
            starts = None
            if "starts_in" in row:
                starts = script.calendar.until + timedelta(days=row["starts_in"])
            elif "from_days" in row:
                starts = script.calendar.ago(row["from_days"])
            found = register.propose(
                work,
                trader_id,
                programme=SECURITY,
                move=row["move"],
                tier=row.get("tier"),
                status=Status(row["status"]) if "status" in row else None,
                restrictions=tuple(row.get("restrictions", ())),
                reason_code=row["reason"],
                reason_text=row["text"],
                effective_from=starts,
            )
        kept.append(found.id)


def _decide(stage: Stage, *, row: dict[str, Any], by: str, kept: list[uuid.UUID]) -> None:
    signed = row.get("signed")
    with stage.work(by=by if signed == "taken-back" else SIGNER) as work:
        determination = work.session.get_one(Determination, kept[0])
        match signed:
            case "declined":
                register.decline(work, determination, reason=row["note"])
            case "taken-back":
                register.withdraw_proposal(work, determination)
            case _ if row["move"] == URGENT:
                register.countersign(work, determination)
            case _:
                register.approve(work, determination)
