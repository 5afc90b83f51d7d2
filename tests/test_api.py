"""The public Python API."""

from __future__ import annotations

from pathlib import Path

import pages
import pytest
from pair import PROD
from repositories import write

import mirrorlint
from mirrorlint import Call

EXAMPLES = Path(__file__).parent.parent / "examples"
CALL = Call(cluster="prod", namespace="frontend", host="httpbin", port=8000)


def test_a_repository_is_loaded_and_a_call_followed() -> None:
    fleet = mirrorlint.load(EXAMPLES / "as-published")
    (old,) = fleet.follow(CALL, istio="1.27.3")
    (new,) = fleet.follow(CALL, istio="1.30")
    assert (old.host, old.percent, old.outcome, old.reason, old.cluster) == ("httpbin-shadow", 100.0, "lost", "no-virtual-host", "stage")
    assert (new.host, new.outcome) == ("httpbin", "lost")
    (other,) = fleet.follow(CALL._replace(host="httpbin.frontend"), istio="1.27")
    assert (other.host, other.outcome, other.reason) == ("httpbin.frontend-shadow", "arrives", "arrives")


def test_without_a_version_the_newest_world_counts_unless_the_fleet_says(tmp_path: Path) -> None:
    assert mirrorlint.load(EXAMPLES / "as-published").follow(CALL)[0].host == "httpbin"
    manifests = {"prod": "clusters/prod", "stage": "clusters/stage"}
    (tmp_path / "repo").symlink_to(EXAMPLES / "as-published")
    fleet = mirrorlint.load({name: EXAMPLES / "as-published" / path for name, path in manifests.items()})
    assert fleet.follow(CALL)[0].host == "httpbin"


@pytest.mark.parametrize(("settings", "istio", "arrives"), [("1.19", None, 0), ("1.19", "1.20", 1), ("1.20", "1.19", 0), ("1.20", None, 1)])
def test_what_mirrors_mirror_is_followed_from_the_version_that_reads_them(
    settings: str, istio: str | None, arrives: int, tmp_path: Path
) -> None:
    files = pages.read("mirrors-too-new").bad("")
    write(tmp_path, {**files, ".mirrorlint.yaml": files[".mirrorlint.yaml"].replace("1.19", settings)})
    fleet, report = mirrorlint.load(tmp_path), mirrorlint.check(mirrorlint.load(tmp_path), istio)
    assert [shadow.outcome for shadow in fleet.follow(Call("prod", "default", "httpbin", 8000), istio)] == ["arrives"] * arrives
    assert [dict(mirror.delivery) for mirror in report.mirrors] == [{"1.27": "all"}] * arrives
    assert [finding.rule for finding in report.findings] == ["mirrors-too-new"] * (1 - arrives)


def test_steps_name_files_and_lines() -> None:
    (shadow,) = mirrorlint.load(EXAMPLES / "sound").follow(CALL)
    places = [f"{Path(step.place.path).name}:{step.place.line}" for step in shadow.steps]
    assert "virtual-service.yaml:8" in places
    assert "service-entry.yaml:8" in places
    assert "gateway.yaml:14" in places


def test_texts_are_clusters_without_files() -> None:
    texts = {
        side: "\n---\n".join(file.read_text() for file in sorted((EXAMPLES / "sound" / "clusters" / name).iterdir()))
        for side, name in (("source", "prod"), ("target", "stage"))
    }
    fleet = mirrorlint.loads(texts, ingress={"target": ["httpin.frontend.stage.eu.trv.cloud"]})
    report = mirrorlint.check(fleet)
    assert report.findings == ()
    assert report.mirrors[0].place.path == "<source>"
    assert dict(report.mirrors[0].delivery) == {"1.27": "all", "1.28": "all"}
    elsewhere = mirrorlint.loads(texts, ingress={"target": {"addresses": ["203.0.113.10"]}})
    assert elsewhere.follow(CALL._replace(cluster="source"))[0].outcome == "elsewhere"


def test_a_call_that_is_not_mirrored_has_no_shadow() -> None:
    assert mirrorlint.load(EXAMPLES / "sound").follow(CALL._replace(host="other")) == ()


def test_unknown_names_raise() -> None:
    fleet = mirrorlint.load(EXAMPLES / "sound")
    with pytest.raises(KeyError):
        fleet.follow(CALL._replace(cluster="nowhere"))
    with pytest.raises(ValueError, match="not an Istio version"):
        fleet.follow(CALL, istio="newest")
    with pytest.raises(OSError, match="nowhere"):
        mirrorlint.load("nowhere/")
    with pytest.raises(AttributeError, match="nothing"):
        mirrorlint.nothing  # noqa: B018


def test_a_report_is_what_the_command_line_prints() -> None:
    (finding,) = mirrorlint.check(mirrorlint.load(EXAMPLES / "as-first-written")).findings
    assert (finding.level, finding.rule, finding.cluster) == ("error", "shadow-host-not-accepted", "stage")
    assert (finding.place.line, finding.place.column) == (10, 7)
    assert finding.notes[0].place.line == 17


def test_mirrors_that_a_version_passes_over_are_passed_over_where_two_objects_claim_a_host() -> None:
    route = "route: [{destination: {host: shop}}]"
    mirrored = f"{{{route}, mirror: {{host: gw.example, port: {{number: 80}}}}, match: [{{uri: {{prefix: /a}}}}]}}"
    too_new = f"{{{route}, mirrors: [{{destination: {{host: gw.example, port: {{number: 80}}}}}}]}}"
    head = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: "
    texts = [
        "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: 80, name: http}]}\n",
        *(
            f"{head}{{name: {name}}}\nspec: {{hosts: [shop], http: [{http}]}}\n"
            for name, http in (("a", f"{mirrored}, {too_new}"), ("b", f"{{{route}}}"))
        ),
    ]
    report = mirrorlint.check(mirrorlint.loads({"prod": "---\n".join(texts)}), istio="1.19")
    assert {"mirrors-too-new", "order-undecided"} <= {finding.rule for finding in report.findings}


@pytest.mark.parametrize(
    ("created", "mirrored"),
    [(("", ""), True), (("01", "01"), False), (("01", "02"), True), (("02", "01"), False)],
    ids=["as written", "one second", "older", "younger"],
)
def test_calls_are_followed_through_the_older_object_and_within_a_second_through_the_first_by_name(
    created: tuple[str, str], mirrored: bool
) -> None:
    first, second = (f", creationTimestamp: '2024-01-01T00:00:{each}Z'" if each else "" for each in created)
    other = "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\n"
    other += f"metadata: {{name: a{second}}}\nspec: {{hosts: [shop], http: [{{route: [{{destination: {{host: shop}}}}]}}]}}\n"
    at = PROD.rindex("name: shop}")
    fleet = mirrorlint.loads({"prod": PROD[:at] + PROD[at:].replace("name: shop}", f"name: shop{first}}}", 1) + other})
    assert bool(fleet.follow(Call(cluster="prod", namespace="default", host="shop", port=80))) == mirrored


def test_a_notebook_shows_what_there_is() -> None:
    assert {*mirrorlint.__all__} <= {*dir(mirrorlint)}
    assert repr(mirrorlint.loads({"prod": "", "stage": ""})) == "Fleet(prod, stage)"
