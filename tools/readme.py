"""Fill the marked blocks of README.md with what the commands say now.

Commands run in a temporary folder, so that a stored run is never taken for a new one.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


@dataclass(frozen=True)
class Shown:
    """A command and the part of its answer that is shown.

    Attributes:
        command: Its words after `karvan`.
        since: Text of the first line shown, as it begins; empty: from the start.
        until: Text of the first line not shown any more, as it begins; empty: to the end.
    """

    command: str
    since: str = ""
    until: str = ""


QUICK = "--half-width 20% --most 20 --no-curves"
BLOCKS = {
    "summary": (Shown("run"),),
    "validation": (Shown("validate", until="  FURTHEST APART"),),
    "explain": (Shown("explain facilities.btc_kazakh_contract.nominal"),),
    "ferries": (
        Shown(
            f"simulate caspian {QUICK} --try joint_timetable --try three_ferries --capacity-of kuryk_ferry_west", since="  joint_timetable."
        ),
    ),
    "moiynty": (Shown("appraise --with moiynty_kyzylzhar --with three_ferries", until="IF IT TURNS OUT"),),
    "wheat": (
        Shown("route kostanay yerevan --commodity wheat --depart 2025-10-01", since="REFUSED", until="Of the spread"),
        Shown("route kostanay yerevan --commodity wheat --depart 2025-11-01", until="LEGS OF"),
    ),
    "zangezur": (Shown("appraise --with tripp_rail --no-members", until="IF IT TURNS OUT"),),
    "tariff": (Shown("tariffs --year 2030"),),
    "fund": (Shown("plan --budget aih_fund=300 --to 2035"),),
    "cable": (Shown("power --year 2035 --scenario agreed --try no-black_sea_cable", since="What caspian_cable", until="Who gains"),),
    "cpc": (Shown("oil --year 2025 --disrupt cpc_mooring", since="  CPC loses", until="Netback is"),),
}
"""Mark of each block and what it shows."""


def part_of(said: str, shown: Shown) -> str:
    """The part of an answer that is shown.

    Raises:
        SystemExit: A line where it starts or ends is not there any more.
    """
    lines = said.strip("\n").splitlines()
    ends = {"since": 0, "until": len(lines)}
    for name in ends:
        wanted = getattr(shown, name)
        if wanted:
            found = [row for row, line in enumerate(lines) if line.startswith(wanted) and row >= ends["since"]]
            if not found:
                raise SystemExit(f"karvan {shown.command} has no line any more that starts with {wanted!r}")
            ends[name] = found[0]
    return "\n".join(lines[ends["since"] : ends["until"]]).strip("\n")


def filled(readme: str, name: str, answers: Sequence[tuple[str, str]]) -> str:
    """The README with another block.

    Args:
        readme: Text with both marks of the block, each once.
        name: The block.
        answers: Commands and what is shown of their answers, as plain text.
    """
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = readme.partition(opening)
    _, end, after = rest.partition(closing)
    if not (found and end):
        raise SystemExit(f"{README.name} must hold {opening} and {closing}")
    lines = [opening]
    for command, shown in answers:
        lines += [f"    $ karvan {command}", *(f"    {line}".rstrip() for line in shown.splitlines())]
    return before + "\n".join([*lines, closing]) + after


def answer_of(command: str, folder: str) -> str:
    """What a command prints, without its seconds and the folder it ran in.

    Raises:
        SystemExit: It failed.
    """
    program = [sys.executable, "-c", "from karvan.cli.main import main; raise SystemExit(main())", *command.split()]
    done = subprocess.run(program, cwd=folder, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise SystemExit(f"karvan {command}: {done.stderr}")
    said = done.stdout.replace(str(Path(folder).resolve()) + "/", "")
    return re.sub(r" +\d+(\.\d+)? s$", "", said, flags=re.MULTILINE)


def main() -> int:
    """Run the commands and fill; only the blocks that are named, if any are."""
    wanted = sys.argv[1:] or list(BLOCKS)
    readme = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            readme = filled(readme, name, [(each.command, part_of(answer_of(each.command, folder), each)) for each in BLOCKS[name]])
            print(f"filled {name}", flush=True)
    README.write_text(readme, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
