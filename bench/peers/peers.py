"""edgelm beside other engines on the same files: `./dev bench peers`.

Writes models of real shapes with random weights (edgelm synth), runs edgelm and llama.cpp on each
in turn for several rounds, and prints a Markdown table of medians and ratios. llama.cpp is the
prebuilt one of the npm package node-llama-cpp; binaries with llama-bench's command line join with
--llama-bench. Every run is a process of its own with one uncounted run before each counted one, so
that all engines meet the same machine: page cache, clock and neighbours change between rounds, not
between engines.
"""

import argparse
import json
import os
import pathlib
import platform
import shlex
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PIN = ROOT / "tools/fixtures/package.json"  # one version for goldens and peers
PLATFORMS = {"x86_64": "linux-x64", "aarch64": "linux-arm64", "armv7l": "linux-armv7l",
             "riscv64": "linux-riscv64"}
MODELS = ["tinyllama-1.1b:Q4_0", "tinyllama-1.1b:Q4_K", "tinyllama-1.1b:Q5_K",
          "tinyllama-1.1b:Q6_K", "tinyllama-1.1b:Q8_0", "qwen2.5-0.5b:Q4_0", "smollm2-135m:Q8_0"]


def die(message, code=1):
    sys.exit(print(f"peers: {message}", file=sys.stderr) or code)


def say(message):
    print(f"peers: {message}", file=sys.stderr, flush=True)


class Progress:
    """A line that is redrawn on a terminal; nothing in a pipe."""

    def __init__(self):
        self.on = sys.stderr.isatty()

    def show(self, text):
        if self.on:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def run(command, what, **options):
    """Standard output of a command, or the end of this program with what the command said."""
    try:
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                                check=False, **options)
    except OSError as error:
        die(f"{what}: cannot start {command[0]}: {error.strerror}")
    if result.returncode != 0:
        lines = (result.stderr.strip() or result.stdout.strip() or "said nothing").splitlines()
        reason = next((line for line in lines if "rror" in line), lines[-1])
        die(f"{what} failed (exit {result.returncode}): {reason.strip()}")
    return result.stdout


class Edgelm:
    name = "edgelm"

    def __init__(self, program, threads):
        self.program = program
        self.threads = threads
        self.about = ""
        self.bandwidth = {}  # test: (weights GB/s, read GB/s) of every round

    def measure(self, path, tests):
        threads = ["-t", self.threads] if self.threads else []
        # No cache of packed weights: writing it would disturb the others, and outlive the model.
        output = run([self.program, "bench", path, *arguments_of(tests), "-r", 1, "-o", "json",
                      *threads], self.name, env={**os.environ, "EDGELM_CACHE_LIMIT": "0"})
        speeds = {}
        for record in json.loads(output):
            test = record["test"]
            speeds[test] = record["tokens_per_second"]["median"]
            self.bandwidth.setdefault(test, []).append((record["gb_per_s"],
                                                        record["bandwidth_gb_per_s"]))
            self.threads = record["threads"]
            self.about = f"{record['build']['version']}, kernels {record['build']['isa']}"
            self.cpu = record["machine"]["cpu"]
        return speeds


class NodeLlamaCpp:
    name = "llama.cpp"

    def __init__(self, folder, edgelm):
        self.folder = folder
        self.edgelm = edgelm  # which decides how many threads all have
        self.about = ""
        self.version = json.loads(PIN.read_text())["dependencies"]["node-llama-cpp"]
        self.node = shutil.which("node")
        if self.node is None or shutil.which("npm") is None:
            die("node and npm are needed for llama.cpp (Debian: apt install nodejs npm), or run "
                "with --no-npm")
        self.install()

    def install(self):
        """npm install of the pinned version into the build folder; nothing when it is there."""
        package = PLATFORMS.get(platform.machine())
        if package is None:
            die(f"node-llama-cpp has no binaries for {platform.machine()}; run with --no-npm")
        wanted = {"private": True, "type": "module",
                  "dependencies": {f"@node-llama-cpp/{package}": self.version,
                                   "node-llama-cpp": self.version}}
        if int(run([self.node, "-p", "process.versions.node.split('.')[0]"], "node")) < 20:
            # Debian 12 has Node 18; npm has newer ones as packages.
            wanted["dependencies"][f"node-{package}"] = "22"
            self.node = self.folder / f"node_modules/node-{package}/bin/node"
        manifest = self.folder / "package.json"
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "node_modules/.complete").exists() or \
                json.loads(manifest.read_text()) != wanted:
            say(f"npm install node-llama-cpp@{self.version} into {self.folder}")
            manifest.write_text(json.dumps(wanted))
            run(["npm", "install", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund",
                 "--no-package-lock", "--loglevel=error"], "npm install (is there a network?)",
                cwd=self.folder)
            (self.folder / "node_modules/.complete").touch()
        shutil.copy(HERE / "llama_cpp.mjs", self.folder)

    def measure(self, path, tests):
        # One worker of libuv: each token would be decoded on another thread, and often another core.
        output = run([self.node, "llama_cpp.mjs", path, self.edgelm.threads, *tests], self.name,
                     cwd=self.folder, env={**os.environ, "UV_THREADPOOL_SIZE": "1"})
        said = json.loads(output)
        self.about = (f"{said['release']}, prebuilt in node-llama-cpp {self.version}, CPU variant "
                      f"{said['variant'] or 'unknown'}, flash attention "
                      f"{said['flash_attention']}, mmap {'on' if said['mmap'] else 'off'}")
        return said["speeds"]


class LlamaBench:
    def __init__(self, argument, edgelm):
        name, separator, command = argument.partition("=")
        words = shlex.split(command if separator and "/" not in name else argument)
        self.name = name if separator and "/" not in name else pathlib.Path(words[0]).name
        self.command = words
        self.edgelm = edgelm
        self.about = ""
        if shutil.which(words[0]) is None:
            die(f"--llama-bench: {words[0]} is not a program", 2)

    def measure(self, path, tests):
        output = run([self.command[0], "-m", path, *arguments_of(tests), "-t",
                      self.edgelm.threads, "-r", 1, "-o", "json", *self.command[1:]], self.name)
        speeds = {}
        for record in json.loads(output[output.index("["):]):  # some print words before it
            prompt, generated = record["n_prompt"], record["n_gen"]
            if (prompt > 0) == (generated > 0):
                continue
            speeds[f"pp{prompt}" if prompt else f"tg{generated}"] = record["avg_ts"]
        settings = [f"{word} {record[key]}" for word, key in
                    [("build", "build_commit"), ("flash attention", "flash_attn"),
                     ("mmap", "use_mmap")] if key in record]
        self.about = ", ".join([shlex.join(self.command), *settings])
        return speeds


def arguments_of(tests):
    """-p and -n of edgelm bench and of llama-bench."""
    lengths = {kind: ",".join(test[2:] for test in tests if test.startswith(kind)) or "0"
               for kind in ("pp", "tg")}
    return ["-p", lengths["pp"], "-n", lengths["tg"]]


def is_test(text):
    return text[:2] in ("pp", "tg") and text[2:].isdigit() and int(text[2:]) > 0


def make_model(edgelm, model, folder):
    """(path of the model file, whether it was made here)."""
    if model.endswith(".gguf"):
        if not pathlib.Path(model).is_file():
            die(f"{model}: no such file", 2)
        return pathlib.Path(model).resolve(), False
    shape, separator, kind = model.partition(":")
    if not separator:
        die(f"--models: '{model}' is neither SHAPE:TYPE nor a .gguf file", 2)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{shape}-{kind}.gguf"
    run([edgelm.program, "synth", "--shape", shape, "--type", kind, "-o", path], "edgelm synth")
    return path, True


def measure(engines, path, tests, rounds, show):
    """{engine: {test: [a speed per round]}}"""
    samples = {engine.name: {test: [] for test in tests} for engine in engines}
    for number in range(rounds):
        for engine in engines:
            show(f"round {number + 1} of {rounds}: {engine.name}")
            for test, speed in engine.measure(path, tests).items():
                samples[engine.name][test].append(speed)
    return samples


def rows_of(model, samples, edgelm, tests):
    for test in tests:
        medians = {name: statistics.median(speeds[test]) for name, speeds in samples.items()}
        row = [model, test]
        for name, speed in medians.items():
            row.append(f"{speed:.1f}")
            if name != "edgelm":
                row.append(f"{medians['edgelm'] / speed:.2f}")
        weights = statistics.median(pair[0] for pair in edgelm.bandwidth[test])
        read = statistics.median(pair[1] for pair in edgelm.bandwidth[test])
        # Prefill uses each weight for many tokens: its traffic says nothing about its speed.
        row += [f"{read:.1f}", f"{weights / read:.2f}" if test.startswith("tg") else "–"]
        yield row


def table(header, rows):
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    def line(cells):
        return "| " + " | ".join(cell.ljust(width) if i < 2 else cell.rjust(width)
                                 for i, (cell, width) in enumerate(zip(cells, widths))) + " |"
    rule = "| " + " | ".join("-" * width if i < 2 else "-" * (width - 1) + ":"
                             for i, width in enumerate(widths)) + " |"
    return "\n".join([line(header), rule, *map(line, rows)])


def print_report(engines, tests, rounds, rows):
    edgelm, *others = engines
    header = ["model", "test", edgelm.name]
    for engine in others:
        header += [engine.name, f"edgelm / {engine.name}"]
    print(f"{edgelm.cpu}, {edgelm.threads} threads, tokens per second, medians of {rounds} rounds\n")
    print(table([*header, "read GB/s", "decode / read"], rows))
    print()
    for engine in engines:
        print(f"- {engine.name}: {engine.about}")
    if any(isinstance(engine, NodeLlamaCpp) for engine in others):
        print("- The npm package costs speed: about a tenth of prefill and a fifth of decode, as "
              "others measured its ordinary interface.\n  The binding below that is called here, "
              "which may cost less. --llama-bench with a build of your own settles it.")
    if any(test.startswith("tg") for test in tests):
        print("- decode / read: weights that edgelm's decoding reads, as a part of what a probe of the "
              "memory read in the same minute.")


def main():
    parser = argparse.ArgumentParser(
        prog="./dev bench peers", description=__doc__.split("\n\n")[0],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Model files go to the build folder and are removed when they have been measured.\n"
               "Examples:\n"
               "  ./dev bench peers --models smollm2-135m:Q8_0 --rounds 2\n"
               "  ./dev bench peers --models model.gguf --tests pp512,tg128 -t 4\n"
               "  ./dev bench peers --llama-bench 'native=$HOME/llama.cpp/build/bin/llama-bench' \\\n"
               "                    --llama-bench 'ik=$HOME/ik_llama.cpp/build/bin/llama-bench -rtr 1'")
    parser.add_argument("--models", default=",".join(MODELS),
                        help="SHAPE:TYPE of edgelm synth, or .gguf files; default: %(default)s")
    parser.add_argument("--tests", default="pp128,pp512,tg32",
                        help="ppN prefills N tokens, tgN decodes N; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("-t", "--threads", type=int, help="for all engines (default: every core)")
    parser.add_argument("--llama-bench", action="append", default=[], metavar="[NAME=]PATH [ARGS]",
                        help="another engine, with llama-bench's command line and JSON; may repeat")
    parser.add_argument("--no-npm", action="store_true", help="without npm's llama.cpp")
    parser.add_argument("--edgelm", default=ROOT / "build/release/edgelm", type=pathlib.Path,
                        help="the program (default: build/release/edgelm)")
    parser.add_argument("--folder", default=ROOT / "build/peers", type=pathlib.Path,
                        help="for npm's package and the models (default: build/peers)")
    parser.add_argument("-o", "--output", choices=["md", "json"], default="md")
    options = parser.parse_args()
    tests = options.tests.split(",")
    if not all(map(is_test, tests)):
        parser.error(f"--tests: '{options.tests}' is not a list like pp128,tg32")
    if options.rounds < 1 or (options.threads is not None and options.threads < 1):
        parser.error("--rounds and --threads are 1 or more")
    options.folder = options.folder.resolve()
    if not options.edgelm.exists():
        die(f"{options.edgelm} is missing: ./dev build makes it")

    edgelm = Edgelm(options.edgelm.resolve(), options.threads)
    engines = [edgelm]
    if not options.no_npm:
        engines.append(NodeLlamaCpp(options.folder, edgelm))
    engines += [LlamaBench(argument, edgelm) for argument in options.llama_bench]
    progress = Progress()
    rows, records = [], []
    for model in options.models.split(","):
        edgelm.bandwidth.clear()
        path, made = make_model(edgelm, model, options.folder / "models")
        try:
            samples = measure(engines, path, tests, options.rounds,
                              lambda text, model=model: progress.show(f"{model} {text}"))
        finally:
            if made:
                path.unlink()
        name = pathlib.Path(model).name
        rows += rows_of(name, samples, edgelm, tests)
        records.append({"model": name, "threads": edgelm.threads, "tokens_per_second": samples,
                        "bandwidth": edgelm.bandwidth.copy()})
    progress.show("")
    if options.output == "json":
        about = {engine.name: engine.about for engine in engines}
        print(json.dumps({"cpu": edgelm.cpu, "engines": about, "models": records}, indent=1))
    else:
        print_report(engines, tests, options.rounds, rows)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        die("interrupted", 130)
