"""Draws the loss curves of training logs as one SVG, and prints a few of their rows as a table.

    python3 plot_loss.py --log small=build/small/log.csv tiny=build/tiny/log.csv --out loss.svg
"""

import argparse
import csv
from pathlib import Path

import numpy as np

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 360, 56, 16, 16, 44
COLOURS = ("#1f5fa8", "#c2571a", "#3a7d34")


def read_log(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Millions of tokens and nats per token, the latter smoothed over about 1/60 of the run."""
    with open(path, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    tokens = np.array([int(r["tokens"]) for r in rows]) / 1e6
    loss = np.array([float(r["train_nats_per_token"]) for r in rows])
    half = max(1, len(loss) // 120)
    smooth = [loss[max(0, i - half):i + half + 1].mean() for i in range(len(loss))]
    return tokens, np.array(smooth)


def svg(curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> str:
    x_max = max(tokens[-1] for tokens, _ in curves.values())
    y_min = np.floor(min(loss.min() for _, loss in curves.values()) * 5) / 5
    y_max = y_min + 2.0  # the first moments of a run, far above, are cut off

    def x(value: float) -> float:
        return LEFT + value / x_max * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (y_max - value) / (y_max - y_min) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for value in np.arange(y_min, y_max + 1e-9, 0.4):
        out.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">'
                   f'{value:.1f}</text>')
    step = max(1, int(x_max / 8))
    for value in range(0, int(x_max) + 1, step):
        out.append(f'<text x="{x(value):.1f}" y="{HEIGHT - BOTTOM + 18}" '
                   f'text-anchor="middle">{value}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
               'million tokens seen</text>')
    out.append(f'<text transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" '
               'text-anchor="middle">training loss, nats per token</text>')
    for (name, (tokens, loss)), colour, line in zip(curves.items(), COLOURS, range(3)):
        points = " ".join(f"{x(t):.1f},{y(v):.1f}" for t, v in zip(tokens, loss) if v <= y_max)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" '
                   'stroke-width="1.6"/>')
        out.append(f'<text x="{WIDTH - RIGHT - 8}" y="{TOP + 18 + 16 * line}" text-anchor="end" '
                   f'fill="{colour}">{name}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--log", nargs="+", required=True, metavar="NAME=FILE")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    curves = {}
    for item in args.log:
        name, _, path = item.partition("=")
        curves[name] = read_log(Path(path))
    args.out.write_text(svg(curves), encoding="utf-8")
    for name, (tokens, loss) in curves.items():
        print(f"{name}: tokens (million), nats per token")
        for share in (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
            i = min(len(loss) - 1, int(share * len(loss)))
            print(f"| {tokens[i]:.1f} | {loss[i]:.2f} |")


if __name__ == "__main__":
    main()
