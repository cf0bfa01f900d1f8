"""What must agree between the parts of a catalogue file: pure checks that report, never raise."""

from collections.abc import Iterator
from itertools import combinations

from app.catalogues.model import CatalogueFile, Change, Criterion, Profile, Question
from app.catalogues.reading import Place

Disagreement = tuple[Place, str]


def disagreements(content: CatalogueFile) -> list[Disagreement]:
    """Return every place where one part contradicts another, with its path in the file."""
    found = list(_repeated_ids(content))
    found.extend(_foreign_questions(content))
    found.extend(_conditions(content))
    found.extend(_profiles(content))
    found.extend(_withdrawn(content))
    found.extend(_first_version(content))
    found.extend(_reached_by_nobody(content))
    found.extend(_levels(content))
    found.extend(_higher_tiers(content))
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


def changes_in(content: CatalogueFile) -> Iterator[tuple[Place, Change]]:
    """Yield every statement on a change, of criteria and of questions, with its path."""
    for s, section in enumerate(content.sections):
        for c, criterion in enumerate(section.criteria):
            here: Place = ("sections", s, "criteria", c)
            if criterion.changes is not None:
                yield (*here, "changes"), criterion.changes
            for q, question in enumerate(criterion.questions):
                if question.changes is not None:
                    yield (*here, "questions", q, "changes"), question.changes


def _withdrawn(content: CatalogueFile) -> Iterator[Disagreement]:
    """A withdrawn id stays taken; what a part supersedes is either withdrawn or still asked."""
    live = {criterion.id for section in content.sections for criterion in section.criteria}
    live |= {question.id for _, _, question in _questions(content)}
    gone: set[str] = set()
    for s, section in enumerate(content.sections):
        for n, old in enumerate(section.withdrawn):
            where = ("sections", s, "withdrawn", n, "id")
            if old.id in live:
                yield where, f"The id {old.id!r} is withdrawn and still in use."
            if old.id in gone:
                yield where, f"The id {old.id!r} is withdrawn twice."
            gone.add(old.id)
    for path, change in changes_in(content):
        for n, old_id in enumerate(one.id for one in change.supersedes):
            if old_id not in live | gone:
                yield (
                    (*path, "supersedes", n),
                    f"{old_id!r} is neither asked here nor listed under `withdrawn`.",
                )


def _first_version(content: CatalogueFile) -> Iterator[Disagreement]:
    """A first version has nothing before it that it could change."""
    if content.catalogue.previous is not None:
        return
    for path, change in changes_in(content):
        if change.kind != "new":
            yield path, f"Without `previous`, nothing can be {change.kind}."
    for s, section in enumerate(content.sections):
        if section.withdrawn:
            yield ("sections", s, "withdrawn"), "Without `previous`, nothing can be withdrawn."


def _reached_by_nobody(content: CatalogueFile) -> Iterator[Disagreement]:
    included = {one for profile in content.profiles for one in profile.include}
    for s, section in enumerate(content.sections):
        if section.id not in included:
            yield ("sections", s, "id"), f"No profile includes the section {section.id!r}."
    served = {one for profile in content.profiles for one in profile.entity}
    for n, entity in enumerate(content.catalogue.entity):
        if entity not in served:
            yield ("catalogue", "entity", n), f"No profile serves {entity!r}."
    for s, section in enumerate(content.sections):
        for c, criterion in enumerate(section.criteria):
            kinds = criterion.evidence.kinds
            if len(set(kinds)) != len(kinds):
                where = ("sections", s, "criteria", c, "evidence", "kinds")
                yield where, "A kind of evidence stands here twice."


def _levels(content: CatalogueFile) -> Iterator[Disagreement]:
    criteria = {one.id: one for section in content.sections for one in section.criteria}
    for p, profile in enumerate(content.profiles):
        for criterion_id, setting in profile.set.items():
            if criterion_id not in criteria:
                continue  # Already told by `_reach`.
            asked = {one.id: one for one in criteria[criterion_id].questions}
            for question_id, level in setting.required_level.items():
                where = ("profiles", p, "set", criterion_id, "required_level", question_id)
                question = asked.get(question_id)
                if question is None:
                    yield where, f"The criterion has no question {question_id!r}."
                elif question.type != "level":
                    yield where, f"The question {question_id!r} is no level, so none is required."
                elif level not in (question.possible or ()):
                    yield where, f"{level!r} is not an answer to the question {question_id!r}."


def _higher_tiers(content: CatalogueFile) -> Iterator[Disagreement]:
    """A higher tier asks of the same traders at least what a lower one asks."""
    criteria = {one.id: one for section in content.sections for one in section.criteria}
    for (_, low), (p, high) in combinations(
        sorted(enumerate(content.profiles), key=lambda one: one[1].tier), 2
    ):
        if low.tier == high.tier or not set(low.entity) & set(high.entity):
            continue
        for missing in sorted(set(low.include) - set(high.include)):
            where = ("profiles", p, "include")
            yield where, f"Tier {high.tier} leaves out section {missing!r} of tier {low.tier}."
        for criterion in criteria.values():
            if weight(low, criterion) == "must" and weight(high, criterion) == "should":
                yield (
                    ("profiles", p, "set"),
                    f"{criterion.id!r} is a must at tier {low.tier} and only a should here.",
                )
            for question in criterion.questions:
                if level_of(high, criterion, question) < level_of(low, criterion, question):
                    yield (
                        ("profiles", p, "set"),
                        f"{question.id!r} needs a higher level at tier {low.tier} than here.",
                    )


def weight(profile: Profile, criterion: Criterion) -> str:
    """Must or should, as the profile has it."""
    setting = profile.set.get(criterion.id)
    return (setting and setting.modality) or criterion.modality


def level_of(profile: Profile, criterion: Criterion, question: Question) -> int:
    """How far up the choices the profile asks for; -1 when it asks for no level."""
    setting = profile.set.get(criterion.id)
    wanted = setting.required_level.get(question.id) if setting else None
    values = [one.value for one in question.choices]
    return values.index(wanted) if wanted in values else -1
