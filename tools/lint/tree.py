"""The tracked files of the repository, and a cache that lets a check skip files it has passed.

Used by every check of tools/lint. A file's key covers its own text, the text of every repository
file it includes (transitively), and whatever else the check says its verdict depends on, so a hit
is as good as a run. Only passes are cached: a finding is found again until it is mended.
"""

import functools
import hashlib
import pathlib
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "lint-cache"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
FIRST_INCLUDE = re.compile(r'^\s*#\s*include\s+(\S+)', re.MULTILINE)
INCLUDE_ROOTS = ("src", "tests", ".")


def tracked(*patterns):
    """Paths relative to ROOT, of files that git tracks and that exist."""
    output = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout
    return sorted(path for path in output.split("\0") if path and (ROOT / path).is_file())


def names_of(path):
    """What an #include may call this file."""
    return [path, *(path.removeprefix(f"{root}/") for root in INCLUDE_ROOTS)]


@functools.cache
def text(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def includes(path):
    """(line number, name) of every #include "name"."""
    content = text(path)
    return [(content.count("\n", 0, match.start(1)) + 1, match[1])
            for match in INCLUDE.finditer(content)]


@functools.cache
def included_files(path):
    """Repository files that `path` includes directly."""
    found = []
    for _, name in includes(path):
        candidates = [pathlib.PurePath(path).parent / name]
        candidates += [pathlib.PurePath(root) / name for root in INCLUDE_ROOTS]
        for candidate in candidates:
            if (ROOT / candidate).is_file():
                found.append(str(candidate))
                break
    return tuple(found)


def closure(path):
    """`path` and every repository file that it includes, transitively."""
    seen, stack = set(), [path]
    while stack:
        current = stack.pop()
        if current not in seen:
            seen.add(current)
            stack.extend(included_files(current))
    return sorted(seen)


def check_each(name, paths, depends_on, command_of, jobs):
    """Runs command_of(path) for each path not passed before; yields (path, output) of failures."""

    def check(path):
        command = command_of(path)
        key = hashlib.sha256()
        for part in (name, depends_on, *command, *(f"{p}\0{text(p)}" for p in closure(path))):
            key.update(part.encode() + b"\0")
        marker = CACHE / key.hexdigest()
        if marker.exists():
            return path, ""
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if result.returncode == 0:
            CACHE.mkdir(parents=True, exist_ok=True)
            marker.touch()
            return path, ""
        return path, result.stdout + result.stderr

    with ThreadPoolExecutor(jobs) as pool:
        for path, output in pool.map(check, paths):
            if output:
                yield path, output
