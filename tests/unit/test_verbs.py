"""Which module has which verb."""

from importlib import import_module

import typer

from aiinfra.cli.verbs import MODULES


def test_every_verb_is_found_in_the_module_that_has_it() -> None:
    for module, names in MODULES.items():
        app = typer.Typer()
        import_module(f"aiinfra.cli.{module}").register(app)
        found = [*(one.name for one in app.registered_commands), *(one.name for one in app.registered_groups)]
        assert found == list(names)
