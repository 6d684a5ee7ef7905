"""YAML -> data that knows its places, the way LiteLLM's own loader reads it, with duplicate keys found."""

from dataclasses import dataclass
from typing import Any

import yaml

from aiinfra.providers.fault import Fault, at
from aiinfra.providers.place import Place, Rows, Table
from aiinfra.providers.source import Source
from aiinfra.providers.text import Text, unreadable

_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Document:
    """What one file says; `faults` are those that stand in the way of nothing, such as a key that stands twice."""

    data: Table
    faults: tuple[Fault, ...]


def document(source: Source, text: Text) -> Document:
    """Read a text. Raises AiinfraError (PROVIDER_CONFIG_INVALID) when it is no YAML mapping."""
    try:
        node = yaml.compose(text.text, yaml.CSafeLoader)
        reading = _Reading(source, text)
        data = reading.value(node) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise unreadable(source, text.line(mark.line + 1) if mark else 1, error.problem or str(error)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise unreadable(source, 1, str(error) or type(error).__name__) from error
    if not isinstance(data, Table):
        raise unreadable(source, 1, "it must be a mapping with a model_list")
    return Document(data, tuple(reading.faults))


class _Reading:
    def __init__(self, source: Source, text: Text) -> None:
        self.source = source
        self.text = text
        self.faults: list[Fault] = []
        self.scalars = yaml.constructor.SafeConstructor()

    def value(self, node: yaml.Node) -> Any:  # noqa: ANN401 - YAML
        if isinstance(node, yaml.MappingNode):
            return self._table(node)
        if isinstance(node, yaml.SequenceNode):
            rows = Rows(self._place(node))
            for item in node.value:
                rows.put(self.value(item), self._place(item))
            return rows
        return self.scalars.construct_object(node, deep=True)

    def _table(self, node: yaml.MappingNode) -> Table:
        self._find_duplicates(node)
        self.scalars.flatten_mapping(node)
        table = Table(self._place(node))
        for key_node, value_node in node.value:
            key = self.scalars.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                fix = "quote it" if isinstance(key_node, yaml.ScalarNode) else "use a word"
                self.faults.append(at(self._place(key_node), f"the key '{key_node.value}' is not a word", fix))
            table.put(str(key), self.value(value_node), self._place(key_node))
        return table

    def _find_duplicates(self, node: yaml.MappingNode) -> None:
        first: dict[object, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == _MERGE or not isinstance(key_node, yaml.ScalarNode):
                continue
            place = self._place(key_node)
            if key_node.value in first:
                fix = f"remove one; the first is on line {first[key_node.value]}"
                problem = f"the key '{key_node.value}' stands twice, and LiteLLM would take the last in silence"
                self.faults.append(at(place, problem, fix))
            first.setdefault(key_node.value, place.line)

    def _place(self, node: yaml.Node) -> Place:
        return Place(self.source.file, self.text.line(node.start_mark.line + 1))
