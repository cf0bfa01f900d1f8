"""Programmes as versioned data: tiers, benefits, statuses, clocks, and the moves between them.

Each file of `app/register/programmes/` is one programme. All are read and checked when this
module is imported, so that a mistake in one never reaches a determination.
"""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.authz.permissions import Permission
from app.catalogues.reading import read

FOLDER: Final = Path(__file__).with_name("programmes")


class Status(StrEnum):
    """What a trader's standing in a programme can be; the contract fixes the list."""

    APPLICANT = "applicant"
    CERTIFIED = "certified"
    VALIDATED = "validated"
    SUSPENDED = "suspended"
    REMOVED = "removed"
    WITHDRAWN = "withdrawn"
    INELIGIBLE = "ineligible"
    REJECTED = "rejected"


class Kind(StrEnum):
    """What a move does to a trader: the rules on dates and on doubt follow from it."""

    GRANTS = "grants"
    TAKES = "takes"
    CORRECTS = "corrects"


class Part(BaseModel):
    """A part of a programme file: immutable, and unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Heading(Part):
    """Which programme, which version of its data, and the law it rests on."""

    id: str = Field(pattern=r"^[a-z][a-z-]*$")
    version: str
    name: str
    summary: str
    source: str


class Benefit(Part):
    """One advantage, in plain words for the trader who has it."""

    code: str = Field(pattern=r"^[a-z][a-z-]*$")
    name: str
    text: str
    source: str


class Tier(Part):
    """A level of the programme; `status` is the status that a partner of this tier has."""

    tier: int = Field(ge=1)
    name: str
    status: Status
    summary: str
    source: str
    benefits: tuple[str, ...]


class StatusText(Part):
    """What a status means to the trader, and what comes next."""

    status: Status
    name: str
    grants: bool = False
    meaning: str
    next: str
    whose_turn: Literal["agency", "trader", "nobody"]


class Clock(Part):
    """A period that law or practice sets; `basis: memory` marks one that no source confirms."""

    id: str
    days: int = 0
    hours: int = 0
    source: str
    basis: Literal["source", "memory"] = "source"

    @property
    def period(self) -> timedelta:
        """The clock's length."""
        return timedelta(days=self.days, hours=self.hours)


class Reason(Part):
    """A ground on which a move may rest; `appeal` names a clock other than the move's own."""

    code: str = Field(pattern=r"^[a-z][a-z-]*$")
    text: str
    appeal: str | None = None


class Move(Part):
    """Something that can be done to a standing: from where, to where, by whom, on what grounds."""

    id: str = Field(pattern=r"^[a-z][a-z-]*$")
    name: str
    kind: Kind
    sources: tuple[Status | Literal["none"], ...] = Field(alias="from", min_length=1)
    to: Status | Literal["tier", "same", "given"]
    tiers: tuple[int, ...] = ()
    keeps_tier: bool = False
    restrictions: Literal["add", "remove", "set"] | None = None
    signatures: Literal["two", "urgent"]
    proposes: Permission
    approves: Permission
    starts: Literal["at-once", "on-date", "any"]
    notice: str | None = None
    appeal: str | None = None
    source: str
    reasons: tuple[Reason, ...] = Field(min_length=1)

    @property
    def urgent(self) -> bool:
        """Whether the move takes effect on its first signature."""
        return self.signatures == "urgent"

    @property
    def needs_tier(self) -> bool:
        """Whether whoever proposes the move has to name a tier."""
        return bool(self.tiers)

    @property
    def needs_restrictions(self) -> bool:
        """Whether whoever proposes the move has to name benefits."""
        return self.restrictions in {"add", "remove"}

    def reason(self, code: str) -> Reason | None:
        """The reason with this code, `None` when the move does not know it."""
        return next((one for one in self.reasons if one.code == code), None)


class Programme(Part):
    """One programme, whole and consistent in itself."""

    heading: Heading = Field(alias="programme")
    tiers: tuple[Tier, ...] = Field(min_length=1)
    benefits: tuple[Benefit, ...]
    statuses: tuple[StatusText, ...]
    clocks: tuple[Clock, ...]
    moves: tuple[Move, ...]

    @property
    def id(self) -> str:
        """The programme's name in the register, in URLs and over the API."""
        return self.heading.id

    @property
    def version(self) -> str:
        """The version of the data, which every determination keeps."""
        return self.heading.version

    @property
    def name(self) -> str:
        """The programme's name for people."""
        return self.heading.name

    def move(self, name: str) -> Move | None:
        """The move of this name, `None` when the programme has none."""
        return next((one for one in self.moves if one.id == name), None)

    def tier(self, number: int | None) -> Tier | None:
        """The tier of this number, `None` when the programme has none."""
        return next((one for one in self.tiers if one.tier == number), None)

    def benefit(self, code: str) -> Benefit:
        """The benefit of this code; the file's check makes sure that every code has one."""
        return next(one for one in self.benefits if one.code == code)

    def status(self, status: Status) -> StatusText:
        """The texts of a status; every status has them."""
        return next(one for one in self.statuses if one.status == status)

    def clock(self, name: str) -> Clock:
        """The clock of this name."""
        return next(one for one in self.clocks if one.id == name)

    def grants(self, status: Status, tier: int | None) -> bool:
        """Whether such a standing gives its holder anything at all."""
        return self.status(status).grants and self.tier(tier) is not None

    def benefits_of(self, tier: int | None) -> tuple[str, ...]:
        """The codes of a tier's benefits, nothing for a tier that does not exist."""
        found = self.tier(tier)
        return found.benefits if found else ()

    @model_validator(mode="after")
    def hangs_together(self) -> Self:
        problems = [*self._repeated(), *self._dangling(), *self._unsound()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _repeated(self) -> list[str]:
        lists: dict[str, list[Any]] = {
            "tier": [one.tier for one in self.tiers],
            "benefit": [one.code for one in self.benefits],
            "status": [one.status for one in self.statuses],
            "clock": [one.id for one in self.clocks],
            "move": [one.id for one in self.moves],
            **{f"reason of {move.id}": [one.code for one in move.reasons] for move in self.moves},
        }
        return [
            f"{what} {name} stands twice"
            for what, names in lists.items()
            for name in {one for one in names if names.count(one) > 1}
        ]

    def _dangling(self) -> list[str]:
        benefits = {one.code for one in self.benefits}
        clocks = {one.id for one in self.clocks}
        tiers = {one.tier for one in self.tiers}
        used = {name for move in self.moves for name in (move.notice, move.appeal) if name}
        used |= {one.appeal for move in self.moves for one in move.reasons if one.appeal}
        if any(move.urgent for move in self.moves):
            used.add("countersignature")
        return [
            *(
                f"no text for status {one}"
                for one in set(Status) - {s.status for s in self.statuses}
            ),
            *(f"no clock {one}" for one in used - clocks),
            *(f"no benefit {b}" for one in self.tiers for b in one.benefits if b not in benefits),
            *(f"no tier {t} for {m.id}" for m in self.moves for t in m.tiers if t not in tiers),
        ]

    def _unsound(self) -> list[str]:
        granting = {one.status for one in self.statuses if one.grants}
        problems = [
            f"tier {one.tier} has a status that grants nothing"
            for one in self.tiers
            if one.status not in granting
        ]
        for move in self.moves:
            if move.urgent and (move.kind is not Kind.TAKES or move.to in granting):
                problems.append(f"{move.id} is urgent but takes nothing away")
            if move.to in granting and not move.tiers:
                problems.append(f"{move.id} leads to {move.to} without a tier")
            if (move.starts == "any") != (move.kind is Kind.CORRECTS):
                problems.append(f"{move.id}: only a correction reaches back")
            if move.keeps_tier and move.to in granting:
                problems.append(f"{move.id} keeps a tier that it should name")
            if move.to in granting and any(
                (tier := self.tier(number)) and tier.status is not move.to for number in move.tiers
            ):
                problems.append(f"{move.id} leads to a status that its tier does not have")
        return problems


def load(raw: bytes) -> Programme:
    """One programme from the bytes of its file.

    `UnreadableError` or `pydantic.ValidationError` says what is wrong with it.
    """
    return Programme.model_validate(read(raw).data)


def load_all(folder: Path) -> dict[str, Programme]:
    """Every programme of a folder, by id; a file is named after its programme."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        programme = load(path.read_bytes())
        if programme.id != path.stem:
            msg = f"{path.name} holds the programme {programme.id}"
            raise ValueError(msg)
        found[programme.id] = programme
    return found


PROGRAMMES: Final = load_all(FOLDER)
