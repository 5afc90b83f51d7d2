"""Plays what a user does first: `pre-commit try-repo` of this repository, which installs it (from a package index) as pre-commit would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.com")


def main() -> None:
    """Try the hook on an example that loses shadows and on one that does not; end with 1 when it says anything else."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PRE_COMMIT_HOME"] = str(Path(folder) / "home")
        for example, expected in {"as-first-written": 1, "sound": 0}.items():
            repo = Path(shutil.copytree(ROOT / "examples" / example, Path(folder) / example))
            for command in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "first")):
                subprocess.run(["git", *IDENTITY, *command], cwd=repo, check=True)
            hook = [sys.executable, "-m", "pre_commit", "try-repo", str(ROOT), "mirrorlint", "--verbose"]
            code = subprocess.run(hook, cwd=repo, check=False).returncode
            if code != expected:
                sys.exit(f"{example}: pre-commit ended with {code}, not with {expected}")


if __name__ == "__main__":
    main()
