"""`backup`: Redis data and settings in one file; taken from a completed save, whether the stack runs or not."""

import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiinfra import __version__, archive, keys, rendering
from aiinfra.disk import unwritable
from aiinfra.engine import Container, Engine, RedisData, copy_out
from aiinfra.errors import AiinfraError, Code
from aiinfra.naming import DIRECTORY_LABEL, FILE_NAME, STACK_LABEL
from aiinfra.reporting import Event, Report
from aiinfra.stack import KEEPER, REDIS, keeper_password, volume_name
from aiinfra.target import Target

_DUMP = Path("/data/dump.rdb")
_POLL = 0.2


@dataclass(frozen=True)
class BackupResult:
    """`size` is in bytes, `keys` the number of keys in Redis, `files` what is in the file beside the data."""

    stack: str
    file: str
    size: int
    keys: int
    files: tuple[str, ...]
    has_secrets: bool


def default_file(target: Target) -> Path:
    return target.directory / f"{target.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}.backup.tar.gz"


def backup(
    target: Target, file: Path, *, engine: Engine, report: Report, secrets: bool = False, locked: bool = False
) -> BackupResult:
    """Write a backup. `secrets` puts the stack's .env in it; `locked` says that the caller holds the stack's lock.

    Raises AiinfraError: NOT_RUNNING when there are no data, BACKUP_FAILED, DISK_FULL.
    """
    data = engine.volumes(target.name)
    target.refuse_elsewhere(data)
    if not data:
        raise AiinfraError(Code.NOT_RUNNING, f"the stack '{target.name}' has no data", hint="start it: `aiinfra up`")
    if locked:
        return _backup(target, file, engine=engine, report=report, secrets=secrets)
    with target.workspace.lock("backup", wait=0, on_wait=lambda _: None):
        return _backup(target, file, engine=engine, report=report, secrets=secrets)


def _backup(target: Target, file: Path, *, engine: Engine, report: Report, secrets: bool) -> BackupResult:
    with tempfile.TemporaryDirectory(prefix="aiinfra-backup-") as folder:
        dump = Path(folder) / "dump"
        report(Event("begin", REDIS, "saving"))
        count = _save(target, dump, engine)
        report(Event("done", REDIS, f"saved, {count} keys"))
        files = {archive.DATA: dump, **settings_files(target)}
        own_keys = keys.file_for(target.directory, target.name)
        if secrets and own_keys.exists():
            files[archive.KEYS] = own_keys
        created = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        manifest = {"stack": target.name, "created": created, "version": __version__, "keys": count}
        try:
            archive.write(file, manifest, files)
        except OSError as error:
            raise unwritable(file, error) from error
    names = tuple(name for name in files if name != archive.DATA)
    return BackupResult(target.name, str(file), file.stat().st_size, count, names, archive.KEYS in files)


def settings_files(target: Target) -> dict[str, Path]:
    """Return the user's own files by their names in an archive."""
    own = sorted((*target.directory.glob("litellm/*.yaml"), *target.directory.glob("litellm/*.yaml.j2")))
    found = [target.directory / FILE_NAME, *own]
    names = {path: f"{archive.SETTINGS}{path.relative_to(target.directory)}" for path in found if path.is_file()}
    return {name: path for path, name in names.items()}


def redis_data(target: Target, engine: Engine) -> RedisData:
    """Return the volume of a stack's Redis; pulls its image when it is not here."""
    image = rendering.redis_image(target.settings.build)
    if not engine.image_id(image):
        engine.pull(image)
    labels = {STACK_LABEL: target.name, DIRECTORY_LABEL: str(target.directory)}
    return RedisData(image, volume_name(target.name), target.settings.services.redis.memory, labels)


def running_redis(target: Target, engine: Engine) -> Container | None:
    found = engine.containers(target.name)
    target.refuse_elsewhere(found)
    return next((one for one in found if one.service == REDIS and one.running), None)


def _save(target: Target, dump: Path, engine: Engine) -> int:
    container = running_redis(target, engine)
    with dump.open("wb") as file:
        if container is None:
            return redis_data(target, engine).dump(file)
        keeper = _Keeper(target, container, engine)
        keeper.save()
        copy_out(container, _DUMP, file)
        return keeper.count()


@dataclass(frozen=True)
class _Keeper:
    """Redis's user for backups, who may save and look at figures, and cannot read a key."""

    target: Target
    container: Container
    engine: Engine

    def save(self) -> None:
        """Have Redis write all that it has to disk, and wait until that is complete."""
        deadline = time.monotonic() + max(self.target.settings.timeout, 60)
        before = int(self._persistence()["rdb_saves"])
        started = False
        while True:
            now = self._persistence()
            if now["rdb_bgsave_in_progress"] == "0":
                if int(now["rdb_saves"]) > before:
                    return
                if started and now["rdb_last_bgsave_status"] != "ok":
                    raise self._failed("Redis could not save its data; is the disk of the Docker engine full?")
                started = "started" in self._ask("BGSAVE")
            if time.monotonic() > deadline:
                raise self._failed("Redis did not complete a save in time")
            time.sleep(_POLL)

    def count(self) -> int:
        return int(self._ask("DBSIZE").split()[-1])

    def _persistence(self) -> dict[str, str]:
        lines = (line.strip() for line in self._ask("INFO persistence").splitlines())
        found = dict(line.split(":", 1) for line in lines if ":" in line)
        if "rdb_saves" not in found:
            raise self._failed("Redis does not tell whether it saved")
        return found

    def _ask(self, command: str) -> str:
        # On standard input, so that the password is in no process list.
        state = self.target.workspace.state()
        password = keeper_password(state.identity) if state else ""
        text = f"AUTH {KEEPER} {password}\n{command}\n"
        answer = self.engine.execute(self.container, ["redis-cli"], text=text).stdout
        if not answer.startswith("OK\n"):
            raise self._failed(f"Redis does not let us in: {answer.strip()[:200]}", "run `aiinfra up` first")
        return answer.removeprefix("OK\n").strip()

    @staticmethod
    def _failed(message: str, hint: str = "see `aiinfra logs redis`") -> AiinfraError:
        return AiinfraError(Code.BACKUP_FAILED, message, hint=hint)
