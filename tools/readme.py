"""Fill the marked blocks of README.md with what the commands say now.

Commands run in a temporary folder, so that a stored run is never taken for a new one.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCKS = {
    "summary": ("run",),
    "validation": ("validate",),
    "explain": ("explain", "facilities.btc_kazakh_contract.nominal"),
}
"""Mark of each block and the command that fills it."""
_UNTIL = {"validation": "  FURTHEST APART"}
"""Where what is shown of a command ends."""


def filled(readme: str, name: str, command: tuple[str, ...], said: str) -> str:
    """The README with another block.

    Args:
        readme: Text with both marks of the block, each once.
        name: The block.
        command: The command shown above it.
        said: What to put between the marks, as plain text.
    """
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = readme.partition(opening)
    _, end, after = rest.partition(closing)
    if not (found and end):
        raise SystemExit(f"{README.name} must hold {opening} and {closing}")
    shown = said.partition(_UNTIL[name])[0] if name in _UNTIL else said
    lines = [f"    $ karvan {' '.join(command)}", *(f"    {line}".rstrip() for line in shown.strip("\n").splitlines())]
    return before + "\n".join([opening, *lines, closing]) + after


def main() -> int:
    """Run the commands and fill."""
    readme = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for name, command in BLOCKS.items():
            program = [sys.executable, "-c", "from karvan.cli.main import main; raise SystemExit(main())", *command]
            done = subprocess.run(program, cwd=folder, capture_output=True, encoding="utf-8", check=False)
            if done.returncode != 0:
                print(done.stderr, file=sys.stderr)
                return done.returncode
            said = done.stdout.replace(str(Path(folder).resolve()) + "/", "")
            readme = filled(readme, name, command, re.sub(r" +\d+(\.\d+)? s$", "", said, flags=re.MULTILINE))
    README.write_text(readme, encoding="utf-8", newline="\n")
    print(f"filled {README.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
