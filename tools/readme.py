"""Fill the block between the summary markers of README.md with what `karvan run` says now.

The run is made in a temporary folder, so that a stored run is never taken for a new one.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
OPENING, CLOSING = "<!-- summary -->", "<!-- /summary -->"


def filled(readme: str, summary: str) -> str:
    """The README with another summary.

    Args:
        readme: Text with both markers, each once.
        summary: What to put between them, as plain text.
    """
    before, opening, rest = readme.partition(OPENING)
    _, closing, after = rest.partition(CLOSING)
    if not (opening and closing):
        raise SystemExit(f"{README.name} must hold {OPENING} and {CLOSING}")
    block = "\n".join(["", "    $ karvan run", *(f"    {line}".rstrip() for line in summary.strip("\n").splitlines()), ""])
    return f"{before}{OPENING}\n{block.strip(chr(10))}\n{CLOSING}{after}"


def main() -> int:
    """Run and fill."""
    program = [sys.executable, "-c", "from karvan.cli.main import main; raise SystemExit(main())", "run"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(program, cwd=folder, capture_output=True, encoding="utf-8", check=False)
        summary = done.stdout.replace(str(Path(folder).resolve()) + "/", "")
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        return done.returncode
    summary = re.sub(r" +\d+(\.\d+)? s$", "", summary, flags=re.MULTILINE)
    README.write_text(filled(README.read_text(encoding="utf-8"), summary), encoding="utf-8", newline="\n")
    print(f"filled {README.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
