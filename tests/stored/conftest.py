from __future__ import annotations

collect_ignore = ["make_stores.py"]  # imports names of version 0.1
