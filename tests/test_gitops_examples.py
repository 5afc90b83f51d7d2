"""The made GitOps repositories, rendered by the real kustomize and helm: findings stand where the value was written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_cli import run
from ways import read

EXAMPLES = Path(__file__).parent.parent / "examples"
TOOLS = {"argocd": ("kustomize", "kubectl"), "flux": ("helm",)}


@pytest.fixture(params=TOOLS)
def example(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if not any(map(shutil.which, TOOLS[name])):
        pytest.skip(f"{' and '.join(TOOLS[name])} are not here: .ci/run installs them")
    return name


def test_the_sound_state_has_no_finding(example: str) -> None:
    result = run(EXAMPLES / example / "sound")
    assert result.returncode == 0
    assert "1 mirror arrives." in result.stdout
    assert "warning" not in result.stdout


BROKEN = {
    "argocd": ("mirror-to-unknown-host", "shop/overlays/prod/mirror.yaml", 4, 11, "shop/overlays/prod/service-entry.yaml:7"),
    "flux": ("shadow-host-not-accepted", "apps/stage/shop.yaml", 18, 11, "apps/prod/shop.yaml:17"),
}


def test_the_broken_state_points_at_what_was_written(example: str) -> None:
    rule, path, line, column, other = BROKEN[example]
    result = run(EXAMPLES / example / "broken", "-q")
    assert result.returncode == 1
    (finding,) = [line for line in result.stdout.splitlines() if "error[" in line]
    assert f"{example}/broken/{path}:{line}:{column}: error[{rule}]" in finding
    assert other in run(EXAMPLES / example / "broken").stdout


def test_the_two_states_differ_in_one_line(example: str) -> None:
    sound, broken = EXAMPLES / example / "sound", EXAMPLES / example / "broken"
    files = sorted(path.relative_to(sound) for path in sound.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(broken) for path in broken.rglob("*") if path.is_file())
    lines = [
        pair
        for file in files
        for pair in zip((sound / file).read_text().splitlines(), (broken / file).read_text().splitlines(), strict=True)
        if pair[0] != pair[1]
    ]
    assert len(lines) == 1


def test_clusters_are_told_with_what_applies_each_folder(example: str) -> None:
    table = run("clusters", EXAMPLES / example / "sound").stdout
    assert {"argocd": "applied by Application shop-prod", "flux": "applied by HelmRelease shop/shop"}[example] in table


@pytest.mark.parametrize("folder", sorted({path.parent for name in ("sound", "broken", "as-*") for path in EXAMPLES.rglob(f"{name}/*")}))
def test_each_way_of_reading_says_the_same(folder: Path) -> None:
    assert read([str(folder)]).documents.clusters
