"""The stack: its settings and keys, its ports, and what stands in its way."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

from aiinfra import certificates, keys, loading, ports
from aiinfra.commands.doctor.finding import Finding, Level, NothingToLookAtError, Scene
from aiinfra.commands.init import missing_keys
from aiinfra.engine import Container
from aiinfra.errors import AiinfraError, Code
from aiinfra.journal import Journal
from aiinfra.naming import SCRATCH_LABEL, STACK_LABEL
from aiinfra.plan import leftovers
from aiinfra.stack import EDGE, volume_name, wanted_ports


def settings(scene: Scene) -> Iterator[Finding]:
    """aiinfra.yaml, and that we may write beside it."""
    if fault := scene.target_fault:
        yield Finding("settings", "error", fault.message, fault.hint)
    else:
        yield Finding(
            "settings", "ok", f"the settings of the stack '{scene.target.name}' in {scene.directory} are valid"
        )
    if not os.access(scene.directory, os.W_OK):
        fix = "make it writable for you, or use another with -C DIR; what runs goes on"
        yield Finding("settings", "error", f"{scene.directory} cannot be written", fix)


def keys_file(scene: Scene) -> Iterator[Finding]:
    """The .env: its syntax, who may read it, and whether its keys are strong."""
    target = scene.target
    for path in sorted({target.directory / ".env", target.directory / target.keys_file}):
        if path.is_file() and path.stat().st_mode & 0o077:
            yield Finding("keys", "warning", f"{path.name} can be read by others", f"`chmod 600 {path}`")
    missing = missing_keys(target)
    if missing:
        text = f"{target.keys_file} has no {', '.join(missing)}"
        yield Finding("keys", "note", text, "nothing to do: the next `aiinfra up` generates strong ones")
    keys.check({**keys.load(target.directory, target.name), **missing}, target.keys_file)
    if not missing:
        yield Finding("keys", "ok", f"the keys in {target.keys_file} are strong")


def provider(scene: Scene) -> Iterator[Finding]:
    """The active provider config: valid, and with every key that it needs."""
    target = scene.target
    found = loading.load(target, missing_keys(target))
    yield Finding("provider config", "ok", f"'{found.provider.name}' is valid and has all the keys that it needs")


def certificate(scene: Scene) -> Iterator[Finding]:
    """The certificate of `tls`: whole, belonging to its key, and not about to end."""
    target = scene.target
    tls = target.settings.tls
    if tls is None:
        return
    found = certificates.load(target.directory / tls.cert, target.directory / tls.key)
    now = datetime.now(UTC)
    if ending := found.warning(now):
        level: Level = "error" if found.days_left(now) < 0 else "warning"
        yield Finding("certificate", level, ending, f"put a renewed one at {tls.cert}, then `aiinfra up`")
    else:
        yield Finding("certificate", "ok", f"{tls.cert} is good for {found.days_left(now)} days")


def host_ports(scene: Scene) -> Iterator[Finding]:
    """The host ports: ours, free, or whose."""
    target = scene.target
    state = target.workspace.state()
    address = target.settings.ports.address
    wanted = dict(state.identity.ports) if state else {}
    wanted |= {name: port for name, port in wanted_ports(target.name, target.settings).items() if port}
    edges = [one for one in _containers(scene) if one.service == EDGE and one.state in ("running", "paused")]
    ours = {port for one in edges for port in one.ports.values()}
    for service, port in wanted.items():
        if port in ours or ports.is_free(address, port):
            yield Finding("ports", "ok", f"{service}: port {port} is {'ours' if port in ours else 'free'}")
            continue
        container = "" if scene.engine_fault else scene.engine.container_on_port(port)
        who = f"the container {container}" if container else ports.owner(port) or "another process"
        fix = f"stop it, or set `ports: {{{service}: PORT}}` in aiinfra.yaml"
        yield Finding("ports", "error", f"{service}: port {port} is taken by {who}", fix)


def in_the_way(scene: Scene) -> Iterator[Finding]:
    """Another directory's stack of this name, or things of this name that are nobody's stack."""
    target, estate = scene.target, scene.engine.estate
    try:
        target.refuse_elsewhere([*scene.containers, *scene.engine.volumes(target.name)])
    except AiinfraError as error:
        if error.code is not Code.STACK_ELSEWHERE:
            raise
        yield Finding("other stacks", "error", error.message, error.hint)
        return
    for name in (f"{target.name}-network", f"{target.name}-backend", f"{target.name}-data"):
        labels = estate.labels("network", name)
        if labels is not None and labels.get(STACK_LABEL) != target.name:
            fix = f"remove it (`docker network rm {name}`), or use another name: `--stack NAME`"
            yield Finding("other stacks", "error", f"the network {name} is not of this stack", fix)
    volume = volume_name(target.name)
    labels = estate.labels("volume", volume)
    if labels is not None and labels.get(STACK_LABEL) != target.name:
        fix = f"if its data are yours, nothing; otherwise remove it (`docker volume rm {volume}`) or use `--stack NAME`"
        yield Finding(
            "other stacks", "warning", f"the volume {volume} was not made by this stack, which would use it", fix
        )


def left_behind(scene: Scene) -> Iterator[Finding]:
    """What interrupted commands left."""
    target = scene.target
    found = scene.containers
    twins = [one.name for one in leftovers([one for one in found if SCRATCH_LABEL not in one.labels])]
    if twins:
        text = f"an interrupted command left {', '.join(twins)}"
        yield Finding("leftovers", "warning", text, "`aiinfra up` finishes the job and removes them")
    labelled = scene.engine.estate.containers(target.name)
    scratch = [one.name for one in labelled if SCRATCH_LABEL in one.labels]
    known = {one.id for one in found}
    strays = [one.name for one in labelled if SCRATCH_LABEL not in one.labels and one.id not in known]
    if strays:
        text = f"containers carry this stack's label and are none of its services: {', '.join(strays)}"
        yield Finding("leftovers", "warning", text, f"remove them: `docker rm -f {' '.join(strays)}`")
    if scratch:
        text = f"scratch containers are there, which only a running command needs: {', '.join(scratch)}"
        yield Finding("leftovers", "warning", text, "if no aiinfra command runs: `aiinfra prune`, or `aiinfra down`")
    entry = Journal(target.workspace.journal_file).read()
    if entry:
        what = f"the replacement of {entry.service}" if entry.service else "the end of the stack"
        text = f"{what} is under way, or was interrupted"
        yield Finding("leftovers", "warning", text, "if no aiinfra command runs: `aiinfra up` finishes or undoes it")
    if not (twins or strays or scratch or entry):
        yield Finding("leftovers", "ok", "no interrupted command left anything")


def _containers(scene: Scene) -> list[Container]:
    try:
        return scene.containers
    except NothingToLookAtError:
        return []
