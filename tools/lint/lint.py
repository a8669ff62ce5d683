"""Runs every lint check over the tracked files: one line per finding, exit 1 if there is any.

Called by `./dev lint [PATH...]`, which installs the tools and configures build/lint (its
compile_commands.json is what clang-tidy reads). Paths, files or folders, restrict the run to them.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import time

import include_rule
import sizes
import tree

COMPILE_COMMANDS = "build/lint/compile_commands.json"
CLANG_LINE = re.compile(r"^(\S+?:\d+:\d+): (?:error|warning|fatal error): (.*)$", re.MULTILINE)


def version(tool):
    return subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout


def compiler_lines(output, check):
    """The findings of a compiler-like tool, each once, with paths relative to the repository."""
    found = dict.fromkeys(f"{where.removeprefix(f'{tree.ROOT}/')}: [{check}] {message}"
                          for where, message in CLANG_LINE.findall(output))
    return list(found) or [f"[{check}] {output.strip()}"]


def check_format(paths, jobs):
    command = ["clang-format-16", "--dry-run", "-Werror"]
    depends = version(command[0]) + tree.text(".clang-format")
    for path, output in tree.check_each("format", paths, depends, lambda p: [*command, p], jobs):
        line = CLANG_LINE.search(output)
        yield f"{line[1] if line else path}: [format] run ./dev format"


def check_tidy(paths, jobs):
    entries = json.loads((tree.ROOT / COMPILE_COMMANDS).read_text())
    commands = {str(pathlib.Path(e["file"]).relative_to(tree.ROOT)): e["command"] for e in entries
                if pathlib.Path(e["file"]).is_relative_to(tree.ROOT)}
    for path in paths:
        if path not in commands:
            yield f"{path}:1: [tidy] no target compiles this file"
    depends = version("clang-tidy-16") + tree.text(".clang-tidy")
    command = ["clang-tidy-16", "-p", "build/lint", "--quiet"]
    reported = set()  # a finding in a header comes once, not once per file that includes it
    for path, output in tree.check_each("tidy", [p for p in paths if p in commands], depends,
                                        lambda p: [*command, p], jobs):
        for line in compiler_lines(output, "tidy"):
            line = line.replace(",-warnings-as-errors", "")
            if line not in reported:
                reported.add(line)
                yield line


def proven_alone(path):
    """Whether a source beside it includes this header first: then the build compiles it alone."""
    source = str(pathlib.PurePath(path).with_suffix(".cpp"))
    if not (tree.ROOT / source).is_file():
        return False
    first = tree.FIRST_INCLUDE.search(tree.text(source))
    return first is not None and first[1] in (f'"{root}"' for root in tree.names_of(path))


def check_headers(paths, jobs):
    paths = [path for path in paths if not proven_alone(path)]

    # Text that is included inside a namespace or after macros is named .inc and not checked.
    def command(path):
        stem = pathlib.PurePath(path).stem
        # One instruction set per file, so by its name.
        arm = any(isa in stem for isa in ("neon", "dotprod", "i8mm"))
        return ["aarch64-linux-gnu-g++" if arm else "g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
                *(f"-I{root}" for root in tree.INCLUDE_ROOTS), '-DEDGELM_SOURCE_DIR="."',
                '-DEDGELM_BINARY="edgelm"',
                "-include", path, "-x", "c++", "/dev/null"]

    for path, output in tree.check_each("headers", paths, version("g++"), command, jobs):
        yield f"{path}:1: [header] does not compile alone: {compiler_lines(output, 'g++')[0]}"


def check_shell(paths):
    result = subprocess.run(["shellcheck", "-f", "gcc", *paths], cwd=tree.ROOT, check=False,
                            capture_output=True, text=True)
    for line in result.stdout.splitlines():
        yield f"{line} [shellcheck]"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("paths", nargs="*", help="files or folders to restrict the run to")
    arguments = parser.parse_args()
    every = tree.tracked(*arguments.paths)
    sources = [path for path in every if path.endswith(".cpp")]
    headers = [path for path in every if path.endswith(".h")]
    shell = [path for path in ("dev", ".ci/run") if path in every]
    warnings = []
    checks = {
        f"sizes of {len(every)} files": lambda: sizes.findings(every, warnings.append),
        "include rule": lambda: include_rule.findings(sources + headers),
        f"shellcheck of {len(shell)} scripts": lambda: check_shell(shell) if shell else (),
        f"clang-format of {len(sources + headers)} files":
            lambda: check_format(sources + headers, arguments.jobs),
        f"{len(headers)} headers compile alone": lambda: check_headers(headers, arguments.jobs),
        f"clang-tidy of {len(sources)} files": lambda: check_tidy(sources, arguments.jobs),
    }
    total = 0
    for name, check in checks.items():
        start = time.monotonic()
        found = 0
        for line in check():
            print(line, flush=True)
            found += 1
        total += found
        print(f"-- {name}: {found} findings, {time.monotonic() - start:.0f} s", flush=True)
    for line in warnings:
        print(f"warning: {line}")
    print(f"{total} findings")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
