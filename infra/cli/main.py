"""The `careloop` command, put together from the files of this folder.

A file's `commands` (a typer application) stand at the top: `careloop up`; its `app` stands below the file's name:
`careloop db migrate`. A file that is imported here loads what is slow inside its commands.
"""

import importlib
import pkgutil

import typer

import infra.cli


def assemble() -> typer.Typer:
    """All commands as one application."""
    whole = typer.Typer(no_args_is_help=True, add_completion=False, help="Careloop: every loop closes.")
    for name in (found.name for found in pkgutil.iter_modules(infra.cli.__path__)):
        if name == "main":
            continue
        module = importlib.import_module(f"infra.cli.{name}")
        if isinstance(part := getattr(module, "commands", None), typer.Typer):
            whole.add_typer(part)
        if isinstance(part := getattr(module, "app", None), typer.Typer):
            whole.add_typer(part, name=name)
    return whole


def app() -> None:
    assemble()(prog_name="careloop")


if __name__ == "__main__":
    app()
