"""What kustomize and helm make of sources: judged like all else, with places in the files that were written."""

from __future__ import annotations

import re
import shutil
import tarfile
from pathlib import Path

import pytest
from repositories import edit, write
from ways import read

from mirrorlint import check, load
from mirrorlint.fleet import Manifest
from mirrorlint.loading import Loaded

KUSTOMIZE = pytest.mark.skipif(not (shutil.which("kustomize") or shutil.which("kubectl")), reason="neither kustomize nor kubectl is here")
HELM = pytest.mark.skipif(not shutil.which("helm"), reason="helm is not here")
URL = "https://git.example.com/org/repo"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
SERVICE = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: shop
spec:
  hosts:
  - shop
  http:
  - route:
    - destination:
        host: cart
    mirror:
      host: stage.example.com
      port:
        number: 80
"""


def service(loaded: Loaded, cluster: str = "prod") -> Manifest:
    (made,) = loaded.documents.clusters[cluster].of("VirtualService")
    return made


def messages(loaded: Loaded) -> list[str]:
    return [f"{spot.path}:{spot.line} {spot.message}" for spot in loaded.documents.blind_spots]


PATCHES = {
    "a strategic patch": (
        "patches:\n- path: patch.yaml\n",
        SERVICE.partition("spec:")[0] + "spec:\n  http:\n  - mirror: {host: new.example.com}\n",
        "clusters/prod/patch.yaml:7:20",
    ),
    "a JSON patch in a file": (
        "patches:\n- path: patch.yaml\n  target: {kind: VirtualService}\n",
        "- op: replace\n  path: /spec/http/0/mirror/host\n  value: new.example.com\n",
        "clusters/prod/patch.yaml:3:10",
    ),
    "a JSON patch of a whole mirror": (
        "patches:\n- path: patch.yaml\n  target: {kind: VirtualService}\n",
        "- op: add\n  path: /spec/http/0/mirror\n  value: {port: {number: 80}, host: new.example.com}\n",
        "clusters/prod/patch.yaml:3:37",
    ),
    "a JSON patch of one line in a block": (
        "patches:\n- target: {kind: VirtualService}\n  patch: |-\n"
        "    - {op: replace, path: /spec/http/0/mirror/host, value: new.example.com}\n",
        "",
        "clusters/prod/kustomization.yaml:7:60",
    ),
    "a JSON patch in quotes": (
        "patches:\n- target: {kind: VirtualService}\n"
        """  patch: '[{"op": "replace", "path": "/spec/http/0/mirror/host", "value": "new.example.com"}]'\n""",
        "",
        "clusters/prod/kustomization.yaml:6:75",
    ),
    "a JSON patch with escapes": (
        "patches:\n- target: {kind: VirtualService}\n"
        """  patch: "- op: replace\\n  path: /spec/http/0/mirror/host\\n  value: new.example.com"\n""",
        "",
        "clusters/prod/kustomization.yaml:6:10",
    ),
    "a JSON patch over several lines": (
        "patches:\n- target: {kind: VirtualService}\n"
        """  patch: '[{"op": "replace", "path": "/spec/http/0/mirror/host",\n    "value": "new.example.com"}]'\n""",
        "",
        "clusters/prod/kustomization.yaml:6:10",
    ),
    "a strategic patch of one line": (
        "patches:\n"
        "- patch: '{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: shop}, "
        "spec: {http: [{mirror: {host: new.example.com}}]}}'\n",
        "",
        "clusters/prod/kustomization.yaml:5:124",
    ),
    "a patch that is written in place": (
        "patches:\n- target: {kind: VirtualService}\n  patch: |\n\n"
        "    - op: replace\n      path: /spec/http/0/mirror/host\n      value: new.example.com\n",
        "",
        "clusters/prod/kustomization.yaml:10:14",
    ),
}


@KUSTOMIZE
@pytest.mark.parametrize(("fields", "patch", "place"), PATCHES.values(), ids=PATCHES)
def test_a_patched_value_is_where_the_patch_says_it(repo: Path, fields: str, patch: str, place: str) -> None:
    write(repo, {"base/kustomization.yaml": "resources: [vs.yaml]\n", "base/vs.yaml": SERVICE})
    write(
        repo, {"clusters/prod/kustomization.yaml": "namespace: x\nresources:\n- ../../base\n" + fields, "clusters/prod/patch.yaml": patch}
    )
    loaded = read(["."])
    made = service(loaded)
    assert (made.namespace, messages(loaded)) == ("x", [])
    mirror = made.node["spec"]["http"].at(0)["mirror"]
    assert (mirror["host"].text, str(mirror["host"].place)) == ("new.example.com", place)
    assert str(made.node["spec"]["hosts"].at(0).place) == "base/vs.yaml:7:5"
    assert str(made.node.place) == "base/vs.yaml:1:1"


BOTH = "resources: [vs.yaml, cart.yaml]\n"
CHANGED = "  http:\n  - mirror: {host: new.example.com}\n"
NAMED = SERVICE.partition("spec:")[0]
EDITED = "    - {op: replace, path: /spec/http/0/mirror/host,\n       value: new.example.com}\n"
WHOLE = "- target: {TARGET}\n  patch: |\n" + EDITED
OTHERS = {
    "of names": ("- path: shop.yaml\n- path: cart.yaml\n", "clusters/prod/shop.yaml:7:20"),
    "of names before a prefix": ("- path: shop.yaml\n- path: cart.yaml\nnamePrefix: eu-\nnamespace: x\n", "clusters/prod/shop.yaml:7:20"),
    "of names that are selected": (
        WHOLE.replace("TARGET", "kind: VirtualService, name: sho.") + WHOLE.replace("TARGET", "name: car."),
        "clusters/prod/kustomization.yaml:6:15",
    ),
    "of labels": (
        WHOLE.replace("TARGET", "labelSelector: 'app in (shop, other),app,!gone'")
        + WHOLE.replace("TARGET", "labelSelector: 'app=cart'")
        + WHOLE.replace("TARGET", "labelSelector: 'app!=shop,app notin (shop)'"),
        "clusters/prod/kustomization.yaml:6:15",
    ),
    "of namespaces": (
        WHOLE.replace("TARGET", "namespace: default") + WHOLE.replace("TARGET", "namespace: carts"),
        "clusters/prod/kustomization.yaml:6:15",
    ),
    "of kinds": (WHOLE.replace("TARGET", "name: shop") + WHOLE.replace("TARGET", "kind: Service"), "clusters/prod/kustomization.yaml:6:15"),
}


@KUSTOMIZE
@pytest.mark.parametrize(("patches", "place"), OTHERS.values(), ids=OTHERS)
def test_a_patch_of_another_object_is_no_origin(repo: Path, patches: str, place: str) -> None:
    labelled = SERVICE.replace("metadata:\n", "metadata:\n  labels: {app: shop}\n")
    cart = labelled.replace("shop", "cart").replace("  name: cart\n", "  name: cart\n  namespace: carts\n")
    write(repo, {"base/kustomization.yaml": BOTH, "base/vs.yaml": labelled, "base/cart.yaml": cart})
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [../../base]\npatches:\n" + patches})
    of_names = {"shop": NAMED, "cart": NAMED.replace("shop\n", "cart\n  namespace: carts\n")}
    write(repo, {f"clusters/prod/{name}.yaml": f"{head}spec:\n{CHANGED}" for name, head in of_names.items() if f"{name}.yaml" in patches})
    loaded = read(["."])
    hosts = {m.name[-4:]: m.node["spec"]["http"].at(0)["mirror"]["host"] for m in loaded.documents.clusters["prod"].of("VirtualService")}
    assert (hosts["shop"].text, str(hosts["shop"].place), messages(loaded)) == ("new.example.com", place, [])


@KUSTOMIZE
def test_what_a_patch_only_tests_is_no_origin(repo: Path) -> None:
    tested = "    - {op: test, path: /spec/http/0/mirror/port, value: {number: 80}}\n"
    write(repo, {"base/kustomization.yaml": "resources: [vs.yaml]\n", "base/vs.yaml": SERVICE})
    patches = WHOLE.replace("TARGET", "kind: VirtualService") + tested
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [../../base]\npatches:\n" + patches})
    mirror = service(read(["."])).node["spec"]["http"].at(0)["mirror"]
    assert str(mirror["host"].place) == "clusters/prod/kustomization.yaml:6:15"
    assert str(mirror["port"]["number"].place) == "base/vs.yaml:15:17"


@KUSTOMIZE
def test_a_patch_may_say_what_an_object_was_called_on_the_way(repo: Path) -> None:
    write(repo, {"base/kustomization.yaml": BOTH + "namePrefix: eu-\n", "base/vs.yaml": SERVICE})
    write(repo, {"base/cart.yaml": SERVICE.replace("name: shop", "name: eu-shop")})
    write(
        repo,
        {"between/kustomization.yaml": "resources: [../base]\nnameSuffix: -b\nnamespace: x\npatches: [{path: a.yaml}, {path: b.yaml}]\n"},
    )
    write(repo, {"between/a.yaml": NAMED + "spec:\n" + CHANGED})
    write(repo, {"between/b.yaml": NAMED.replace("shop", "eu-eu-shop") + "spec:\n" + CHANGED})
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [../../between]\nnamePrefix: z-\n"})
    made = {m.name: m.node for m in read(["."]).documents.clusters["prod"].of("VirtualService")}
    places = {name: [str(node.place), str(node["spec"]["http"].at(0)["mirror"]["host"].place)] for name, node in made.items()}
    assert places == {
        "z-eu-shop-b": ["base/vs.yaml:1:1", "between/a.yaml:7:20"],
        "z-eu-eu-shop-b": ["base/cart.yaml:1:1", "between/b.yaml:7:20"],
    }


@KUSTOMIZE
def test_a_name_that_something_else_has_changed_may_be_in_a_patch(repo: Path) -> None:
    renamed = (
        WHOLE.replace("TARGET", "name: shop").replace("/spec/http/0/mirror/host", "/metadata/name").replace("new.example.com", "x-shop")
    )
    fields = f"patches:\n{renamed}  options: {{allowNameChange: true}}\n"
    write(repo, {"base/kustomization.yaml": "resources: [vs.yaml]\n" + fields, "base/vs.yaml": SERVICE})
    patches = "- path: a.yaml\n" + WHOLE.replace("TARGET", "name: cart")
    more = "- target: {name: x-shop}\n  patch: |\n    - op: replace\n      path: /spec/hosts/0\n      value: other\n"
    write(repo, {"clusters/prod/kustomization.yaml": f"resources: [../../base]\nnamePrefix: eu-\npatches:\n{patches}{more}"})
    write(repo, {"clusters/prod/a.yaml": NAMED.replace("shop", "x-shop") + "spec:\n" + CHANGED})
    spec = service(read(["."])).node["spec"]
    assert str(spec["http"].at(0)["mirror"]["host"].place) == "clusters/prod/a.yaml:7:20"
    assert str(spec["hosts"].at(0).place) == "clusters/prod/kustomization.yaml:13:14"


@KUSTOMIZE
def test_what_a_kustomization_sets_is_where_it_says_so(repo: Path) -> None:
    write(repo, {"base/kustomization.yaml": "resources: [vs.yaml]\n", "base/vs.yaml": SERVICE})
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [../../base]\nnamePrefix: eu-\nnamespace: x\n"})
    made = service(read(["."]))
    assert (made.name, str(made.node["metadata"]["namespace"].place)) == ("eu-shop", "clusters/prod/kustomization.yaml:3:12")
    assert str(made.node["spec"]["http"].at(0)["mirror"]["host"].place) == "base/vs.yaml:13:13"
    assert str(made.node["spec"]["http"].at(0)["mirror"]["absent"].place) == "base/vs.yaml:13:7"


@KUSTOMIZE
def test_files_that_are_rendered_count_and_their_folder_does_not(repo: Path) -> None:
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [vs.yaml]\nnamePrefix: eu-\n", "clusters/prod/vs.yaml": SERVICE})
    assert read(["."]).documents.files == 2


@KUSTOMIZE
def test_a_component_is_a_part_of_what_lists_it(repo: Path) -> None:
    patch = 'patches:\n- target: {kind: VirtualService}\n  patch: \'[{"op": "replace", "path": "/spec/hosts/0", "value": "other"}]\'\n'
    write(repo, {"clusters/prod/part/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n" + patch})
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [vs.yaml]\ncomponents: [part]\n", "clusters/prod/vs.yaml": SERVICE})
    loaded = read(["."])
    assert service(loaded).node["spec"]["hosts"].texts == ("other",)
    assert messages(loaded) == []


@KUSTOMIZE
def test_files_of_a_component_that_an_application_names_are_not_left_out(repo: Path) -> None:
    head = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\n"
    sources = {"prod": "path: app, kustomize: {components: [../part]}", "stage": "path: stage"}
    for cluster, source in sources.items():
        spec = f"spec: {{destination: {{name: {cluster}}}, source: {{repoURL: {URL}, {source}}}}}\n"
        write(repo, {f"argocd/{cluster}.yaml": head + spec})
    write(repo, {"app/kustomization.yaml": "resources: [a.yaml]\n", "app/a.yaml": CONFIG_MAP, "stage/vs.yaml": SERVICE})
    write(repo, {"part/kustomization.yaml": "kind: Component\nresources: [vs.yaml]\n", "part/vs.yaml": SERVICE})
    loaded = read(["."])
    assert service(loaded).name == "shop"
    assert messages(loaded) == []


def told_of_overlay(repo: Path, fields: str) -> list[str]:
    """What is not judged of a kustomization of two VirtualServices."""
    write(repo, {"base/kustomization.yaml": BOTH, "base/vs.yaml": SERVICE, "base/cart.yaml": SERVICE.replace("name: shop", "name: cart")})
    write(repo, {"clusters/prod/kustomization.yaml": f"resources: [../../base]\n{fields}"})
    return messages(read(["."]))


def told_of_target(repo: Path, target: str, more: str = "") -> list[str]:
    """What is not judged where a patch is for a target."""
    patches = f"patches:\n- target: {target}\n  patch: |\n    - op: replace\n      path: /spec/hosts/0\n      value: x\n"
    return told_of_overlay(repo, f"{patches}{more}")


def told_of_select(repo: Path, select: str, more: str = "", field: str = "spec.http.0.mirror.host") -> list[str]:
    """What is not judged where a replacement selects a target."""
    source = "{kind: VirtualService, name: cart, fieldPath: spec.hosts.0}"
    return told_of_overlay(repo, f"replacements:\n- source: {source}\n  targets:\n  - select: {select}\n    fieldPaths: [{field}]\n{more}")


NEARLY = {
    "{kind: VirtualService, name: shp}": "VirtualService `shp` is among what is patched (did you mean `shop`?)",
    "{kind: VirtualServices, name: shop}": "VirtualServices `shop` is among what is patched (did you mean `VirtualService`?)",
    "{kind: VirtualSevice}": "VirtualSevice is among what is patched (did you mean `VirtualService`?)",
    "{kind: VirtualService, group: networking.istio.oi}": (
        "VirtualService of `networking.istio.oi` is among what is patched (did you mean `networking.istio.io`?)"
    ),
    "{kind: VirtualService, name: shop, group: istio}": (
        "VirtualService `shop` of `istio` is among what is patched (did you mean `networking.istio.io`?)"
    ),
    "{kind: VirtualService, name: shop, version: v1alpha3}": (
        "VirtualService `shop` of `v1alpha3` is among what is patched (did you mean `v1`?)"
    ),
    "{kind: VirtualService, name: shop, namespace: web}": (
        "VirtualService `shop` in `web` is among what is patched (did you mean `default`?)"
    ),
}


@KUSTOMIZE
@pytest.mark.parametrize(("target", "said"), NEARLY.items())
def test_a_patch_that_is_nearly_for_an_object_changes_nothing_and_is_told(repo: Path, target: str, said: str) -> None:
    said = said.replace(" (did", ", so this patch changes nothing (did")
    assert told_of_target(repo, target) == [f"clusters/prod/kustomization.yaml:3 no {said}"]


@KUSTOMIZE
@pytest.mark.parametrize(
    ("target", "more"),
    [
        ("{kind: VirtualService, name: shop}", ""),
        ("{kind: VirtualService, name: sh.*}", ""),
        ("{kind: VirtualService, name: other}", ""),
        ("{kind: VirtualService, labelSelector: 'app=shp'}", ""),
        ("{kind: DestinationRule}", ""),
        ("{kind: VirtualService, group: example.com}", ""),
        ("{kind: VirtualService, name: shp}", "nameSuffix: -eu\n"),
        ("{kind: VirtualService, name: cart}", "- target: {kind: VirtualService, name: cart}\n  patch: '{$patch: delete}'\n"),
    ],
)
def test_a_patch_that_is_for_an_object_or_may_be_is_not_told(repo: Path, target: str, more: str) -> None:
    assert [message for message in told_of_target(repo, target, more) if "changes nothing" in message] == []


@KUSTOMIZE
@pytest.mark.parametrize(("select", "said"), NEARLY.items())
def test_a_replacement_that_nearly_selects_an_object_replaces_nothing_and_is_told(repo: Path, select: str, said: str) -> None:
    said = said.replace("among what is patched", "among what is built, so nothing is replaced there")
    assert told_of_select(repo, select) == [f"clusters/prod/kustomization.yaml:5 no {said}"]


@KUSTOMIZE
@pytest.mark.parametrize(
    ("select", "more", "field"),
    [
        ("{kind: VirtualService, name: shop}", "", "spec.hosts.0"),
        ("{kind: VirtualService, name: sh.*}", "", "spec.hosts.0"),
        ("{kind: VirtualService, name: other}", "", "spec.hosts.0"),
        ("{kind: VirtualService, name: shop, namespace: web}", "namespace: web\n", "spec.hosts.0"),
        ("{kind: VirtualService, name: shp}", "nameSuffix: -eu\n", "spec.hosts.0"),
        ("{kind: VirtualService, name: shp}", "", "metadata.name"),
    ],
)
def test_a_replacement_that_selects_an_object_or_may_is_not_told(repo: Path, select: str, more: str, field: str) -> None:
    assert told_of_select(repo, select, more, field) == []


@KUSTOMIZE
def test_a_patch_may_say_the_namespace_that_was_given_before_it(repo: Path) -> None:
    target = "{kind: VirtualService, name: shop, namespace: web}"
    (message,) = told_of_target(repo, target, "namespace: web\n")
    assert message.endswith("in `web` is among what is patched, so this patch changes nothing (did you mean `default`?)")
    edit(repo / "base/kustomization.yaml", BOTH, BOTH + "namespace: web\n")
    loaded = read(["."])
    assert messages(loaded) == []
    assert {m.name: m.node["spec"]["hosts"].texts for m in loaded.documents.clusters["prod"].of("VirtualService")} == {
        "shop": ("x",),
        "cart": ("shop",),
    }


UNAPPLIED = {
    "a patch in place": (
        "- target: {kind: VirtualService}\n  patch: |\n    - op: replace\n      path: PATH\n      value: x\n",
        "kustomization.yaml:6",
    ),
    "a patch in a file": ("- target: {kind: VirtualService}\n  path: patch.yaml\n", "patch.yaml:2"),
}


@KUSTOMIZE
@pytest.mark.parametrize("pointer", ["/spec/host/0", "/spec/hosts/7"])
@pytest.mark.parametrize(("patches", "place"), UNAPPLIED.values(), ids=UNAPPLIED)
def test_an_operation_that_does_not_apply_is_where_its_path_is(repo: Path, pointer: str, patches: str, place: str) -> None:
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [vs.yaml]\npatches:\n" + patches.replace("PATH", pointer)})
    write(repo, {"clusters/prod/vs.yaml": SERVICE, "clusters/prod/patch.yaml": f"- op: replace\n  path: {pointer}\n  value: x\n"})
    (message,) = messages(read(["."]))
    assert message.startswith(f"clusters/prod/{place} kustomize can't render this: replace operation does not apply: ")
    assert pointer in message
    assert str(repo) not in message


UNBUILDABLE = {
    "a base elsewhere": ("resources: [vs.yaml, 'https://example.com/x.yaml']\n", "is not in this repository"),
    "a base on GitHub": ("resources: [vs.yaml, github.com/org/repo]\n", "is not in this repository"),
    "a patch elsewhere": ("resources: [vs.yaml]\npatches: [{path: 'https://example.com/p.yaml'}]\n", "is not in this repository"),
    "a chart": ("resources: [vs.yaml]\nhelmCharts: [{name: x, repo: 'https://example.com'}]\n", "kustomize would run helm"),
    "a transformer's file elsewhere": (
        "resources: [vs.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: p}\n"
        "  path: https://example.com/p.yaml\n",
        "is not in this repository",
    ),
    "files out of the repository": (
        "resources: [vs.yaml]\nconfigurations: [../../../../../etc/hostname]\n",
        "lies outside of the repository",
    ),
    "what is not there": ("resources: [vs.yaml, gone.yaml]\n", "leads to no file of the repository"),
    "what kustomize refuses": ("resources: [vs.yaml]\nfoo: bar\n", "kustomize can't render this: "),
}


@KUSTOMIZE
@pytest.mark.parametrize(("text", "message"), UNBUILDABLE.values(), ids=UNBUILDABLE)
def test_what_can_not_be_built_here_is_a_blind_spot(repo: Path, text: str, message: str) -> None:
    write(repo, {"clusters/prod/a/kustomization.yaml": text + "namePrefix: x-\n", "clusters/prod/a/vs.yaml": SERVICE})
    write(repo, {"clusters/prod/b.yaml": SERVICE.replace("name: shop", "name: other")})
    loaded = read(["."])
    assert service(loaded).name == "other"
    (said,) = messages(loaded)
    assert said.startswith("clusters/prod/a/kustomization.yaml:")
    assert message in said


def test_what_can_not_be_read_is_an_error_where_it_keeps_all_from_being_rendered(repo: Path) -> None:
    broken = SERVICE.replace("    mirror:\n", "\tmirror:\n")
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [vs.yaml]\nnamePrefix: x-\n", "clusters/prod/vs.yaml": broken})
    (found,) = check(load(".")).findings
    assert (found.rule, found.level) == ("broken-document", "error")
    assert (str(found.place), "a tab indents `mirror:`" in found.message) == ("clusters/prod/vs.yaml:12:1", True)


@pytest.mark.parametrize(("chart", "holds"), [("redis", "anything"), ("cert-manager", "nothing")])
def test_what_stands_beside_charts_that_helm_would_render_is_read(repo: Path, chart: str, holds: str) -> None:
    helm = f"helmGlobals: {{chartHome: charts}}\nhelmCharts:\n- name: {chart}\n  repo: https://example.com\n"
    write(repo, {"clusters/prod/kustomization.yaml": f"namespace: x\nresources: [../../base]\n{helm}"})
    write(repo, {"base/kustomization.yaml": "resources: [vs.yaml]\n", "base/vs.yaml": SERVICE})
    loaded = read(["."])
    assert service(loaded).namespace == "x"
    said = f"clusters/prod/kustomization.yaml:5 kustomize would run helm for the chart `{chart}`, so it is not rendered"
    assert (messages(loaded), [spot.holds for spot in loaded.documents.blind_spots]) == ([said], [holds])


@KUSTOMIZE
def test_options_of_an_application_go_over_its_folder(repo: Path) -> None:
    options = (
        'kustomize: {namePrefix: eu-, patches: [{target: {kind: VirtualService}, patch: \'[{"op": "remove", "path": "/spec/hosts/0"}]\'}]}'
    )
    source = f"{{repoURL: {URL}, path: base, {options}}}"
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
    text += f"spec: {{destination: {{name: prod}}, source: {source}}}\n"
    write(repo, {"base/kustomization.yaml": "resources: [vs.yaml]\n", "base/vs.yaml": SERVICE, "argo.yaml": text})
    made = service(read(["."]))
    assert (made.name, made.node["spec"]["hosts"].texts) == ("eu-shop", ())


@KUSTOMIZE
def test_a_patch_that_an_application_names_stands_in_its_folder(repo: Path) -> None:
    options = "kustomize: {patches: [{target: {kind: VirtualService}, path: p.yaml}]}"
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
    write(repo, {"argo.yaml": f"{text}spec: {{destination: {{name: prod}}, source: {{repoURL: {URL}, path: app, {options}}}}}\n"})
    write(repo, {"app/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "resources: [vs.yaml]\n"})
    write(repo, {"base/vs.yaml": SERVICE, "app/p.yaml": "- {op: replace, path: /spec/hosts/0, value: other}\n"})
    loaded = read(["."])
    assert messages(loaded) == []
    assert str(service(loaded).node["spec"]["hosts"].at(0).place) == "app/p.yaml:1:45"
    edit(repo / "argo.yaml", "p.yaml", "../../p.yaml")
    (repo.parent / "p.yaml").write_text((repo / "app/p.yaml").read_text())
    assert any("lies outside of the repository, so this is not rendered" in message for message in messages(read(["."])))


@KUSTOMIZE
def test_fields_that_a_transformer_changes_are_no_paths(repo: Path) -> None:
    labels = "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\nlabels: {a: b}\n"
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [vs.yaml]\ntransformers: [t.yaml]\n", "clusters/prod/vs.yaml": SERVICE})
    write(repo, {"clusters/prod/t.yaml": labels + "fieldSpecs: [{path: metadata/labels, create: true}]\n"})
    assert messages(read(["."])) == []


@KUSTOMIZE
def test_the_reason_why_a_file_is_not_rendered_comes_last(repo: Path) -> None:
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [vs.yaml, a.yaml]\nnamePrefix: x-\n", "clusters/prod/vs.yaml": SERVICE})
    write(repo, {"clusters/prod/a.yaml": CONFIG_MAP.replace("name: a", "")})
    (said,) = messages(read(["."]))
    assert "'a.yaml': missing metadata.name in object" in said
    assert "directory" not in said


@KUSTOMIZE
def test_what_differs_from_run_to_run_is_not_said(repo: Path) -> None:
    settings = "configMapGenerator: [{name: c, behavior: merge, literals: [a=b]}]\nnamePrefix: x-\n"
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [vs.yaml]\n" + settings, "clusters/prod/vs.yaml": SERVICE})
    (said,) = messages(read(["."]))
    assert "kustomize can't render this" in said
    assert re.search(r"0x\w", said) is None


@pytest.mark.usefixtures("no_renderers")
def test_without_a_renderer_it_says_what_is_missing(repo: Path) -> None:
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [vs.yaml]\nnamePrefix: x-\n", "clusters/prod/vs.yaml": SERVICE})
    said = "this kustomization has `namePrefix` and must be rendered first, and there is no kustomize here: it is not judged"
    assert messages(read(["."])) == [f"clusters/prod/kustomization.yaml:2 {said}"]
    write(repo, {"clusters/prod/b/kustomization.yaml": "resources: [vs.yaml]\nnamePrefix: y-\n", "clusters/prod/b/vs.yaml": SERVICE})
    assert messages(read(["."])) == [f"clusters/prod/b/kustomization.yaml:2 {said} (and 1 more)"]


CHART = {
    "charts/mesh/Chart.yaml": "apiVersion: v2\nname: mesh\nversion: 1.0.0\n",
    "charts/mesh/values.yaml": "mirror:\n  host: default.example.com\n  port: 80\nname: shop\n",
    "charts/mesh/templates/vs.yaml": """{{- if .Values.name }}
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: {{ .Values.name }}
spec:
  hosts:
  - {{ .Values.name | quote }}
  http:
  - route:
    - destination:
        host: fixed.example.com
    mirror:
      host: {{ .Values.mirror.host }}
      port: {number: {{ .Values.mirror.port }}}
{{- end }}
""",
}
FLUX_PATCH = """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./apps
  sourceRef: {kind: GitRepository, name: flux-system}
  targetNamespace: shop
  postBuild:
    substitute:
      DOMAIN: example.com
  patches:
  - target: {kind: VirtualService}
    patch: |
      - op: replace
        path: /spec/http/0/mirror
        value:
          host: stage.${DOMAIN}
"""
RELEASE = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: mesh, namespace: shop}
spec:
  chart: {spec: {chart: ./charts/mesh, sourceRef: {kind: GitRepository, name: flux-system}}}
"""


@KUSTOMIZE
def test_labels_and_names_of_images_are_no_paths(repo: Path) -> None:
    write(repo, {"clusters/prod/vs.yaml": SERVICE})
    fields = "commonLabels: {env: prod, path: gone}\nlabels: [{pairs: {file: gone}}]\nimages: [{name: files, newTag: gone}]\n"
    write(repo, {"clusters/prod/kustomization.yaml": f"resources: [vs.yaml]\n{fields}"})
    assert (service(read(["."])).name, messages(read(["."]))) == ("shop", [])


@KUSTOMIZE
def test_what_flux_fills_into_a_patch_stands_where_the_patch_is_written(repo: Path) -> None:
    write(repo, {"apps/vs.yaml": SERVICE, "clusters/prod/apps.yaml": FLUX_PATCH})
    loaded = read(["."])
    host = service(loaded).node["spec"]["http"].at(0)["mirror"]["host"]
    assert (host.text, str(host.place)) == ("stage.example.com", "clusters/prod/apps.yaml:17:17")
    edit(repo / "clusters/prod/apps.yaml", "DOMAIN:", "DOMIAN:")
    spot = "clusters/prod/apps.yaml:17 VirtualService shop/shop: `stage.${DOMAIN}` waits to be filled in"
    assert messages(read(["."])) == [spot]


@HELM
def test_a_release_is_rendered_with_its_values(repo: Path) -> None:
    values = "  values:\n    mirror:\n      host: stage.example.com\n"
    write(repo, {**CHART, "clusters/prod/release.yaml": RELEASE + values})
    loaded = read(["."])
    made = service(loaded)
    rule = made.node["spec"]["http"].at(0)
    assert (made.namespace, messages(loaded)) == ("shop", [])
    assert (rule["mirror"]["host"].text, str(rule["mirror"]["host"].place)) == ("stage.example.com", "clusters/prod/release.yaml:8:13")
    assert str(rule["mirror"]["port"]["number"].place) == "charts/mesh/values.yaml:3:9"
    assert str(rule["route"].at(0)["destination"]["host"].place) == "charts/mesh/templates/vs.yaml:12:15"
    assert str(made.node["spec"]["hosts"].at(0).place) == "charts/mesh/values.yaml:4:7"
    assert str(made.node.place) == "charts/mesh/templates/vs.yaml:3:1"


SEVERAL = """apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  ports:
  - name: http
    port: 80
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  labels:
    name: stage
  name: {{ .Release.Name }}
spec:
  hosts:
  - {{ .Release.Name }}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: "{{ .Values.called }}-stage"}
spec:
  hosts:
  - {{ .Release.Name }}
  - {{ include "hosts" . }}
  - fixed.example.com
  {{- toYaml .Values.gateway.hosts | nindent 2 }}
  gateways: [ingress]
---
{{ include "entry" . }}
"""
HELPER = """{{- define "entry" }}
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: stage
spec:
  hosts: [other.example.com]
{{- end }}
{{- define "hosts" }}{{ .Values.other }}{{ end }}
"""


@HELM
def test_of_a_template_with_several_documents_the_own_one_counts(repo: Path) -> None:
    write(repo, {"charts/mesh/Chart.yaml": CHART["charts/mesh/Chart.yaml"], "charts/mesh/templates/all.yaml": SEVERAL})
    write(repo, {"charts/mesh/templates/_helpers.tpl": HELPER, "charts/mesh/values.yaml": "called: not\nother: include.example.com\n"})
    values = "  values:\n    called: to\n    mirror: {host: new.example.com}\n    gateway:\n      hosts:\n      - new.example.com\n"
    write(repo, {"clusters/prod/release.yaml": RELEASE + values})
    loaded = read(["."])
    made = {m.name: m.node for kind in ("VirtualService", "ServiceEntry") for m in loaded.documents.clusters["prod"].of(kind)}
    assert messages(loaded) == []
    assert {name: str(node.place) for name, node in made.items()} == {
        "mesh": "charts/mesh/templates/all.yaml:11:1",
        "to-stage": "charts/mesh/templates/all.yaml:21:1",
        "stage": "charts/mesh/templates/_helpers.tpl:3:1",
    }
    assert [str(host.place) for host in made["to-stage"]["spec"]["hosts"]] == [
        "charts/mesh/templates/all.yaml:24:3",
        "charts/mesh/values.yaml:2:8",
        "charts/mesh/templates/all.yaml:24:3",
        "clusters/prod/release.yaml:11:9",
    ]
    assert str(made["mesh"]["spec"]["hosts"].at(0).place) == "charts/mesh/templates/all.yaml:18:5"


ASKED = [
    "networking.istio.io/v1",
    "networking.istio.io/v1beta1/VirtualService",
    "gateway.networking.k8s.io/v1/HTTPRoute",
    "apps/v1/Deployment",
]


@HELM
@pytest.mark.parametrize("version", ASKED)
def test_a_chart_is_told_what_a_cluster_with_istio_serves(repo: Path, version: str) -> None:
    template = CHART["charts/mesh/templates/vs.yaml"].replace(".Values.name }}", f'.Capabilities.APIVersions.Has "{version}" }}}}', 1)
    write(repo, {**CHART, "charts/mesh/templates/vs.yaml": template, "clusters/prod/release.yaml": RELEASE})
    assert service(read(["."])).name == "shop"


@HELM
def test_a_chart_is_told_of_nothing_else(repo: Path) -> None:
    template = CHART["charts/mesh/templates/vs.yaml"].replace(".Values.name", '.Capabilities.APIVersions.Has "route.openshift.io/v1"', 1)
    write(
        repo, {**CHART, "charts/mesh/templates/vs.yaml": template, "clusters/prod/release.yaml": RELEASE, "clusters/prod/vs.yaml": SERVICE}
    )
    assert service(read(["."])).node.path == "clusters/prod/vs.yaml"


@HELM
def test_values_of_a_config_map_stand_where_they_are_written(repo: Path) -> None:
    values = "  valuesFrom: [{kind: ConfigMap, name: mesh-values}]\n"
    lent = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mesh-values}\ndata:\n"
    lent += "  values.yaml: |\n    mirror:\n      host: NAME.example.com\n"
    for name in ("prod", "stage"):
        own = {f"clusters/{name}/release.yaml": RELEASE + values, f"clusters/{name}/values.yaml": lent.replace("NAME", name)}
        write(repo, {**CHART, **own})
    loaded = read(["."])
    hosts = {name: service(loaded, name).node["spec"]["http"].at(0)["mirror"]["host"] for name in ("prod", "stage")}
    assert {name: (host.text, str(host.place)) for name, host in hosts.items()} == {
        "prod": ("prod.example.com", "clusters/prod/values.yaml:7:13"),
        "stage": ("stage.example.com", "clusters/stage/values.yaml:7:13"),
    }


GENERATED = "  valuesFrom: [{kind: ConfigMap, name: mesh-values}]\n"
REFERENCES = "nameReference: [{kind: ConfigMap, version: v1, fieldSpecs: [{path: spec/valuesFrom/name, kind: HelmRelease}]}]\n"
HASHED = "configMapGenerator:\n- name: mesh-values\n  namespace: shop\n  files: [values.yaml=own.yaml]\n"
OF_FILES = HASHED + "  options: {disableNameSuffixHash: true}\n"
OWN = "mirror:\n  host: NAME.${DOMAIN}\nname: shop\n"


def generating(repo: Path, name: str, more: str = "", fields: str = OF_FILES) -> None:
    """A release in a base that takes values from a ConfigMap which the overlay of a cluster makes."""
    made = released(name, "  postBuild: {substitute: {DOMAIN: example.com}}\n", GENERATED)
    own = {f"apps/{name}/kustomization.yaml": f"resources: [../base]\n{fields}", f"apps/{name}/own.yaml": OWN.replace("NAME", name)}
    write(repo, {**made, "apps/base/kustomization.yaml": f"resources: [release.yaml]\n{more}", **own, "apps/base/names.yaml": REFERENCES})


@HELM
@pytest.mark.parametrize("more", ["", pytest.param("configurations: [names.yaml]\n", marks=KUSTOMIZE)], ids=["as written", "as rendered"])
def test_values_of_a_generated_config_map_stand_where_they_are_written(repo: Path, more: str) -> None:
    for name in ("prod", "stage"):
        generating(repo, name, more)
    loaded = read(["."])
    hosts = {name: service(loaded, name).node["spec"]["http"].at(0)["mirror"]["host"] for name in ("prod", "stage")}
    assert {name: (host.text, str(host.place)) for name, host in hosts.items()} == {
        "prod": ("prod.example.com", "apps/prod/own.yaml:2:9"),
        "stage": ("stage.example.com", "apps/stage/own.yaml:2:9"),
    }
    assert messages(loaded) == []


@HELM
@KUSTOMIZE
def test_a_reference_to_a_generated_config_map_may_end_with_its_hash(repo: Path) -> None:
    generating(repo, "prod", fields=HASHED + "configurations: [names.yaml]\n")
    write(repo, {"apps/prod/names.yaml": REFERENCES})
    assert service(read(["."])).node["spec"]["http"].at(0)["mirror"]["host"].text == "prod.example.com"


@HELM
def test_a_literal_of_a_generated_config_map_stands_in_the_kustomization(repo: Path) -> None:
    write(repo, {**CHART, "clusters/prod/release.yaml": RELEASE + TARGETED})
    generator = "configMapGenerator: [{name: v, literals: [host='stage.example.com']}]\ngeneratorOptions: {disableNameSuffixHash: true}\n"
    write(repo, {"clusters/prod/kustomization.yaml": f"resources: [release.yaml]\n{generator}"})
    host = service(read(["."])).node["spec"]["http"].at(0)["mirror"]["host"]
    assert (host.text, str(host.place)) == ("stage.example.com", "clusters/prod/kustomization.yaml:2:43")


UNTOLD = {
    "of another cluster": "",
    "that is merged into one of elsewhere": OF_FILES + "  behavior: merge\n",
    "that replaces one of elsewhere": OF_FILES + "  behavior: replace\n",
    "of a file of variables": OF_FILES + "  envs: [own.env]\n",
    "of one, as older versions write it": OF_FILES + "  env: own.env\n",
    "of a file that is not here": OF_FILES.replace("own.yaml", "gone.yaml"),
    "of a literal without a value": OF_FILES + "  literals: [name]\n",
    "that another one is called as": OF_FILES + OF_FILES.partition("\n")[2].replace("shop", "other"),
    "whose hash its reference does not get": HASHED,
}


@pytest.mark.parametrize("optional", ["false", "true"])
@pytest.mark.parametrize("fields", UNTOLD.values(), ids=UNTOLD)
def test_values_of_a_generated_config_map_that_is_not_known_are_a_blind_spot(repo: Path, fields: str, optional: str) -> None:
    generating(repo, "stage")
    generating(repo, "prod", fields=fields)
    if fields:
        edit(repo / "apps/base/release.yaml", "name: mesh-values", f"name: mesh-values, optional: {optional}")
    said = "[prod] what this takes from the ConfigMap `mesh-values` is not known, so the chart is not rendered"
    assert any(said in f"[{spot.cluster}] {spot.message}" for spot in read(["."]).documents.blind_spots)


TARGETED = "  valuesFrom: [{kind: ConfigMap, name: v, valuesKey: host, targetPath: mirror.host}]\n"
LENT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: v}\ndata:\n  host: "


@HELM
def test_a_value_for_a_path_stands_in_its_config_map(repo: Path) -> None:
    write(repo, {**CHART, "clusters/prod/release.yaml": RELEASE + TARGETED, "clusters/prod/v.yaml": LENT + "stage.example.com\n"})
    host = service(read(["."])).node["spec"]["http"].at(0)["mirror"]["host"]
    assert (host.text, str(host.place)) == ("stage.example.com", "clusters/prod/v.yaml:5:9")


@pytest.mark.parametrize("value", ["a.example.com,name=x", None])
def test_values_that_are_not_known_are_a_blind_spot(repo: Path, value: str | None) -> None:
    write(repo, {**CHART, "clusters/prod/release.yaml": RELEASE + TARGETED, "clusters/prod/vs.yaml": SERVICE})
    if value:
        write(repo, {"clusters/prod/v.yaml": LENT + value})
    said = "clusters/prod/release.yaml:6 what this takes from the ConfigMap `v` is not known, so the chart is not rendered"
    assert said in messages(read(["."]))


@HELM
def test_the_address_that_releases_take_charts_from_is_this_repository(repo: Path) -> None:
    source = (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet}\nspec: {url: 'https://git.example.com/x'}\n"
    )
    write(
        repo,
        {**CHART, "clusters/prod/release.yaml": RELEASE.replace("name: flux-system", "name: fleet"), "clusters/prod/source.yaml": source},
    )
    loaded = read(["."])
    assert (service(loaded).name, messages(loaded)) == ("shop", [])


@HELM
def test_braces_in_the_values_of_an_application_are_those_of_helm(repo: Path) -> None:
    template = CHART["charts/mesh/templates/vs.yaml"].replace("{{ .Values.mirror.host }}", "{{ tpl .Values.mirror.host . }}")
    helm = "{releaseName: r, valuesObject: {mirror: {host: 'stage.{{ .Values.domain }}'}, domain: example.com}}"
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
    source = f"{{repoURL: {URL}, path: charts/mesh, helm: {helm}}}"
    write(repo, {**CHART, "charts/mesh/templates/vs.yaml": template})
    write(repo, {"argo.yaml": f"{text}spec: {{destination: {{name: prod}}, source: {source}}}\n"})
    loaded = read(["."])
    assert (service(loaded).node["spec"]["http"].at(0)["mirror"]["host"].text, messages(loaded)) == ("stage.example.com", [])


SWITCH = "  values:\n    name: ${MIRRORED}\n    mirror:\n      host: '${HOST}'\n"


def released(name: str, build: str, values: str = SWITCH) -> dict[str, str]:
    """A release in a base, as a Kustomization of Flux applies it to a cluster."""
    applied = FLUX_PATCH.partition("  targetNamespace")[0].replace("./apps", f"./apps/{name}") + build
    overlay = {f"apps/{name}/kustomization.yaml": "resources: [../base]\n", f"clusters/{name}/apps.yaml": applied}
    return {**CHART, "apps/base/kustomization.yaml": "resources: [release.yaml]\n", "apps/base/release.yaml": RELEASE + values, **overlay}


@HELM
def test_variables_of_a_release_are_filled_in_by_what_applies_it(repo: Path) -> None:
    write(repo, released("prod", "  postBuild: {substitute: {MIRRORED: shop, HOST: stage.example.com}}\n"))
    write(repo, released("stage", "  postBuild: {substitute: {MIRRORED: 'false', HOST: none.example.com}}\n"))
    loaded = read(["."])
    host = service(loaded).node["spec"]["http"].at(0)["mirror"]["host"]
    assert (host.text, str(host.place)) == ("stage.example.com", "apps/base/release.yaml:9:13")
    assert (loaded.documents.clusters["stage"].of("VirtualService"), messages(loaded)) == ([], [])


@HELM
@KUSTOMIZE
def test_variables_that_a_patch_brings_are_filled_in_as_well(repo: Path) -> None:
    write(repo, released("prod", "  postBuild: {substitute: {HOST: stage.example.com}}\n", SWITCH.replace("${MIRRORED}", "shop")))
    patch = (
        "patches:\n- target: {kind: HelmRelease}\n  patch: |\n    - {op: replace, path: /spec/values/mirror/host, value: 'new.${HOST}'}\n"
    )
    write(repo, {"apps/prod/kustomization.yaml": f"resources: [../base]\n{patch}"})
    assert service(read(["."])).node["spec"]["http"].at(0)["mirror"]["host"].text == "new.stage.example.com"


@HELM
@KUSTOMIZE
@pytest.mark.parametrize("folder", ["clusters", "envs"])
def test_a_release_in_a_base_is_of_the_cluster_whose_kustomization_lists_it(repo: Path, folder: str) -> None:
    patch = RELEASE.partition("  chart:")[0] + "  values:\n    mirror:\n      host: stage.example.com\n"
    write(repo, {**CHART, "apps/release.yaml": RELEASE, "apps/kustomization.yaml": "resources: [release.yaml]\n"})
    write(
        repo, {f"{folder}/prod/kustomization.yaml": "resources: [../../apps]\npatches: [{path: v.yaml}]\n", f"{folder}/prod/v.yaml": patch}
    )
    write(repo, {f"{folder}/stage/vs.yaml": SERVICE})
    loaded = read(["."])
    assert (sorted(loaded.documents.clusters), messages(loaded)) == (["prod", "stage"], [])
    assert str(service(loaded).node["spec"]["http"].at(0)["mirror"]["host"].place) == f"{folder}/prod/v.yaml:7:13"


BUILDS = {
    "a variable without a value": "  postBuild: {substitute: {HOST: stage.example.com}}\n",
    "variables of a Secret": "  postBuild: {substituteFrom: [{kind: Secret, name: s, optional: true}]}\n",
}


@HELM
@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_a_release_that_waits_to_be_filled_in_is_a_blind_spot(repo: Path, build: str) -> None:
    write(repo, {**released("prod", build), "clusters/prod/vs.yaml": SERVICE.replace("name: shop", "name: other")})
    loaded = read(["."])
    assert service(loaded).name == "other"
    assert messages(loaded) == ["apps/base/release.yaml:7 `${MIRRORED}` waits to be filled in, so the chart is not rendered"]


@HELM
def test_a_release_that_nothing_is_known_to_apply_waits_too(repo: Path) -> None:
    write(repo, {**CHART, "clusters/prod/release.yaml": RELEASE + SWITCH, "clusters/prod/vs.yaml": SERVICE})
    assert messages(read(["."])) == ["clusters/prod/release.yaml:7 `${MIRRORED}` waits to be filled in, so the chart is not rendered"]


MEANT = "  values:\n    note: ${NOTE}\n    mirror:\n      host: stage.example.com\n"


@HELM
@pytest.mark.parametrize(
    ("build", "old", "new"),
    [
        pytest.param("", "", "", id="nothing is filled in"),
        pytest.param("  postBuild: {substitute: {X: y}}\n", "${NOTE}", "$${NOTE}", id="an escape"),
        pytest.param(
            "  postBuild: {substitute: {NOTE: '{'}}\n",
            "namespace: shop}",
            "namespace: shop, labels: {kustomize.toolkit.fluxcd.io/substitute: disabled}}",
            id="switched off",
        ),
    ],
)
def test_what_looks_like_a_variable_may_be_meant(repo: Path, build: str, old: str, new: str) -> None:
    write(repo, released("prod", build, MEANT))
    if old:
        edit(repo / "apps/base/release.yaml", old, new)
    loaded = read(["."])
    assert (service(loaded).name, messages(loaded)) == ("shop", [])


@HELM
def test_mirrors_of_one_release_are_told_apart_by_what_is_filled_in(repo: Path) -> None:
    for name in ("a", "b"):
        build = f"  postBuild: {{substitute: {{MIRRORED: {name}, HOST: {name}.example.com}}}}\n"
        made = released("prod", build, "  releaseName: ${MIRRORED}\n" + SWITCH)
        applied = made.pop("clusters/prod/apps.yaml").replace("name: apps,", f"name: {name},")
        write(repo, {**made, f"clusters/prod/{name}.yaml": applied})
    mirrors = check(load(".")).mirrors
    assert [(mirror.object, mirror.target.partition(":")[0]) for mirror in mirrors] == [
        ("VirtualService shop/a", "a.example.com"),
        ("VirtualService shop/b", "b.example.com"),
    ]


@HELM
def test_an_application_renders_its_chart_with_files_and_parameters(repo: Path) -> None:
    helm = "{releaseName: r, valueFiles: [values-prod.yaml], parameters: [{name: mirror.port, value: '8080'}]}"
    source = f"{{repoURL: {URL}, path: charts/mesh, helm: {helm}}}"
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
    write(repo, {**CHART, "charts/mesh/values-prod.yaml": "mirror: {host: stage.example.com}\n"})
    write(repo, {"argo.yaml": f"{text}spec: {{destination: {{name: prod, namespace: n}}, source: {source}}}\n"})
    made = service(read(["."]))
    mirror = made.node["spec"]["http"].at(0)["mirror"]
    assert (made.namespace, str(mirror["host"].place), mirror["port"]["number"].number) == ("n", "charts/mesh/values-prod.yaml:1:16", 8080)


@HELM
@pytest.mark.parametrize(("asked", "said", "made"), [(">=1.25.0-0", "", True), ("<1.20.0", "1.19.0", True), ("<1.20.0", "", False)])
def test_a_chart_is_told_a_version_that_clusters_run(repo: Path, asked: str, said: str, made: bool) -> None:
    source = f"{{repoURL: {URL}, path: charts/mesh, helm: {{kubeVersion: '{said}'}}}}"
    chart = {**CHART, "charts/mesh/Chart.yaml": f"{CHART['charts/mesh/Chart.yaml']}kubeVersion: '{asked}'\n"}
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
    write(repo, {**chart, "argo.yaml": f"{text}spec: {{destination: {{name: prod}}, source: {source}}}\n"})
    assert [spot.partition("incompatible")[1] for spot in messages(read(["."]))] == ([] if made else ["incompatible"])


SET = f"""apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: s}}
spec:
  generators: [{{list: {{elements: [{{name: a, to: prod}}, {{name: b, to: prod}}, {{name: c, to: stage}}]}}}}]
  template:
    metadata: {{name: 'app-{{{{name}}}}'}}
    spec:
      destination: {{name: '{{{{to}}}}', namespace: n}}
      source: {{repoURL: {URL}, path: charts/entry, helm: {{parameters: [{{name: name, value: '{{{{name}}}}'}}]}}}}
"""


@HELM
def test_the_folder_of_values_of_a_chart_is_told_as_such(repo: Path) -> None:
    files = "helm: {valueFiles: ['/over/{{to}}/values.yaml', '/listed/{{to}}.yaml']}"
    write(repo, {"set.yaml": SET.replace("helm: {parameters: [{name: name, value: '{{name}}'}]}", files)})
    write(repo, {"charts/entry/Chart.yaml": CHART["charts/mesh/Chart.yaml"], "charts/entry/templates/e.yaml": CONFIG_MAP})
    for name in ("prod", "stage"):
        write(repo, {f"over/{name}/values.yaml": f"name: {name}\n", f"listed/{name}.yaml": "name: x\n"})
    write(repo, {"app/kustomization.yaml": "resources: [../listed/vs.yaml]\n", "listed/vs.yaml": SERVICE})
    head = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: app}\n"
    write(repo, {"app.yaml": f"{head}spec: {{destination: {{name: prod}}, source: {{repoURL: {URL}, path: app}}}}\n"})
    whys = {(row.path, row.clusters): row.why for row in read(["."]).assignments}
    assert (whys["over/prod", ("prod",)], whys["over/stage", ("stage",)]) == ("values of a chart", "values of a chart")
    assert (whys["listed", ("prod",)], whys["listed", ("stage",)]) == ("listed by a kustomization", "values of a chart")


@HELM
def test_a_chart_is_rendered_for_each_that_applies_it(repo: Path) -> None:
    entry = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: '{{ .Values.name }}'}\n"
    write(repo, {"charts/entry/Chart.yaml": CHART["charts/mesh/Chart.yaml"], "charts/entry/templates/e.yaml": entry, "set.yaml": SET})
    loaded = read(["."])
    found = {name: [m.name for m in cluster.of("ServiceEntry")] for name, cluster in loaded.documents.clusters.items()}
    assert {name: found[name] for name in ("prod", "stage")} == {"prod": ["a", "b"], "stage": ["c"]}
    whys = {row.clusters: row.why for row in loaded.assignments if row.path == "charts/entry"}
    assert whys[("stage",)] == "applied by Application app-c"


@HELM
def test_mirrors_of_one_template_are_told_apart(repo: Path) -> None:
    values = "  releaseName: NAME\n  values:\n    name: NAME\n    mirror:\n      host: NAME.example.com\n"
    for name in ("a", "b"):
        release = RELEASE.replace("{name: mesh,", f"{{name: {name},") + values.replace("NAME", name)
        write(repo, {**CHART, f"clusters/prod/{name}.yaml": release})
    assert [(str(mirror.place), mirror.object, mirror.target.partition(":")[0]) for mirror in check(load(".")).mirrors] == [
        ("clusters/prod/a.yaml:10:13", "VirtualService shop/a", "a.example.com"),
        ("clusters/prod/b.yaml:10:13", "VirtualService shop/b", "b.example.com"),
    ]


SUBCHART = "charts/mesh/charts/entry/templates/entry.yaml"
ALIASES = """apiVersion: v2
name: mesh
version: 0.1.0
dependencies: [{name: entry, alias: one, version: 0.1.0}, {name: entry, alias: two, version: 0.1.0}]
"""


LIBRARY = {
    "charts/mesh/Chart.yaml": "apiVersion: v2\nname: mesh\nversion: 0.1.0\ndependencies:\n"
    "- {name: entry, alias: one, version: 0.1.0, repository: 'file://../../parts/entry'}\n",
    "charts/mesh/values.yaml": "one: {port: 82}\n",
    "parts/entry/Chart.yaml": "apiVersion: v2\nname: entry\nversion: 0.1.0\n"
    "dependencies: [{name: names, version: 0.1.0, repository: 'file://../names'}]\n",
    "parts/entry/values.yaml": "host: stage.example.com\nport: 81\n",
    "parts/entry/templates/entry.yaml": "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata:\n"
    '  name: {{ include "names.one" . }}\nspec:\n  hosts:\n  - {{ .Values.host }}\n  location: MESH_EXTERNAL\n'
    "  ports:\n  - number: {{ .Values.port }}\n",
    "parts/names/Chart.yaml": "apiVersion: v2\nname: names\nversion: 0.1.0\ntype: library\n",
    "parts/names/templates/_names.tpl": '{{- define "names.one" }}stage{{ end }}\n',
}


@HELM
def test_charts_that_one_depends_on_may_be_elsewhere_in_the_repository(repo: Path) -> None:
    write(repo, {**LIBRARY, "clusters/prod/release.yaml": RELEASE, "clusters/prod/vs.yaml": SERVICE})
    loaded = read(["."])
    (made,) = loaded.documents.clusters["prod"].of("ServiceEntry")
    spec = made.node["spec"]
    assert (made.name, messages(loaded), sorted(path.name for path in (repo / "charts/mesh").iterdir())) == (
        "stage",
        [],
        ["Chart.yaml", "values.yaml"],
    )
    assert str(spec["location"].place) == "parts/entry/templates/entry.yaml:8:13"
    assert str(spec["hosts"].at(0).place) == "parts/entry/values.yaml:1:7"
    assert str(spec["ports"].at(0)["number"].place) == "charts/mesh/values.yaml:1:13"


@HELM
@pytest.mark.parametrize("folder", ["parts", "charts/mesh/charts"])
def test_applications_of_a_chart_that_has_all_from_another_name_clusters(repo: Path, folder: str) -> None:
    text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: %s}\nspec: {destination: {name: %s}, source: %s}\n"
    source = f"{{repoURL: {URL}, path: charts/mesh}}"
    files = {path.replace("parts", folder): text.replace("parts", folder) for path, text in LIBRARY.items()}
    files[f"{folder}/entry/templates/_all.tpl"] = '{{ define "all" }}\n' + files.pop(f"{folder}/entry/templates/entry.yaml") + "{{ end }}\n"
    write(repo, {**files, "charts/mesh/templates/all.yaml": '{{ include "all" (dict "Values" (dict "host" "h" "port" 80)) }}\n'})
    write(repo, {f"argocd/{name}.yaml": text % (name, name, source) for name in ("prod", "stage")})
    loaded = read(["."])
    assert {name: len(cluster.of("ServiceEntry")) for name, cluster in loaded.documents.clusters.items()} == {"prod": 1, "stage": 1}
    assert {each.why for each in loaded.assignments if each.path == f"{folder}/entry"} == (
        {"a part of a chart"} if folder == "parts" else set()
    )


@HELM
@pytest.mark.parametrize("path", ["../../../parts/entry", "../../parts/none", "../mesh"])
def test_charts_that_one_depends_on_are_not_taken_from_where_there_is_none(repo: Path, path: str) -> None:
    write(repo, {**CHART, "charts/mesh/Chart.yaml": LIBRARY["charts/mesh/Chart.yaml"].replace("../../parts/entry", path)})
    write(repo, {"clusters/prod/release.yaml": RELEASE, "clusters/prod/vs.yaml": SERVICE})
    assert any("missing in charts/ directory: entry" in said for said in messages(read(["."])))


@HELM
@pytest.mark.parametrize("packed", [False, True])
def test_values_of_a_subchart_are_those_under_its_name(repo: Path, packed: bool) -> None:
    template = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata:\n  name: {{ .Values.name }}\n"
    template += "spec:\n  hosts:\n  - {{ .Values.global.host }}\n  location: MESH_EXTERNAL\n  ports:\n  - number: {{ .Values.port }}\n"
    write(repo, {"charts/mesh/Chart.yaml": ALIASES, "charts/mesh/values.yaml": "two: {name: b, port: 82}\nport: 99\none: {name: a}\n"})
    write(repo, {"charts/mesh/charts/entry/Chart.yaml": "apiVersion: v2\nname: entry\nversion: 0.1.0\n", SUBCHART: template})
    write(repo, {"charts/mesh/charts/entry/values.yaml": "global: {host: none.example.com}\nport: 81\n"})
    write(repo, {"clusters/prod/release.yaml": RELEASE + "  values: {global: {host: stage.example.com}}\n"})
    write(repo, {"clusters/prod/vs.yaml": SERVICE})
    if packed:
        with tarfile.open(repo / "charts/mesh/charts/entry-0.1.0.tgz", "w:gz") as file:
            file.add(repo / "charts/mesh/charts/entry", "entry")
        shutil.rmtree(repo / "charts/mesh/charts/entry")
    specs = {m.name: m.node["spec"] for m in read(["."]).documents.clusters["prod"].of("ServiceEntry")}
    assert {str(spec["hosts"].at(0).place) for spec in specs.values()} == {"clusters/prod/release.yaml:6:27"}
    assert {spec["location"].place.path for spec in specs.values()} == {"charts/mesh/Chart.yaml" if packed else SUBCHART}
    if not packed:
        ports = {name: str(spec["ports"].at(0)["number"].place) for name, spec in specs.items()}
        assert ports == {"a": "charts/mesh/charts/entry/values.yaml:2:7", "b": "charts/mesh/values.yaml:1:22"}


@HELM
def test_what_helm_refuses_is_a_blind_spot_in_its_words(repo: Path) -> None:
    write(repo, {**CHART, "charts/mesh/templates/vs.yaml": '{{ fail "no mirror for you" }}\n# networking.istio.io\n'})
    write(repo, {"clusters/prod/release.yaml": RELEASE})
    (said,) = messages(read(["."]))
    assert said.startswith("clusters/prod/release.yaml:1 helm can't render this: ")
    assert "no mirror for you" in said
    assert "Error: " not in said
    write(repo, {"charts/mesh/templates/vs.yaml": "kind: A\n\tb: {{ 1 }}\n# networking.istio.io\n"})
    assert "--debug" not in messages(read(["."]))[0]


@KUSTOMIZE
def test_what_kustomize_refuses_further_down_is_told_with_the_folder_in_the_repository(repo: Path) -> None:
    write(
        repo, {"clusters/prod/kustomization.yaml": "resources: [vs.yaml]\ncomponents: [../../mirror]\n", "clusters/prod/vs.yaml": SERVICE}
    )
    replaced = "{select: {kind: VirtualService}, fieldPaths: [spec.gone]}"
    source = "{kind: VirtualService, fieldPath: metadata.name}"
    component = f"kind: Component\nreplacements:\n- source: {source}\n  targets: [{replaced}]\n"
    write(repo, {"mirror/kustomization.yaml": f"apiVersion: kustomize.config.k8s.io/v1alpha1\n{component}"})
    reason = 'kustomize can\'t render this: mirror: unable to find field "spec.gone" in replacement target'
    assert messages(read(["."])) == [f"clusters/prod/kustomization.yaml:2 {reason}"]


@HELM
def test_a_chart_whose_dependencies_are_elsewhere_is_a_blind_spot(repo: Path) -> None:
    more = "dependencies: [{name: other, version: 1.0.0, repository: 'https://charts.example.com'}]\n"
    write(repo, {**CHART, "charts/mesh/Chart.yaml": CHART["charts/mesh/Chart.yaml"] + more, "clusters/prod/release.yaml": RELEASE})
    (said,) = messages(read(["."]))
    assert "missing in charts/ directory: other" in said


def test_a_chart_that_nothing_applies_is_a_blind_spot(repo: Path) -> None:
    write(repo, {**CHART, "clusters/prod/vs.yaml": SERVICE})
    assert [said.partition(" ")[0] for said in messages(read(["."]))] == ["charts/mesh:0"]
