"""Adds to a wheel what lies outside the package: the cities, and the web shell, which is built first where npm is there."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WheelHook(BuildHookInterface[Any]):
    """The build hook of hatchling; an editable install uses the checkout as it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the folders that go into the wheel."""
        if version == "editable":
            return
        root = Path(self.root)
        build_data["force_include"][str(root / "cities")] = "mumian/cities"
        web = root / "web"
        npm = shutil.which("npm")
        if not (web / "dist" / "index.html").exists() and npm is not None:
            subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=web, check=True)
            subprocess.run([npm, "run", "build"], cwd=web, check=True)
        if (web / "dist" / "index.html").exists():
            build_data["force_include"][str(web / "dist")] = "mumian/web"
