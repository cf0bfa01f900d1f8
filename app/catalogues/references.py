"""What must agree between the parts of a catalogue file: pure checks that report, never raise."""

from collections.abc import Iterator

from app.catalogues.model import CatalogueFile, Profile, Question
from app.catalogues.reading import Place

Disagreement = tuple[Place, str]


def disagreements(content: CatalogueFile) -> list[Disagreement]:
    """Return every place where one part contradicts another, with its path in the file."""
    found = list(_repeated_ids(content))
    found.extend(_foreign_questions(content))
    found.extend(_conditions(content))
    found.extend(_profiles(content))
    return found


def _questions(content: CatalogueFile) -> Iterator[tuple[Place, str, Question]]:
    """Yield path, section id and question, in the file's order."""
    for s, section in enumerate(content.sections):
        for c, criterion in enumerate(section.criteria):
            for q, question in enumerate(criterion.questions):
                yield (
                    ("sections", s, "criteria", c, "questions", q),
                    section.id,
                    question,
                )


def _repeated_ids(content: CatalogueFile) -> Iterator[Disagreement]:
    named: list[tuple[str, str, Place]] = []
    for s, section in enumerate(content.sections):
        named.append(("section", section.id, ("sections", s, "id")))
        named.extend(
            ("criterion", criterion.id, ("sections", s, "criteria", c, "id"))
            for c, criterion in enumerate(section.criteria)
        )
    named.extend(("question", q.id, (*path, "id")) for path, _, q in _questions(content))
    named.extend(("profile", p.id, ("profiles", n, "id")) for n, p in enumerate(content.profiles))
    seen: set[tuple[str, str]] = set()
    for kind, name, path in named:
        if (kind, name) in seen:
            yield (
                path,
                f"The {kind} id {name!r} is already taken; ids are never reused.",
            )
        seen.add((kind, name))


def _foreign_questions(content: CatalogueFile) -> Iterator[Disagreement]:
    for s, section in enumerate(content.sections):
        for c, criterion in enumerate(section.criteria):
            for q, question in enumerate(criterion.questions):
                if not question.id.startswith(f"q.{criterion.id}."):
                    where = ("sections", s, "criteria", c, "questions", q, "id")
                    begin = f"q.{criterion.id}."
                    yield where, f"The id {question.id!r} must begin with {begin!r}."


def _conditions(content: CatalogueFile) -> Iterator[Disagreement]:
    """Conditions look back only, which also makes a circle of conditions impossible."""
    every = {question.id for _, _, question in _questions(content)}
    earlier: dict[str, Question] = {}
    for path, _, question in _questions(content):
        for other, condition in question.show_if.items():
            where = (*path, "show_if", other)
            if other not in every:
                yield (
                    where,
                    f"`show_if` names the question {other!r}, which does not exist.",
                )
            elif other not in earlier:
                yield (
                    where,
                    f"`show_if` may only look back; the question {other!r} does not stand earlier.",
                )
            else:
                possible = earlier[other].possible
                for value in condition.accepted:
                    if possible is None:
                        yield where, f"The answers to {other!r} are free; none can be foreseen."
                    elif value not in possible:
                        yield (
                            where,
                            f"{value!r} is not an answer to the question {other!r}.",
                        )
        earlier[question.id] = question


def _profiles(content: CatalogueFile) -> Iterator[Disagreement]:
    served: set[tuple[str, int]] = set()
    for p, profile in enumerate(content.profiles):
        for n, entity in enumerate(profile.entity):
            where = ("profiles", p, "entity", n)
            if entity not in content.catalogue.entity:
                yield where, f"The catalogue is not written for {entity!r}."
            if (entity, profile.tier) in served:
                yield where, f"Another profile already serves {entity!r} at tier {profile.tier}."
            served.add((entity, profile.tier))
        yield from _reach(content, p, profile)
        yield from _conditions_in_reach(content, p, profile)


def _reach(content: CatalogueFile, place: int, profile: Profile) -> Iterator[Disagreement]:
    sections = {section.id: section for section in content.sections}
    section_of = {
        criterion.id: section.id for section in content.sections for criterion in section.criteria
    }
    for n, wanted in enumerate(profile.include):
        if wanted not in sections:
            yield ("profiles", place, "include", n), f"There is no section {wanted!r}."
        elif wanted in profile.include[:n]:
            yield ("profiles", place, "include", n), f"Section {wanted!r} is included twice."
    for criterion_id in profile.set:
        where = ("profiles", place, "set", criterion_id)
        if criterion_id not in section_of:
            yield where, f"There is no criterion {criterion_id!r}."
        elif section_of[criterion_id] not in profile.include:
            yield where, f"The profile leaves out the section of criterion {criterion_id!r}."


def _conditions_in_reach(
    content: CatalogueFile, place: int, profile: Profile
) -> Iterator[Disagreement]:
    """Find conditions on questions the profile never asks: they could never be evaluated."""
    section_of = {question.id: section for _, section, question in _questions(content)}
    for _, section, question in _questions(content):
        if section not in profile.include:
            continue
        for other in question.show_if:
            if other in section_of and section_of[other] not in profile.include:
                where = ("profiles", place, "include")
                left_out = f"whose section {section_of[other]!r} the profile leaves out"
                yield where, f"Question {question.id!r} depends on {other!r}, {left_out}."
