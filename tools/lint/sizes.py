"""File sizes: sources stay readable in one sitting, and no large file slips into the history."""

import tree

MAX_LINES = 800
WARN_LINES = 500
MAX_BYTES = 1_000_000
SOURCES = (".cpp", ".h", ".inc", ".py", ".cmake", ".sh")


def findings(paths, warn):
    for path in paths:
        if not path.startswith("models/") and (tree.ROOT / path).stat().st_size > MAX_BYTES:
            yield f"{path}:1: [size] more than {MAX_BYTES} bytes; only models/ holds large files"
        elif path.endswith(SOURCES):
            lines = tree.text(path).count("\n")
            if lines > MAX_LINES:
                yield f"{path}:1: [size] {lines} lines; at most {MAX_LINES}"
            elif lines > WARN_LINES:
                warn(f"{path}:1: [size] {lines} lines; few files should have above {WARN_LINES}")
