"""What a language still lacks, to be filled in: `python tools/translating.py kk` writes karvan-kk-words.csv and karvan-kk-names.csv.

Words are messages of the screen and the terminal, by key; names are texts of the packaged case that have a translation in another language.
Both have the English text and an empty column. Filled files are taken in by `python tools/translating.py kk --take FILE`.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from pathlib import Path

from karvan.corridor import load_corridor
from karvan.report.words import catalogue
from karvan.schema import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
MESSAGES = ROOT / "src" / "karvan" / "report" / "messages"
NAMES = ROOT / "src" / "karvan" / "datasets" / "middle-corridor" / "translations.csv"
COLUMNS = {"words": ("key", "english", "translation"), "names": ("english", "translation", "source", "confidence")}
VALUE = re.compile(r"\{(\w+)")


def missing(language: str) -> dict[str, list[dict[str, str]]]:
    """Rows to be filled, by kind."""
    own, names = catalogue(language), load_corridor("middle-corridor").names
    texts = dict.fromkeys(text for other in names.values() for text in other if text not in names.get(language, {}))
    return {
        "words": [{"key": key, "english": text, "translation": ""} for key, text in catalogue("en").items() if key not in own],
        "names": [{"english": text, "translation": "", "source": "own_translation", "confidence": "estimate"} for text in texts],
    }


def take(language: str, path: Path) -> list[str]:
    """Take a filled file in; what is wrong is told and left out."""
    with path.open(encoding="utf-8", newline="") as file:
        filled = [row for row in csv.DictReader(file) if row["translation"].strip()]
    wrong = []
    if filled and "key" in filled[0]:
        english, own = catalogue("en"), dict(catalogue(language))
        for row in filled:
            if set(VALUE.findall(row["translation"])) == set(VALUE.findall(english.get(row["key"], ""))) and row["key"] in english:
                own[row["key"]] = row["translation"]
            else:
                wrong.append(f"{row['key']}: must be a known key and name the values {VALUE.findall(english.get(row['key'], ''))}")
        lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(own[key], ensure_ascii=False)}" for key in english if key in own)
        (MESSAGES / f"{language}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
        return wrong
    with NAMES.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for row in filled:
            writer.writerow([row["english"], language, row["translation"], row["source"], row["confidence"]])
    return wrong


def main(arguments: list[str]) -> int:
    """Write what is missing, or take in what was filled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", choices=LANGUAGES[1:])
    parser.add_argument("--take", type=Path, metavar="FILE")
    parsed = parser.parse_args(arguments)
    if parsed.take is not None:
        wrong = take(parsed.language, parsed.take)
        print("\n".join(wrong) or "taken in; karvan check middle-corridor and the tests of tests/report look at it")
        return 2 if wrong else 0
    for kind, rows in missing(parsed.language).items():
        path = Path(f"karvan-{parsed.language}-{kind}.csv")
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS[kind], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        print(f"{path}: {len(rows)} to be filled")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
