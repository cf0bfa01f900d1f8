"""Bytes of a YAML file into plain data, remembering on which line everything stands.

Scalars are read as YAML 1.2 does: only ``true`` and ``false`` are booleans, so that the answer
``yes`` stays the word it is, and dates stay text. Anchors, aliases, tags and repeated keys are
refused: each makes a file say something else than a reader sees.
"""

import re
from dataclasses import dataclass, field

import yaml

Place = tuple[str | int, ...]
Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

MOST_BYTES = 8_000_000
DEEPEST = 40


class UnreadableError(ValueError):
    """The file cannot be read as data at all; ``line`` counts from 1 and is 0 when unknown."""

    def __init__(self, line: int, message: str) -> None:
        """Keep the line apart from the message, so that a caller can print both."""
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Written:
    """Plain data, with the line (from 1) of every key and list item by its path."""

    data: Plain
    lines: dict[Place, int] = field(repr=False)

    def line(self, path: Place) -> int:
        """Return the line of a path, or of the nearest part around it that exists."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1


class _CoreLoader(yaml.CSafeLoader):
    """libyaml's loader with the scalar rules of YAML 1.2 and nothing else."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _pattern, _first in (
    ("null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""]),
    ("bool", re.compile(r"^(?:true|false)$"), ["t", "f"]),
    ("int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789")),
    ("float", re.compile(r"^[-+]?[0-9]+\.[0-9]+$"), list("-+0123456789")),
):
    _CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, _first)


def read(raw: bytes) -> Written:
    """Return the one document in ``raw``.

    Raises ``UnreadableError`` for text that is not UTF-8, not YAML, too large, too deep, empty,
    or that uses one of the refused features.
    """
    if len(raw) > MOST_BYTES:
        raise UnreadableError(0, f"The file is larger than {MOST_BYTES} bytes.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableError(line, "The file is not UTF-8 text.") from error
    try:
        _refuse_early(text)
        root = yaml.compose(text, Loader=_CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "it is malformed"
        raise UnreadableError(mark.line + 1 if mark else 0, f"This is not YAML: {said}.") from error
    except yaml.YAMLError as error:
        raise UnreadableError(0, f"This is not YAML: {error}") from error
    if root is None:
        raise UnreadableError(1, "The file is empty.")
    lines: dict[Place, int] = {(): root.start_mark.line + 1}
    return Written(_plain(root, (), lines), lines)


def _refuse_early(text: str) -> None:
    """Refuse what must not reach the composer, which recurses in C and resolves aliases."""
    depth = 0
    for event in yaml.parse(text, Loader=_CoreLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if getattr(event, "anchor", None) is not None:
            raise UnreadableError(line, "Anchors and aliases are not accepted; write it out.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise UnreadableError(line, "The file is nested too deeply.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _plain(node: yaml.Node, path: Place, lines: dict[Place, int]) -> Plain:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, line)
    if isinstance(node, yaml.SequenceNode):
        _refuse_tag(node, "seq", line)
        found: list[Plain] = []
        for index, child in enumerate(node.value):
            lines[(*path, index)] = child.start_mark.line + 1
            found.append(_plain(child, (*path, index), lines))
        return found
    _refuse_tag(node, "map", line)
    pairs: dict[str, Plain] = {}
    for key_node, child in node.value:
        key_line = key_node.start_mark.line + 1
        key = _plain(key_node, path, lines)
        if not isinstance(key, str):
            raise UnreadableError(key_line, f"The key {key!r} is not text; put it in quotes.")
        if key in pairs:
            raise UnreadableError(key_line, f"The key `{key}` stands here a second time.")
        lines[(*path, key)] = key_line
        pairs[key] = _plain(child, (*path, key), lines)
    return pairs


def _scalar(node: yaml.ScalarNode, line: int) -> Plain:
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    value: str = node.value
    if kind == "str":
        return value
    if kind == "null":
        return None
    if kind == "bool":
        return value == "true"
    try:
        if kind == "int":
            return int(value)
        if kind == "float":
            return float(value)
    except ValueError as error:
        raise UnreadableError(line, f"{value!r} is not a number.") from error
    raise UnreadableError(line, f"The tag {node.tag} is not accepted.")


def _refuse_tag(node: yaml.Node, kind: str, line: int) -> None:
    if node.tag != f"tag:yaml.org,2002:{kind}":
        raise UnreadableError(line, f"The tag {node.tag} is not accepted.")
