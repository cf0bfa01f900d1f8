"""One version of the policy: a decision table run by zen-engine, and the words that go with it.

The table is checked when it is read. The engine's own check lets a broken cell pass and then skips
its row in silence, so every cell is linted alone, and every word in it must be one that its
column can hold: a misspelt "crticial" would never match and never complain either.
"""

import functools
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

import zen
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.catalogues.reading import UnreadableError, read
from app.facilitation.facts import BROKERS, IMPORTERS, Facts, RiskWord
from app.facilitation.transactions import HIGHEST_RISK, Hold, Mode
from app.register.programme import PROGRAMMES

FOLDER: Final = Path(__file__).with_name("policies")
CURRENT: Final = "default"

Exam = Literal["none", "document_review", "nii", "tailgate", "intensive"]
Queue = Literal["front", "standard"]
Place = Literal["premises", "port", "facility"]
# From the least to the most that is asked of the importer; the guard and the tests compare by it.
EXAMS: Final[tuple[Exam, ...]] = get_args(Exam)
QUEUES: Final[tuple[Queue, ...]] = get_args(Queue)
PLACES: Final[tuple[Place, ...]] = ("premises", "facility", "port")

BENEFITS: Final = frozenset(one.code for known in PROGRAMMES.values() for one in known.benefits)
_WORDS: Final[Mapping[str, frozenset[str] | None]] = {
    "holds": frozenset(get_args(Hold)),
    "importer": frozenset(IMPORTERS),
    "tier": frozenset(),
    "broker": frozenset(BROKERS),
    "risk": frozenset(get_args(RiskWord)),
    "mode": frozenset(Mode),
    "entry_type": None,
    "grants": BENEFITS,
    "sampled": frozenset(),
}
_ENTRY_TYPE: Final = re.compile(r"[0-9]{2}")
_LITERAL: Final = re.compile(r'"([^"]*)"|\'([^\']*)\'')
_NAME: Final = re.compile(r"(?<![\w$#.])[A-Za-z_]\w*")
_LANGUAGE: Final = frozenset({"contains", "len", "in", "not", "and", "or", "true", "false"})


class PolicyError(ValueError):
    """The policy cannot be used. `faults` is a sentence for each thing that is wrong with it."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class Part(BaseModel):
    """A part of the policy's words: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Heading(Part):
    """Which policy, and which version of it."""

    id: str = Field(pattern=r"^[a-z][a-z-]*$")
    version: str = Field(pattern=r"^[0-9]+(\.[0-9]+)+$")
    name: str
    source: str


class Band(Part):
    """A band of the risk score, up to and including its highest."""

    band: Literal["low", "medium", "high", "critical"]
    up_to: int


class Rate(Part):
    """How many of a million transactions of a tier are drawn for the random sample."""

    tier: int = Field(ge=1)
    rate: int = Field(ge=1, le=1_000_000)


class QueueRest(Part):
    """A queue that only holders of a benefit get."""

    outcome: Queue
    benefit: str
    otherwise: Queue


class PlaceRest(Part):
    """A place that only holders of a benefit get."""

    outcome: Place
    benefit: str
    otherwise: Place


class Rests(Part):
    """What outcomes rest on which benefits."""

    queue: tuple[QueueRest, ...]
    place: tuple[PlaceRest, ...]


class ReasonText(Part):
    """A reason in plain words, and the provision that it rests on."""

    code: str = Field(pattern=r"^[a-z][a-z-]*$")
    text: str
    source: str


class Words(Part):
    """Everything of the policy that is not in its table."""

    policy: Heading
    risk: tuple[Band, ...]
    sample_per_million: tuple[Rate, ...] = Field(min_length=1)
    rests_on: Rests
    reasons: tuple[ReasonText, ...]

    @model_validator(mode="after")
    def hangs_together(self) -> Self:
        codes = [one.code for one in self.reasons]
        rates = [one.rate for one in self.sample_per_million]
        tiers = [one.tier for one in self.sample_per_million]
        limits = [one.up_to for one in self.risk]
        rests: list[QueueRest | PlaceRest] = [*self.rests_on.queue, *self.rests_on.place]
        faults = [
            *(f"reason {one} stands twice" for one in set(codes) if codes.count(one) > 1),
            *(f"no benefit {one.benefit}" for one in rests if one.benefit not in BENEFITS),
            *(f"no reason {one}" for one in ("benefit-restricted", "guarded") if one not in codes),
        ]
        if tiers != list(range(1, len(tiers) + 1)) or rates != sorted(rates, reverse=True):
            faults.append("sample rates are not given for each tier from 1, falling")
        if [one.band for one in self.risk] != ["low", "medium", "high", "critical"]:
            faults.append("the bands are not low, medium, high, critical")
        elif limits != sorted(set(limits)) or limits[-1] != HIGHEST_RISK:
            faults.append(f"the bands do not rise to {HIGHEST_RISK}")
        if faults:
            raise ValueError("; ".join(faults))
        return self


class Row(BaseModel):
    """What one row of the table gives; `reasons` are codes. Also the whole table's answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    exam: Exam
    random_sample: bool
    queue: Queue
    place: Place
    benefits: Annotated[list[str], Field(max_length=50)]
    reasons: Annotated[list[str], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Hit:
    """The row that answered, and how the engine came to it."""

    row: Row
    trace: dict[str, Any]


class Policy:
    """A checked version of the policy. `sha256` is over the bytes of both its files."""

    def __init__(self, table: bytes, words: bytes) -> None:
        self.table_text, self.words_text = _text(table), _text(words)
        self.sha256 = checksum(table, words)
        self.words = _words(words)
        self.table = _table(table)
        faults = lint(self.table, self.words)
        if faults:
            raise PolicyError(faults)
        self._decision = zen.ZenEngine().create_decision(self.table_text)
        self._reasons = {one.code: one for one in self.words.reasons}

    @property
    def id(self) -> str:
        return self.words.policy.id

    @property
    def version(self) -> str:
        """Id and version in one, for example `default-2026.1`: `policy_version` in decisions."""
        return f"{self.words.policy.id}-{self.words.policy.version}"

    def risk(self, score: int | None) -> RiskWord:
        """The band of a risk score; `unknown` without one."""
        if score is None:
            return "unknown"
        return next(one.band for one in self.words.risk if score <= one.up_to)

    def sampled(self, draw: int, tier: int) -> bool:
        """Whether a draw (0 up to a million) is in the random sample of the tier."""
        rates = {one.tier: one.rate for one in self.words.sample_per_million}
        return tier > 0 and draw < rates[min(tier, max(rates))]

    def reason(self, code: str) -> ReasonText:
        """The words of a reason; the check makes sure that every code has some."""
        return self._reasons[code]

    def ask(self, facts: Facts) -> Hit:
        """The first row that fits the facts."""
        answer = self._decision.evaluate(facts.model_dump(mode="json"), {"trace": True})
        data = next(
            node["traceData"] for node in answer["trace"].values() if node["traceData"] is not None
        )
        rule = data["rule"]
        trace = {
            "row": rule["_id"],
            "description": rule.get("_description", ""),
            "cells": {k.partition("[")[0]: v for k, v in rule.items() if k[0] != "_" and v},
            "read": data["reference_map"],
        }
        return Hit(Row.model_validate(answer["result"]), trace)


def checksum(table: bytes, words: bytes) -> str:
    """SHA-256 over both files, each preceded by its length, in hexadecimal."""
    digest = hashlib.sha256()
    for part in (table, words):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


@functools.cache
def current() -> Policy:
    """The policy that new decisions are given by, read once. `PolicyError` says what is wrong."""
    return load(FOLDER / f"{CURRENT}.json")


@functools.lru_cache(maxsize=32)
def of_texts(table: str, words: str) -> Policy:
    """The policy of two stored texts, for running past decisions again."""
    return Policy(table.encode(), words.encode())


def load(path: Path) -> Policy:
    """The policy of a table's file and of the words next to it."""
    return Policy(path.read_bytes(), path.with_suffix(".yaml").read_bytes())


def lint(table: Mapping[str, Any], words: Words) -> list[str]:
    """Everything that is wrong with a table, a sentence each; empty when nothing is."""
    content = table["content"]
    columns = {one["id"]: one.get("field") for one in content["inputs"]}
    outputs = {one["id"]: one.get("field") for one in content["outputs"]}
    faults = [
        *(f"column {one} is none of the facts" for one in columns.values() if one not in _WORDS),
        *(f"output {one} is missing" for one in Row.model_fields if one not in outputs.values()),
        *(f"output {one} is unknown" for one in outputs.values() if one not in Row.model_fields),
    ]
    if content.get("hitPolicy") != "first":
        faults.append("the first row that fits has to answer")
    rows = content["rules"]
    ids = [one.get("_id") for one in rows]
    faults += [f"row {one} stands twice" for one in set(ids) if ids.count(one) > 1]
    codes = {one.code for one in words.reasons}
    for row in rows:
        faults += [
            f"row {row.get('_id')}: {fault}"
            for fault in (
                *_cell_faults(row, columns),
                *_outcome_faults(row, outputs, codes),
            )
        ]
    if not rows or any(rows[-1].get(column) for column in columns):
        faults.append("the last row does not fit everything")
    return faults


def _cell_faults(row: Mapping[str, Any], columns: Mapping[str, str]) -> list[str]:
    faults = []
    for column, name in columns.items():
        cell = row.get(column, "")
        if not isinstance(cell, str):
            faults.append(f"{name} is no text")
        elif cell:
            wrong = zen.validate_unary_expression(cell)
            if wrong is not None:
                faults.append(f"{name}: {cell!r} cannot be read ({wrong['source']})")
            faults += [f"{name}: {one!r} is no value of it" for one in _strange(cell, name)]
    return faults


def _strange(cell: str, column: str) -> list[str]:
    known = _WORDS.get(column, frozenset())
    literals = [first or second for first, second in _LITERAL.findall(cell)]
    names = _NAME.findall(_LITERAL.sub(" ", cell))
    return [
        *(
            one
            for one in literals
            if (not _ENTRY_TYPE.fullmatch(one) if known is None else one not in known)
        ),
        *(one for one in names if one not in _LANGUAGE),
    ]


def _outcome_faults(
    row: Mapping[str, Any], outputs: Mapping[str, str], codes: set[str]
) -> list[str]:
    try:
        given = {name: zen.evaluate_expression(row[column]) for column, name in outputs.items()}
        outcome = Row.model_validate(given)
    except KeyError as error:
        return [f"output {error.args[0]} is empty"]
    except RuntimeError:
        return ["an output cannot be read"]
    except ValidationError as error:
        return [
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_url=False)
        ]
    return [
        *(f"no benefit {one}" for one in outcome.benefits if one not in BENEFITS),
        *(f"no reason {one}" for one in outcome.reasons if one not in codes),
    ]


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise PolicyError(["a file is not UTF-8 text"]) from error


def _words(raw: bytes) -> Words:
    try:
        return Words.model_validate(read(raw).data)
    except UnreadableError as error:
        raise PolicyError([f"line {error.line}: {error}"]) from error
    except ValidationError as error:
        raise PolicyError(
            [
                f"{'.'.join(map(str, one['loc'])) or 'policy'}: {one['msg']}"
                for one in error.errors(include_url=False)
            ]
        ) from error


def _table(raw: bytes) -> dict[str, Any]:
    """The one decision table of the graph."""
    try:
        graph = json.loads(raw)
        tables = [one for one in graph["nodes"] if one["type"] == "decisionTableNode"]
        kinds = sorted(one["type"] for one in graph["nodes"])
    except (ValueError, KeyError, TypeError) as error:
        raise PolicyError(["the table is not a decision graph in JSON"]) from error
    if kinds != ["decisionTableNode", "inputNode", "outputNode"]:
        raise PolicyError(["the graph is not one input, one decision table, one output"])
    found = tables[0]
    content = found.get("content")
    if not isinstance(content, dict) or not all(
        isinstance(content.get(part), list) for part in ("inputs", "outputs", "rules")
    ):
        raise PolicyError(["the table has no inputs, outputs and rules"])
    return dict(found)
