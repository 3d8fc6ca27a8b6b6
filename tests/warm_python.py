"""A Python that has imported Incumbent and MLflow already: each run is a fork of it, and saves the seconds of imports.

Run as a program, it is the server: it reads one request per line, and answers with an exit code per line.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

IMPORTS = (
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "sklearn.linear_model",
    "incumbent.registry",
    "incumbent.cli",
)


class WarmPython:
    """Runs Python programs, each in a process of its own that begins with the imports done."""

    def __enter__(self) -> WarmPython:
        """Start the process that is forked."""
        self._server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop it."""
        self._server.communicate()

    def run(self, program: str, arguments: Sequence[str], folder: Path, env: dict[str, str]) -> tuple[int, str]:
        """Run "incumbent" or a script, and return the exit code and all that it printed."""
        out = folder / ".printed"
        request = {"program": program, "arguments": arguments, "folder": str(folder), "env": env, "out": str(out)}
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        return code, out.read_text(encoding="utf-8")


def serve() -> None:
    """Fork for each request."""
    for module in IMPORTS:
        import_module(module)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            execute(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def execute(request: dict[str, Any]) -> None:
    """Be the program, to its end."""
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["folder"])
    out = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(source, target)
    sys.argv = [request["program"], *request["arguments"]]
    code = 0
    try:
        if request["program"] == "incumbent":
            sys.path[0] = str(Path(sys.executable).parent)  # as for an installed command, not the folder of this file
            from incumbent.cli import main

            main()
        else:
            sys.path[0] = request["folder"]
            runpy.run_path(request["program"], run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
