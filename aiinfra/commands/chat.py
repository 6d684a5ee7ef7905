"""`chat`: one request through the gateway, for a quick look."""

from collections.abc import Generator

from aiinfra import gateway, keys
from aiinfra.gateway import Piece
from aiinfra.target import Target, running


def chat(target: Target, text: str, *, model: str, timeout: float) -> Generator[Piece, None, None]:
    """Stream the answer of an alias. Raises AiinfraError: NOT_RUNNING, REQUEST_FAILED."""
    stack, key = running(target), keys.load(target.directory, target.name).get("LITELLM_MASTER_KEY", "")
    return gateway.chat(stack, key, model, text, timeout=timeout)
