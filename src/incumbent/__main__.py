"""`python -m incumbent` is the command line."""

from __future__ import annotations

from incumbent.cli import main

if __name__ == "__main__":
    main()
