"""State machines: one event per transition, one writer of the state, the diagram in the docs."""

import ast
from pathlib import Path

import pytest

from app.audit.tags import EventTag
from app.db.base import HasState
from app.kernel.errors import IllegalTransitionError
from app.kernel.workflow import Workflow, transition
from app.tables import Base
from app.traders.workflow import IdentifierState

ROOT = Path(__file__).resolve().parents[2]
DIAGRAMS = ROOT / "docs" / "workflows.md"


def workflows() -> list[Workflow]:
    found = {
        mapper.class_.workflow.name: mapper.class_.workflow
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, HasState)
    }
    assert found
    return [found[name] for name in sorted(found)]


def test_every_transition_records_a_known_event_of_its_own():
    for workflow in workflows():
        for move in workflow.transitions:
            assert EventTag(move.event), f"{workflow.name}: {move.name}"


def test_only_move_changes_a_state():
    writers = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            targets = node.targets if isinstance(node, ast.Assign) else ()
            writers += [
                str(path.relative_to(ROOT))
                for target in targets
                if isinstance(target, ast.Attribute) and target.attr == "_state"
            ]
    assert writers == ["app/work.py"]


def test_no_bulk_update_goes_past_the_workflow():
    """`update(Model).values(_state=...)` or SQL that sets `state` would skip the table."""
    found = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "values"
                and any(keyword.arg in {"_state", "state"} for keyword in node.keywords)
            ):
                found.append(str(path.relative_to(ROOT)))
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                statement = " ".join(node.value.lower().split())
                if statement.startswith("update ") and " set state" in statement:
                    found.append(str(path.relative_to(ROOT)))
    assert found == []


def test_diagrams_in_the_docs_are_drawn_from_the_tables():
    wanted = ["# State machines", "", "Drawn from the tables by the tests; do not edit.", ""]
    for workflow in workflows():
        wanted += [f"## {workflow.name}", "", "```mermaid", workflow.mermaid(), "```", ""]
    text = "\n".join(wanted)
    if not DIAGRAMS.exists() or DIAGRAMS.read_text() != text:
        DIAGRAMS.write_text(text)
        pytest.fail("docs/workflows.md was out of date; it has been drawn again.")


def test_a_table_that_leaves_a_state_unreachable_is_refused():
    first, second, *_ = IdentifierState
    with pytest.raises(ValueError, match="cannot be reached"):
        Workflow(
            "broken",
            initial=first,
            transitions=(transition("go", first, second, EventTag.CASE_TAKEN),),
        )


def test_an_undeclared_move_is_refused():
    for workflow in workflows():
        with pytest.raises(IllegalTransitionError):
            workflow.move(workflow.initial, "no such move")
