"""Who may apply: one YAML file per programme and kind of trader, read and checked once."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.catalogues.reading import read
from app.register.programme import PROGRAMMES
from app.traders.kinds import EntityType

FOLDER: Final = Path(__file__).parent

YesNo = Literal["yes", "no"]
Fact = Literal["imported-within-year", "office-country", "key-identifier", "continuous-bond"]


class Part(BaseModel):
    """A part of an eligibility file: immutable, and unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Heading(Part):
    """For whom the rules are, and what the page before the start says about it."""

    programme: str
    entity_type: str
    version: str
    tier: int = Field(ge=1)
    title: str
    who: str
    takes: str


class EligibilityQuestion(Part):
    """One rule as a question; `passes` is the answer that meets it.

    `failed`, `why` and `remedy` are what the trader reads otherwise. `fact` names what the
    profile already tells.
    """

    id: str = Field(pattern=r"^[a-z][a-z-]*$")
    text: str
    hint: str = ""
    passes: YesNo
    fact: Fact | None = None
    failed: str
    why: str
    remedy: str
    source: str


class Eligibility(Part):
    """The rules of one programme for one kind of trader."""

    heading: Heading = Field(alias="eligibility")
    needs: tuple[str, ...] = Field(min_length=1)
    questions: tuple[EligibilityQuestion, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def names_exist(self) -> Self:
        ids = [one.id for one in self.questions]
        if len(set(ids)) != len(ids):
            msg = "Two questions have the same id."
            raise ValueError(msg)
        programme = PROGRAMMES.get(self.heading.programme)
        if programme is None or programme.tier(self.heading.tier) is None:
            msg = f"There is no tier {self.heading.tier} of {self.heading.programme}."
            raise ValueError(msg)
        if self.heading.entity_type not in {str(kind) for kind in EntityType}:
            msg = f"There is no kind of trader {self.heading.entity_type}."
            raise ValueError(msg)
        return self


def load(raw: bytes) -> Eligibility:
    """One set of rules from the bytes of its file; `ValidationError` says what is wrong."""
    return Eligibility.model_validate(read(raw).data)


@cache
def rules() -> Mapping[tuple[str, str], Eligibility]:
    """Every set of rules by programme and kind of trader; a file is named after both."""
    found = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        loaded = load(path.read_bytes())
        key = (loaded.heading.programme, loaded.heading.entity_type)
        if path.stem != "-".join(key):
            msg = f"{path.name} holds the rules of {key}"
            raise ValueError(msg)
        found[key] = loaded
    return found


def for_trader(programme: str, entity_type: str) -> Eligibility | None:
    """The rules for this kind of trader, `None` while the programme is not open for it."""
    return rules().get((programme, str(entity_type)))
