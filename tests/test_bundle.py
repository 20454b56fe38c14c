"""How the screen's files are made: pinned, from nowhere in particular, once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "src" / "karvan" / "report" / "static"


def test_packages_are_pinned_and_the_lock_names_no_host() -> None:
    package = json.loads((ROOT / "ui" / "package.json").read_text(encoding="utf-8"))
    pins = {**package["dependencies"], **package["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in pins.values())
    lock = (ROOT / "ui" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_nothing_is_bundled_again_while_nothing_has_changed() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "hatch_build.py")], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "nothing has changed"


def test_licences_of_what_is_bundled_are_shipped_whole() -> None:
    text = (STATIC / "LICENCES.txt").read_text(encoding="utf-8")
    for part in ("echarts 6.1.0: LICENSE", "echarts 6.1.0: NOTICE", "zrender", "tslib", "SIL OPEN FONT LICENSE"):
        assert part in text


def test_nothing_of_others_is_in_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files", "ui", str(STATIC)], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert not [name for name in listed.stdout.split() if "node_modules" in name or "static/" in name]
