"""Takes addresses out of npm's lock files: what is installed is told by name, version and hash alone.

python web/clean_lock.py [LOCK ...]
"""

import json
import sys
from pathlib import Path
from typing import Any


def cleaned(value: Any) -> Any:
    """The same without `resolved` and `funding`, the two keys that hold addresses."""
    if isinstance(value, dict):
        return {name: cleaned(item) for name, item in value.items() if name not in ("resolved", "funding")}
    return [cleaned(item) for item in value] if isinstance(value, list) else value


def main(paths: list[str]) -> None:
    """Rewrites each lock file in place."""
    for path in map(Path, paths):
        lock = json.loads(path.read_text())
        path.write_text(json.dumps(cleaned(lock), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
