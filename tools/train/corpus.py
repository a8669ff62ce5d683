"""The text: reads the archive of novels, cleans it and splits it by whole novels.

Used by prepare.py and evaluate.py. The archive holds one plain text file per novel, from several
transcribers with several conventions; a model of a few million parameters should spend none of its
capacity on telling them apart, so everything is brought to one: ASCII quotes, "--" for a dash, one
line per paragraph, one empty line between paragraphs.
"""

import re
import statistics
import tarfile
from pathlib import Path
from typing import Iterator, NamedTuple

# Whole novels that no training run sees: three for children, four for adults, of different authors
# and decades. Their authors' other books may be in the training set.
HELD_OUT = (
    "child_railway",  # E. Nesbit, The Railway Children, 1906
    "child_secret",  # F. H. Burnett, The Secret Garden, 1911
    "child_treasure",  # R. L. Stevenson, Treasure Island, 1883
    "persuasion",  # Jane Austen, 1817
    "signfour",  # A. Conan Doyle, The Sign of the Four, 1890
    "timemachine",  # H. G. Wells, The Time Machine, 1895
    "Bennet_Babylon_1902",  # Arnold Bennett, The Grand Babylon Hotel, 1902
)

CHAPTER = re.compile(r"(chapter|book|part|volume|stave|section|letter|story)\b[^a-z]*"
                     r"([ivxlcdm]+|\d+|the|one|two|three|first|last)?\b", re.IGNORECASE)

_CHARACTERS = str.maketrans({
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u02bc": "'", "\u2032": "'", "`": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2033": '"',
    "\u2013": "-", "\u2014": "--", "\u2015": "--", "\u2026": "...", "\u2011": "-",
    "\u00a0": " ", "\t": " ", "\u000c": "\n", "\ufeff": None, "\u00ad": None, "_": None,
})


class Novel(NamedTuple):
    """One cleaned novel."""

    name: str
    paragraphs: list[str]

    @property
    def for_children(self) -> bool:
        return self.name.startswith("child_")

    @property
    def text(self) -> str:
        return "\n\n".join(self.paragraphs) + "\n\n"

    def chapters(self) -> list[str]:
        """The text cut before each chapter heading; their concatenation is `text`."""
        cuts: list[list[str]] = [[]]
        for paragraph in self.paragraphs:
            if is_heading(paragraph) and len(cuts[-1]) >= 8:
                cuts.append([])
            cuts[-1].append(paragraph)
        return ["\n\n".join(cut) + "\n\n" for cut in cuts]


def is_heading(paragraph: str) -> bool:
    return len(paragraph) < 90 and CHAPTER.match(paragraph) is not None


def read_archive(path: Path) -> Iterator[tuple[str, str]]:
    """Yields (name without suffix, decoded text), in order of name."""
    with tarfile.open(path) as archive:
        members = [m for m in archive.getmembers() if m.isfile() and m.name.endswith(".txt")]
        for member in sorted(members, key=lambda m: m.name):
            file = archive.extractfile(member)
            assert file is not None
            yield Path(member.name).stem, file.read().decode("utf-8", errors="replace")


def load(path: Path) -> list[Novel]:
    """All novels of the archive that could be cleaned."""
    novels = []
    for name, raw in read_archive(path):
        paragraphs = clean(raw)
        if paragraphs is not None:
            novels.append(Novel(name, paragraphs))
    return novels


def clean(raw: str) -> list[str] | None:
    """The paragraphs of a novel, or None where the file does not tell them from wrapped lines."""
    text = raw.replace("\r\n", "\n").replace("\r", "\n").translate(_CHARACTERS)
    lines = [line.strip() for line in text.split("\n")]
    n_empty = sum(not line for line in lines)
    n_long = sum(len(line) > 200 for line in lines)
    if n_long > 0.1 * (len(lines) - n_empty):  # one line is one paragraph
        blocks = [[line] for line in lines if line]
    elif n_empty > 0.08 * len(lines):  # hard-wrapped, paragraphs set apart by empty lines
        blocks = _blocks(lines)
    else:
        return None
    paragraphs = (_join(block) for block in blocks)
    return [p for p in paragraphs if p and not _is_apparatus(p)]


def _blocks(lines: list[str]) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line:
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [b for b in blocks if b]


def _join(block: list[str]) -> str:
    """One paragraph; verse and title pages (short lines) keep their line breaks."""
    lines = [_tidy(line) for line in block]
    if len(lines) > 2 and statistics.median(len(line) for line in lines[:-1]) < 48:
        return "\n".join(line for line in lines if line)
    return _tidy(" ".join(lines))


def _tidy(line: str) -> str:
    line = re.sub(r" +- +", "--", line)
    line = re.sub(r" ?-{2,} ?", "--", line)
    line = re.sub(r"(\. ?){3,}", "... ", line)
    return re.sub(r" +", " ", line).strip()


def _is_apparatus(paragraph: str) -> bool:
    """Rows of asterisks, illustration marks, transcribers' notes."""
    if not any(c.isalnum() for c in paragraph):
        return True
    return re.match(r"\[(illustration|picture|transcriber)", paragraph, re.IGNORECASE) is not None
