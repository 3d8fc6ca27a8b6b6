"""Run a command and turn every error into one sentence and an exit code."""

from __future__ import annotations

import os
import sys
import warnings
from importlib import import_module
from typing import Any

from incumbent.errors import IncumbentError, UsageError

FAILED, WRONG_USAGE = 1, 2
_COMMANDS = ("_init", "_update", "_read", "_deploy", "_strategies", "_forget", "_plan", "_shadow")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code: 0 done, 1 it failed, 2 wrong usage."""
    code = run(sys.argv[1:] if arguments is None else arguments)
    sys.stdout.flush()
    raise SystemExit(code)


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return _fail("Stopped. Nothing was changed: the champion stays live.", FAILED)
    except UsageError as error:
        return _fail(f"Error: {error}", WRONG_USAGE)
    except IncumbentError as error:
        return _fail(f"Error: {error}", FAILED)
    except BrokenPipeError:
        # the reader has closed the pipe; Python must not complain about it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _fail(f"Error: {error.strerror or error}: {error.filename or ''}".rstrip(": "), FAILED)
    except MemoryError:
        return _fail("Error: the machine has too little memory for this; give fewer rows, or --budget less.", FAILED)


def _run(arguments: list[str]) -> int:
    import typer

    from incumbent.cli._app import app

    for commands in _COMMANDS:  # importing a file registers its commands, in the order of the help
        import_module(f"incumbent.cli.{commands}")

    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # warnings of libraries are not for users of a command; -W shows them
    command: Any = typer.main.get_command(app)
    # Typer brings its own copy of Click or uses the one that is installed, by version; its public names lead to either.
    wrong_usage: Any = typer.BadParameter.__bases__[0]
    try:
        # not command.main(), which in some versions of Typer catches Ctrl-C
        with command.make_context("incumbent", list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as leaving:
        return int(leaving.exit_code)
    except wrong_usage as error:
        if not arguments:
            print(error.format_message())  # it is the help
            return WRONG_USAGE
        return _fail(f"Error: {_one_line(error.format_message())}{_hint(error.ctx)}", WRONG_USAGE)
    return 0


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if line.endswith((".", "?")) else f"{line}."


def _hint(context: Any) -> str:
    return f" See: {context.command_path} --help" if context else ""


def _fail(text: str, code: int) -> int:
    print(text, file=sys.stderr)
    return code
