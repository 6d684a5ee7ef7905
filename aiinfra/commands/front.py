"""The edge before and between swaps: its configuration judged, written, taken over."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from aiinfra import disk
from aiinfra.edge import Edge, address, write_config
from aiinfra.edge_config import CONFIG, PEM, Attached, Place, attached_in, edge_files, intact, padded, version_of
from aiinfra.engine import Container, Engine, judge
from aiinfra.errors import AiinfraError, Code
from aiinfra.loading import Loaded
from aiinfra.rendering import labels
from aiinfra.stack import EDGE, PUBLISHED, Stack

_INSIDE = "/etc/aiinfra-edge"


def running_edge(stack: Stack, containers: Sequence[Container], engine: Engine, root: Path) -> Edge | None:
    """Return the edge that runs; None when it does not."""
    found = [one for one in containers if one.service == EDGE and one.running]
    return Edge(engine, found[0], stack, root) if found else None


def prepare(loaded: Loaded, containers: Sequence[Container], *, engine: Engine) -> None:
    """Put every container of the published services behind the edge, running or about to be started.

    A configuration that is new is judged by the HAProxy that will run it before it is used, and taken over by a
    running one without a lost request. Raises EDGE_REFUSED; what ran before then still runs.
    """
    root, stack = loaded.target.workspace.root, loaded.stack
    files = loaded.target.workspace.edge_files()
    before = files.get(CONFIG, "")
    wanted = _places(stack, attached_in(before), containers)
    config = edge_files(stack, wanted)[CONFIG]
    edge = running_edge(stack, containers, engine, root)
    runs = edge.version() if edge else version_of(before)
    # What was changed by hand may run already, under the version that it had.
    by_hand = not intact(stack, files)
    changed = by_hand or runs != version_of(config)
    if changed or loaded.state.generation == 0:
        _judge(loaded, wanted)
    if config != before or by_hand:
        write_config(root, stack, wanted)
    if edge and changed:
        edge.reload()
    elif edge:
        edge.align()


def _places(stack: Stack, before: Attached, containers: Sequence[Container]) -> dict[str, tuple[Place, ...]]:
    found: dict[str, tuple[Place, ...]] = {}
    for service in PUBLISHED:
        there = {one.name: Place(one.name, address(stack, one)) for one in containers if one.service == service}
        kept = [there.pop(place.name, Place()) for place in before[service]]
        new = iter(there.values())
        found[service] = padded([place if place.name else next(new, Place()) for place in kept])
    return found


def _judge(loaded: Loaded, wanted: Attached) -> None:
    image = loaded.service_images[EDGE]
    with TemporaryDirectory(dir=loaded.target.workspace.root, prefix=".edge-judged.", suffix=disk.UNFINISHED) as folder:
        for name, text in edge_files(loaded.stack, wanted).items():
            disk.hand_over(Path(folder) / name, text, secret=name == PEM)
        Path(folder).chmod(0o755)
        command = ["haproxy", "-c", "-f", f"{_INSIDE}/{CONFIG}"]
        said = judge(
            image,
            command,
            folder=Path(folder),
            mounted=_INSIDE,
            user=disk.runtime_user(),
            labels=labels(loaded.stack),
        )
    if said:
        raise AiinfraError(
            Code.EDGE_REFUSED,
            f"the HAProxy of {image} refuses the edge's configuration:\n{said[-1500:]}",
            hint="what ran before still runs; use the image that aiinfra names (build.base_images)",
        )
