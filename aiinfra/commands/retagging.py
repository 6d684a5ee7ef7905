"""The names of our images while a rollback is carried out: they mean what runs, also when it fails."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from aiinfra.commands.build import keep_previous
from aiinfra.commands.decide import Intent
from aiinfra.commands.undoing import undoing
from aiinfra.engine import Engine
from aiinfra.errors import AiinfraError, Interrupted


def retag(intent: Intent, engine: Engine) -> None:
    """Let names mean the images of the state that comes back."""
    for name, image in intent.retags.items():
        keep_previous(engine.image_id(name), name, engine, now=image)
        engine.tag(image, name)


@contextmanager
def given_back(intent: Intent, done: Collection[str], engine: Engine) -> Iterator[None]:
    """After a failure, give the names of services that run as before their old meaning back.

    `done` are the services that run differently by then.
    """
    meant = {name: engine.image_id(name) for name in intent.retags}
    try:
        yield
    except (AiinfraError, Interrupted) as error:
        with undoing(error):
            for service, name in intent.loaded.service_images.items():
                if service not in done and meant.get(name):
                    engine.tag(meant[name], name)
        raise
