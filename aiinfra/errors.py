"""Every failure a user can meet: its code, its exit code, and the words for it."""

from collections.abc import Mapping
from enum import Enum
from typing import Any


class Code(Enum):
    """Error codes as they appear in `--json`; the value is (exit code, meaning).

    Exit codes say who must act: 1 it ran but failed, 2 wrong usage, 3 the user edits a file, 4 Docker,
    5 a confirmation is needed and there is no terminal, 6 another aiinfra command holds this stack,
    10 (no error) `plan` found something to do, 129, 130 and 143 interrupted.
    """

    NOT_READY = (1, "a service did not become healthy")
    UNHEALTHY = (1, "a service of the stack is not healthy")
    NOT_RUNNING = (1, "the stack, or the service asked for, is not running")
    PORT_TAKEN = (1, "a host port that the stack needs is taken by something else")
    STACK_ELSEWHERE = (1, "the stack of this name belongs to another directory")
    BUILD_FAILED = (1, "an image could not be built")
    BASE_IMAGE_MISSING = (1, "a base image is neither here nor can it be pulled")
    IMAGE_MISSING = (1, "an image is not here, and may not be built or is gone for good")
    ROLLBACK_REFUSED = (1, "there is no kept state to go back to, or its images, files or keys are gone")
    DISK_FULL = (1, "no space is left on a disk")
    FILE_UNWRITABLE = (1, "a file of the stack directory cannot be written")
    EDGE_REFUSED = (1, "the edge refused its configuration, or does not answer")
    UNSOUND = (1, "doctor found something that keeps the stack from running")
    BACKUP_FAILED = (1, "a backup could not be made")
    BACKUP_INVALID = (1, "a file is no backup of aiinfra, or a damaged one")
    RESTORE_FAILED = (1, "a backup could not be put back; the data are those from before")
    EXCHANGE_OPEN = (1, "a key from before a rotation is still accepted; it has to be retired first")
    REQUEST_FAILED = (1, "MPC-API answered a request with an error, or did not answer")
    COMMAND_FAILED = (1, "the command in the container ended with another exit code than 0, which is passed on")
    PROOF_FAILED = (1, "the gateway does not serve what its provider config says")
    DECLINED = (1, "the user answered no")
    USAGE = (2, "the command line is wrong")
    SETTINGS_INVALID = (3, "aiinfra.yaml is wrong")
    KEYS_INVALID = (3, "the .env file is wrong, or a key in it is weak or missing")
    PROVIDER_CONFIG_INVALID = (3, "the provider config is unknown or wrong")
    CERTIFICATE_INVALID = (3, "the certificate or the key of `tls` is missing or wrong")
    STATE_INVALID = (3, "a file that aiinfra keeps below .aiinfra is damaged")
    DOCKER_MISSING = (4, "there is no docker command")
    DOCKER_STOPPED = (4, "no Docker engine answers")
    DOCKER_DENIED = (4, "the user may not use the Docker engine")
    DOCKER_TOO_OLD = (4, "the engine, Compose or buildx is missing or too old")
    DOCKER_REFUSED = (4, "Docker refused what it was asked")
    CONFIRMATION_NEEDED = (5, "something would be destroyed, and nobody can be asked")
    STACK_LOCKED = (6, "another aiinfra command works on this stack")
    INTERNAL = (1, "a defect of aiinfra itself")
    INTERRUPTED = (130, "stopped by Ctrl-C (130), SIGTERM (143) or SIGHUP (129)")

    @property
    def exit_code(self) -> int:
        return self.value[0]

    @property
    def meaning(self) -> str:
        return self.value[1]


class AiinfraError(Exception):
    """A failure that was foreseen: what happened, then what to do.

    `message` says what happened in one sentence (more lines may follow), `hint` the next thing to do,
    `details` is what a script wants (JSON values). `exit_code` is the code's own, where not given.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        hint: str = "",
        details: Mapping[str, Any] | None = None,
        exit_code: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.exit_code = code.exit_code if exit_code is None else exit_code
        self.message = message
        self.hint = hint
        self.details = dict(details or {})


class Interrupted(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived. Like KeyboardInterrupt, it is not an `Exception`: nothing may swallow it."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.exit_code = 128 + signal_number
