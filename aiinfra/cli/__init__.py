"""Typer: options -> one command -> text or JSON and an exit code."""

from aiinfra.cli.boundary import run

__all__ = ["run"]
