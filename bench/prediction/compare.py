#!/usr/bin/env python3
"""Predicted beside measured speed of this engine on this machine, for shapes of `edgelm synth`.

Each shape: what the device can do is measured, the plan is made, the model is benched, and the plan
is made once more from new measurements; the mean of the two plans is compared, so that a machine that
drifts shows. Wants an idle machine.

  bench/prediction/compare.py [--edgelm PATH] [--threads 1] [--type Q4_K] [SHAPE ...]
"""

import argparse
import csv
import io
import os
import statistics
import subprocess
import sys
import tempfile

SHAPES = [
    "smollm2-135m", "smollm2-360m", "qwen2.5-0.5b", "qwen3-0.6b", "tinyllama-1.1b", "llama3.2-1b",
    "qwen2.5-1.5b", "deepseek-r1-distill-qwen-1.5b", "smollm2-1.7b", "qwen3-1.7b", "qwen2.5-3b",
    "llama3.2-3b", "qwen3-4b", "llama2-7b", "mistral-7b", "qwen2.5-7b", "llama3.1-8b", "qwen3-8b",
]


def run(command, environment):
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr else "no message")
    return list(csv.DictReader(io.StringIO(done.stdout)))


def plan(arguments, model):
    with tempfile.TemporaryDirectory() as folder:  # an empty cache: the speeds are measured anew
        rows = run([arguments.edgelm, "plan", model, "-t", arguments.threads, "-p", "128", "-n", "32",
                    "-o", "csv"], {**os.environ, "XDG_CACHE_HOME": folder})
    return float(rows[-1]["prefill_tokens_per_s"]), float(rows[-1]["decode_tokens_per_s"])


def measure(arguments, model):
    rows = run([arguments.edgelm, "bench", model, "-t", arguments.threads, "-p", "128", "-n", "32",
                "-r", "5", "--budget", "5", "--no-store", "--no-cold", "--no-probe", "--no-cache",
                "--power", "none", "-o", "csv"], dict(os.environ))
    speeds = {row["test"][:2]: next(float(row[k]) for k in ("tokens_per_second", "tokens_per_s",
                                                            "median_tokens_per_s") if k in row)
              for row in rows}
    return speeds["pp"], speeds["tg"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edgelm", default="build/release/edgelm")
    parser.add_argument("--threads", default=str(os.cpu_count()))
    parser.add_argument("--type", default="Q4_K")
    parser.add_argument("shapes", nargs="*", default=SHAPES)
    arguments = parser.parse_args()
    errors = {"prefill": [], "decode": []}
    print(f"load before: {os.getloadavg()[0]:.1f}\n")
    print("| model | prefill predicted | measured | ratio | decode predicted | measured | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for shape in arguments.shapes:
        model = f"synth:{shape}:{arguments.type}"
        try:
            before = plan(arguments, model)
            measured = measure(arguments, model)
            after = plan(arguments, model)
        except RuntimeError as error:
            print(f"{model}: {error}", file=sys.stderr)
            continue
        cells = []
        for i, phase in enumerate(errors):
            predicted = (before[i] + after[i]) / 2
            ratio = predicted / measured[i]
            errors[phase].append(abs(ratio - 1))
            cells += [f"{predicted:.1f}", f"{measured[i]:.1f}", f"{ratio:.2f}"]
        print(f"| {model} | " + " | ".join(cells) + " |", flush=True)
    for phase, values in errors.items():
        if values:
            within = sum(v <= 0.15 for v in values)
            print(f"\n{phase}: median error {100 * statistics.median(values):.0f} %, "
                  f"{within} of {len(values)} within 15 %")
    print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
