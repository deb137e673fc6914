"""`settings`: what each setting is, and where its value came from."""

import os

import typer
from rich.console import Console
from rich.table import Table

from app.settings import TABLE, Settings, read_settings


def current() -> Settings:
    """The settings of this process's environment."""
    return read_settings(os.environ)


def register(program: typer.Typer) -> None:
    """Adds the command."""

    @program.command(name="settings")
    def show() -> None:
        """Print each setting with its value (secrets hidden) and where it came from."""
        told = {name: meaning for name, _, _, meaning in TABLE}
        table = Table(box=None, pad_edge=False)
        for heading in ("setting", "value", "from", "what it is"):
            table.add_column(heading, overflow="fold")
        for setting in current().table:
            table.add_row(setting.name, setting.shown, setting.origin, told[setting.name])
        Console(width=None if os.isatty(1) else 200).print(table)
