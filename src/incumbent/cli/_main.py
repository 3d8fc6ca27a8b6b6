"""Run a command and turn every error into one sentence and an exit code."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

from incumbent.errors import IncumbentError, UsageError

FAILED, WRONG_USAGE = 1, 2


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code: 0 done, 1 it failed, 2 wrong usage.

    Parameters
    ----------
    arguments : list of str, optional
        What to run; default the arguments of this process.
    """
    code = run(sys.argv[1:] if arguments is None else arguments)
    sys.stdout.flush()
    raise SystemExit(code)


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    import click

    from incumbent.cli._commands import app

    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # a library's chatter is not for whoever runs a command; -W brings it back
    import typer

    command: Any = typer.main.get_command(app)
    try:
        code = command.main(args=arguments, prog_name="incumbent", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Abort:
        return _say("Stopped. The champion stays live and nothing was changed.", FAILED)
    except KeyboardInterrupt:
        return _say("Stopped. The champion stays live and nothing was changed.", FAILED)
    except click.UsageError as error:
        hint = f" See: {error.ctx.command_path} --help" if error.ctx else ""
        return _say(f"Error: {error.format_message()}{hint}", WRONG_USAGE)
    except UsageError as error:
        return _say(f"Error: {error}", WRONG_USAGE)
    except IncumbentError as error:
        return _say(f"Error: {error}", FAILED)
    except BrokenPipeError:
        # whoever read the output has seen enough; Python must not complain about it at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _say(f"Error: {error.strerror or error}: {error.filename or ''}".rstrip(": "), FAILED)
    except MemoryError:
        return _say("Error: the machine has too little memory for this; give fewer rows, or --budget less.", FAILED)


def _say(text: str, code: int) -> int:
    print(text, file=sys.stderr)
    return code
