"""The include rule: a folder of src/ includes itself, its DEPS, and what they include.

The map is cmake/folders.cmake, the same lines that make the libraries. Levels only go down (equal
levels where DEPS says so), there is no cycle, and the deciding code never sees the engine.
"""

import re

import tree

MAP = "cmake/folders.cmake"
FOLDER = re.compile(r"^edgelm_folder\((\w+)\s+LEVEL\s+(\d+)([^)]*)\)", re.MULTILINE)
NEVER = {("route", "engine"), ("gateway", "engine"), ("sim", "engine")}


def read_map(content):
    """{folder: (level, set of direct DEPS)}"""
    folders = {}
    for name, level, rest in FOLDER.findall(content):
        words = rest.split()
        deps = words[words.index("DEPS") + 1:] if "DEPS" in words else []
        if "LIBS" in deps:
            deps = deps[:deps.index("LIBS")]
        folders[name] = (int(level), set(deps))
    return folders


def reachable(folders, name):
    seen, stack = set(), [name]
    while stack:
        current = stack.pop()
        if current not in seen:
            seen.add(current)
            stack.extend(folders.get(current, (0, ()))[1])
    return seen


def check_map(folders):
    for name, (level, deps) in folders.items():
        for dep in sorted(deps):
            if dep not in folders:
                yield f"{MAP}:1: [include-rule] {name}: DEPS names '{dep}', which is no folder"
            elif folders[dep][0] > level:
                yield (f"{MAP}:1: [include-rule] {name} (level {level}) depends upwards on {dep} "
                       f"(level {folders[dep][0]})")
            elif name in reachable(folders, dep):
                yield f"{MAP}:1: [include-rule] {name} and {dep} depend on each other"
        for who, what in NEVER:
            if name == who and what in reachable(folders, name):
                yield f"{MAP}:1: [include-rule] {who} must not reach {what}"


def check_file(folders, path):
    folder = path.split("/")[1]
    if folder not in folders:
        yield f"{path}:1: [include-rule] folder src/{folder} is not in {MAP}"
        return
    allowed = reachable(folders, folder)
    is_test = path.endswith("_test.cpp")
    for line, name in tree.includes(path):
        target = name.split("/")[0]
        if is_test and (tree.ROOT / "tests" / name).is_file():
            continue
        if "/" not in name or target not in folders:
            yield f'{path}:{line}: [include-rule] "{name}": write the path from src/: "folder/..."'
        elif target not in allowed:
            yield (f"{path}:{line}: [include-rule] {folder} (level {folders[folder][0]}) includes "
                   f'"{name}", but its DEPS do not lead to {target} (level {folders[target][0]})')


def findings(paths):
    folders = read_map(tree.text(MAP))
    yield from check_map(folders)
    for path in paths:
        if path.startswith("src/"):
            yield from check_file(folders, path)
