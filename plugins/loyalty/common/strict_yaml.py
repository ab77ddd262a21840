"""YAML that people write: a doubled key is an error instead of the last one winning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping; a ConstructorError when a key is in it twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                problem = f"the key `{key.value}` is there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """The content of a YAML text; a YAMLError names the line of a mistake."""
    return yaml.load(text, _Loader)  # noqa: S506 - a safe loader


def line_of(text: str, keys: Sequence[str | int]) -> int | None:
    """The line, from 1, of a key by its way from the top; of the last one on this way that is there, if any."""
    node, line = yaml.compose(text, _Loader), None
    for key in keys:
        found: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            found = next(([name, value] for name, value in node.value if name.value == str(key)), [])
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            found = [node.value[key], node.value[key]]
        if not found:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line
