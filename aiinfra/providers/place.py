"""Where something stands: every mapping and list of a config knows the file and line of what is in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """`file` as the user knows it, relative to the stack directory; `line` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Table(dict[str, Any]):
    """A mapping that knows where it stands and where each of its keys does."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: dict[str, Place] = {}

    def put(self, key: str, value: object, place: Place) -> None:
        self[key] = value
        self.places[key] = place


class Rows(list[Any]):
    """A list that knows where it stands and where each of its items does."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: list[Place] = []

    def put(self, value: object, place: Place) -> None:
        self.append(value)
        self.places.append(place)


def place_of(data: Table, path: Sequence[str | int]) -> Place:
    """Return where the value at `path` stands; of what is not there, where the nearest thing around it does."""
    found, here = data.place, data
    for step in path:
        if isinstance(here, Table) and step in here.places:
            found, here = here.places[str(step)], here[str(step)]
        elif isinstance(here, Rows) and isinstance(step, int) and step < len(here):
            found, here = here.places[step], here[step]
        else:
            break
    return found


def dotted(path: Sequence[str | int]) -> str:
    """Return a path as people write it: `model_list[0].litellm_params.model`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f"{'.' if text else ''}{step}"
    return text


def strings(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every string below a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, (*path, index))


def plain(value: object) -> Any:  # noqa: ANN401 - YAML
    """Return the same without places, as YAML libraries want it."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value
