"""Two versions of one catalogue side by side: what changed, and whether the author says so.

An id names a subject for ever, so versions are compared by id. What changed follows from the
files; how much it matters is the author's word, the change class, which must not understate it.
Source: the interface reference, on criteria that change.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.catalogues.model import CatalogueFile
from app.catalogues.parts import Change, ChangeClass, Criterion, Question, Superseded
from app.catalogues.reading import Place
from app.catalogues.references import changes_in, level_of, weight

Kind = Literal["criterion", "question"]
LIGHT: frozenset[str] = frozenset({"editorial", "clarified"})
FRESH: frozenset[str] = frozenset({"new", "split", "merged"})


@dataclass(frozen=True)
class Difference:
    """One criterion or question that differs between two versions.

    ``fields`` names what differs; ``before`` and ``after`` are the parts themselves, ``None``
    where there is none.
    """

    kind: Kind
    id: str
    section: str
    change: ChangeClass
    note: str
    fields: tuple[str, ...]
    before: Criterion | Question | None
    after: Criterion | Question | None
    supersedes: tuple[Superseded, ...] = ()


def differences(old: CatalogueFile, new: CatalogueFile) -> list[Difference]:
    """Return what changed, in the order of the new version, each withdrawal with its section."""
    before = _parts(old)
    otherwise = _asked_otherwise(old, new)
    found: list[Difference] = []
    for section in new.sections:
        for criterion in section.criteria:
            parts: tuple[Criterion | Question, ...] = (criterion, *criterion.questions)
            for part in parts:
                was = before.get(part.id)
                found.extend(_difference(section.id, was, part, otherwise))
        for gone in section.withdrawn:
            was = before.get(gone.id)
            if was is not None:
                found.append(
                    Difference(
                        kind="criterion" if isinstance(was, Criterion) else "question",
                        id=gone.id,
                        section=section.id,
                        change="withdrawn",
                        note=gone.reason,
                        fields=(),
                        before=was,
                        after=None,
                    )
                )
    return found


def _difference(
    section: str,
    was: Criterion | Question | None,
    now: Criterion | Question,
    otherwise: Collection[str],
) -> Iterator[Difference]:
    words, substance = _changed(was, now, otherwise)
    if was is not None and not words and not substance:
        return
    said = now.changes
    yield Difference(
        kind="criterion" if isinstance(now, Criterion) else "question",
        id=now.id,
        section=section,
        change=said.kind if said else "new" if was is None else "substantive",
        note=(said.note if said else None) or "",
        fields=(*words, *substance),
        before=was,
        after=now,
        supersedes=said.supersedes if said else (),
    )


def _parts(content: CatalogueFile) -> dict[str, Criterion | Question]:
    found: dict[str, Criterion | Question] = {}
    for section in content.sections:
        for criterion in section.criteria:
            found[criterion.id] = criterion
            found.update((question.id, question) for question in criterion.questions)
    return found


def _changed(
    was: Criterion | Question | None, now: Criterion | Question, otherwise: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the words and the matters of substance that differ; both empty when there is no other."""
    if was is None or type(was) is not type(now):
        return (), ()
    words, substance = (
        tuple(name for name, value in one.items() if other[name] != value)
        for one, other in zip(_aspects(was), _aspects(now), strict=True)
    )
    if now.id in otherwise:
        substance += ("weight in a profile" if isinstance(now, Criterion) else "level asked for",)
    return words, substance


def _aspects(part: Criterion | Question) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What of a part is words, and what decides how it is answered and judged."""
    if isinstance(part, Criterion):
        words = {
            "title": part.title,
            "statement": part.statement,
            "guidance": part.guidance,
            "evidence examples": part.evidence.examples,
            "source": (part.source, part.verified),
        }
        return words, {
            "weight": part.modality,
            "kinds of evidence": part.evidence.kinds,
            "number of documents": part.evidence.min,
            "age of evidence": part.evidence.max_age_months,
        }
    words = {
        "text": part.text,
        "labels": [one.label for one in (*part.choices, *part.columns)],
        "carrying forward": part.carry,
    }
    return words, {
        "type of answer": part.type,
        "answers offered": [one.value for one in part.choices],
        "columns": [one.value for one in part.columns],
        "condition": {other: one.accepted for other, one in part.show_if.items()},
        "answers that meet it": part.meeting,
    }


def unlike(old: CatalogueFile | None, new: CatalogueFile) -> list[tuple[Place, str]]:
    """Return every place where ``new`` misstates how it differs from ``old``, the one before it."""
    if old is None:
        return []
    return [*_headers(old, new), *_ids(old, new), *_classes(old, new)]


def _headers(old: CatalogueFile, new: CatalogueFile) -> Iterator[tuple[Place, str]]:
    was, now = old.catalogue, new.catalogue
    if now.id != was.id:
        yield ("catalogue", "id"), f"This is compared with the catalogue {was.id!r}."
    if now.previous != was.version:
        yield ("catalogue", "previous"), f"`previous` must name the version before: {was.version}."
    if _number(now.version) <= _number(was.version):
        yield ("catalogue", "version"), f"The version must be later than {was.version}."
    if now.effective <= was.effective:
        yield ("catalogue", "effective"), f"It must take effect after {was.effective}."
    if now.programme != was.programme:
        yield ("catalogue", "programme"), f"The programme of a catalogue stays: {was.programme}."
    if set(was.entity) - set(now.entity):
        lost = min(set(was.entity) - set(now.entity))
        yield ("catalogue", "entity"), f"{lost!r} would be left without criteria."


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _ids(old: CatalogueFile, new: CatalogueFile) -> Iterator[tuple[Place, str]]:
    """Ids are never reused and never forgotten."""
    before, after = _parts(old), _parts(new)
    gone_before = {one.id for section in old.sections for one in section.withdrawn}
    gone = {one.id for section in new.sections for one in section.withdrawn}
    for lost in sorted((before.keys() | gone_before) - after.keys() - gone):
        yield (
            ("sections",),
            f"The id {lost!r} of {old.catalogue.version} is neither asked nor withdrawn.",
        )
    for s, section in enumerate(new.sections):
        for n, lapsed in enumerate(section.withdrawn):
            if lapsed.id not in before and lapsed.id not in gone_before:
                where = ("sections", s, "withdrawn", n, "id")
                yield where, f"{lapsed.id!r} was never asked, so it cannot be withdrawn."
    for path, part in _placed(new):
        if part.id in gone_before:
            yield (*path, "id"), f"The id {part.id!r} was withdrawn earlier; ids are never reused."
    for path, change in changes_in(new):
        for n, one in enumerate(change.supersedes):
            if one.id not in before:
                yield (*path, "supersedes", n), f"{old.catalogue.version} has no {one.id!r}."


def _classes(old: CatalogueFile, new: CatalogueFile) -> Iterator[tuple[Place, str]]:
    """The class of a change never understates it, and is not claimed for what stayed."""
    before = _parts(old)
    otherwise = _asked_otherwise(old, new)
    fresh = {
        path for path, one in _placed(new) if isinstance(one, Criterion) and one.id not in before
    }
    for path, part in _placed(new):
        was, said = before.get(part.id), part.changes
        where = (*path, "changes") if said else (*path, "id")
        if was is None:
            # The questions of a new criterion are new without saying so one by one.
            if said is None and path[:4] in fresh and path not in fresh:
                continue
            if said is None or said.kind not in FRESH:
                yield where, "This id is new here; say so under `changes`."
            continue
        words, substance = _changed(was, part, otherwise)
        if said is None:
            if words or substance:
                differs = ", ".join((*words, *substance))
                yield where, f"This differs from {old.catalogue.version} ({differs}); say so."
            continue
        yield from ((where, fault) for fault in _misstated(said, words, substance))


def _misstated(said: Change, words: tuple[str, ...], substance: tuple[str, ...]) -> Iterator[str]:
    if said.kind == "new":
        yield "It is not new: the version before has this id."
    elif not words and not substance:
        yield f"Nothing differs from the version before, so it is not {said.kind}."
    elif said.kind in LIGHT and substance:
        yield f"This is more than {said.kind}: {', '.join(substance)} changed."


def _asked_of(content: CatalogueFile) -> dict[str, dict[tuple[str, int], object]]:
    """What each profile asks of each part, by the part's id, then by trader and tier."""
    found: dict[str, dict[tuple[str, int], object]] = {}
    for profile in content.profiles:
        included = [one for one in content.sections if one.id in profile.include]
        for criterion in (one for section in included for one in section.criteria):
            for entity in profile.entity:
                key = (entity, profile.tier)
                found.setdefault(criterion.id, {})[key] = weight(profile, criterion)
                for question in criterion.questions:
                    level = level_of(profile, criterion, question)
                    found.setdefault(question.id, {})[key] = level
    return found


def _asked_otherwise(old: CatalogueFile, new: CatalogueFile) -> frozenset[str]:
    """The ids of which a profile that both versions have asks something else than before."""
    before, after = _asked_of(old), _asked_of(new)
    return frozenset(
        part
        for part, now in after.items()
        for key, value in now.items()
        if part in before and key in before[part] and before[part][key] != value
    )


def _placed(content: CatalogueFile) -> Iterator[tuple[Place, Criterion | Question]]:
    for s, section in enumerate(content.sections):
        for c, criterion in enumerate(section.criteria):
            yield ("sections", s, "criteria", c), criterion
            for q, question in enumerate(criterion.questions):
                yield ("sections", s, "criteria", c, "questions", q), question
