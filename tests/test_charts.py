"""Which line of a template, or which value, a part of a rendered chart comes from."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest
from repositories import write
from test_rendering import HELM, RELEASE, URL, messages, service
from ways import read

from mirrorlint.fleet import Manifest

CHART, VALUES, TEMPLATE = "charts/mesh/Chart.yaml", "charts/mesh/values.yaml", "charts/mesh/templates/vs.yaml"
HEAD = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: shop
  labels:
    {{- include "labels" . | nindent 4 }}
spec:
  hosts: [shop]
  http:
  - route:
    - destination:
        host: fixed.example.com
        port:
          number: 8000
    mirror:
"""
HELPERS = """{{- define "labels" }}app: shop{{ end }}\n{{- define "host" }}{{ .Values.to }}.example.com{{ end }}\n"""
PORT = "      port: {number: 80}\n"

# What a mirror is written as, the values, and where its host and its port's number come from.
WAYS = {
    "a key that stands elsewhere alone": (
        "      {{- toYaml .Values.mirror | nindent 6 }}\n",
        "mirror: {host: new.example.com, port: {number: 8080}}\n",
        (f"{VALUES}:1:16", f"{VALUES}:1:48"),
    ),
    "a number that is said elsewhere": (
        "      host: new.example.com\n      port: {{ toYaml .Values.port | nindent 8 }}\n",
        "port: {number: 8000}\n",
        (f"{TEMPLATE}:16:13", f"{VALUES}:1:16"),
    ),
    "the whole of two values": (
        "      host: {{ if .Values.env }}{{ .Values.host }}{{ end }}\n" + PORT,
        "env: new\nhost: new.example.com\n",
        (f"{VALUES}:2:7", f"{TEMPLATE}:17:22"),
    ),
    "parts of two values": (
        '      host: {{ printf "%s.%s" .Values.to .Values.domain }}\n' + PORT,
        "to: new\ndomain: example.com\n",
        (f"{TEMPLATE}:16:13", f"{TEMPLATE}:17:22"),
    ),
    "two values that are the same": (
        "      host: {{ ternary .Values.a .Values.b false }}\n" + PORT,
        "a: new.example.com\nb: new.example.com\n",
        (f"{TEMPLATE}:16:13", f"{TEMPLATE}:17:22"),
    ),
    "a field of what is named": (
        "      {{- with .Values.mirror }}\n      host: {{ .host }}\n      port:\n        number: {{ .port | default 80 }}\n"
        "      {{- end }}\n",
        "mirror:\n  host: new.example.com\n",
        (f"{VALUES}:2:9", f"{TEMPLATE}:19:17"),
    ),
    "a named template": (
        '      host: {{ include "host" . }}\n' + PORT,
        "to: new\n",
        (f"{TEMPLATE}:16:13", f"{TEMPLATE}:17:22"),
    ),
    "what is not set": (
        '      host: {{ .Values.none | default "new.example.com" }}\n' + PORT,
        "",
        (f"{TEMPLATE}:16:13", f"{TEMPLATE}:17:22"),
    ),
    "what a remark says": (
        "      # then, host: new.example.com\n      {{/* host: new.example.com */}}\n      host: new.example.com # {{ .Values.to }}\n"
        + PORT,
        "to: new\n",
        (f"{TEMPLATE}:18:13", f"{TEMPLATE}:19:22"),
    ),
}


@HELM
@pytest.mark.parametrize(("mirror", "values", "places"), WAYS.values(), ids=WAYS)
def test_a_value_is_where_it_was_written(repo: Path, mirror: str, values: str, places: tuple[str, str]) -> None:
    write(repo, {CHART: "apiVersion: v2\nname: mesh\nversion: 1.0.0\n", TEMPLATE: HEAD + mirror, VALUES: values})
    write(repo, {"charts/mesh/templates/_helpers.tpl": HELPERS, "clusters/prod/release.yaml": RELEASE})
    loaded = read(["."])
    assert messages(loaded) == []
    made = service(loaded).node["spec"]["http"].at(0)["mirror"]
    assert made["host"].text == "new.example.com"
    assert (str(made["host"].place), str(made["port"]["number"].place)) == places


ROUTES = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop, "shop.example.com"]
  http:
    - route:
        - destination:
            host: {{ .Chart.Name }}
            port: {number: {{ .Values.port }}}
"""
MIRROR = """{{- define "mirror" }}
mirror:
  host: HOST
  port: {number: 80}
{{- end }}
"""
INCLUDED = '      {{- include "mirror" . | nindent 6 }}\n'
MIRRORED = "    - mirror: {host: old.example.com, port: {number: 80}}\n      route: [{destination: {host: fixed.example.com}}]\n"

VAGUE = f"{TEMPLATE}:6:3"

# What follows a route, the host that the named template says, and where the mirror's host and its port's number come from.
MADE = {
    "a text": (INCLUDED, "new.example.com", (f"{TEMPLATE}:11:7", f"{TEMPLATE}:11:7")),
    "what the route says": (INCLUDED, "{{ .Chart.Name }}", (f"{TEMPLATE}:11:7", f"{TEMPLATE}:11:7")),
    "a value": (INCLUDED, "{{ .Values.to }}", (f"{VALUES}:2:5", f"{TEMPLATE}:11:7")),
    "behind what else is made": (
        "      headers:\n        {{- toYaml .Values.headers | nindent 8 }}\n" + INCLUDED,
        "new.example.com",
        (f"{TEMPLATE}:13:7", f"{TEMPLATE}:13:7"),
    ),
    "one of two actions": (INCLUDED + INCLUDED.replace('"mirror"', '"labels"'), "new.example.com", (VAGUE, VAGUE)),
    "beside a mirror that is written": (INCLUDED + MIRRORED, "new.example.com", (VAGUE, VAGUE)),
}


@HELM
@pytest.mark.parametrize(("behind", "host", "places"), MADE.values(), ids=MADE)
def test_what_an_action_makes_is_where_the_action_stands(repo: Path, behind: str, host: str, places: tuple[str, str]) -> None:
    write(repo, {CHART: "apiVersion: v2\nname: mesh\nversion: 1.0.0\n", TEMPLATE: ROUTES + behind})
    helpers = {"charts/mesh/templates/_helpers.tpl": HELPERS + MIRROR.replace("HOST", host)}
    write(repo, {**helpers, VALUES: "port: 80\nto: told.example.com\nheaders: {}\n", "clusters/prod/release.yaml": RELEASE})
    made = service(read(["."])).node["spec"]["http"].at(0)["mirror"]
    assert (str(made["host"].place), str(made["port"]["number"].place)) == places


@HELM
def test_of_a_line_only_the_value_is_shown(repo: Path) -> None:
    write(repo, {CHART: "apiVersion: v2\nname: mesh\nversion: 1.0.0\n", TEMPLATE: ROUTES + MIRRORED, VALUES: "port: 8000\n"})
    write(repo, {"clusters/prod/release.yaml": RELEASE})
    spec = service(read(["."])).node["spec"]
    mirror, destination = spec["http"].at(1)["mirror"], spec["http"].at(0)["route"].at(0)["destination"]
    places = [each.place for each in (*spec["hosts"], mirror["host"], mirror["port"]["number"], destination["host"])]
    lines = (repo / TEMPLATE).read_text().splitlines()
    shown = [lines[place.line - 1][place.column - 1 : place.end_column - 1] for place in places if place.path == TEMPLATE]
    assert shown == ["shop", '"shop.example.com"', "old.example.com", "80", "{{ .Chart.Name }}"]
    assert str(destination["port"]["number"].place) == f"{VALUES}:1:7"


WHOLE = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop]
  http:
{{ .Values.http | toYaml | indent 4 }}
"""
RULES = "  - mirror: {host: new.example.com, port: {number: 8080}}\n"
PART = {CHART: "apiVersion: v2\nname: part\nversion: 1.0.0\n", TEMPLATE: WHOLE, VALUES: "http: []\n"}
PARTS = "apiVersion: v2\nname: mesh\nversion: 1.0.0\ndependencies: [{name: part, version: 1.0.0, alias: inner}]\n"


@HELM
@pytest.mark.parametrize("is_packed", [False, True], ids=["a folder", "an archive"])
def test_values_of_a_part_that_are_taken_as_a_whole_are_where_they_are_written(repo: Path, is_packed: bool) -> None:
    write(repo, {CHART: PARTS, VALUES: f"other:\n{RULES}inner:\n  http:\n{RULES}", "clusters/prod/release.yaml": RELEASE})
    write(repo, {path.replace("charts/mesh/", "charts/mesh/charts/part/"): text for path, text in PART.items()})
    write(repo, {"clusters/prod/entry.yaml": "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: x}\n"})
    if is_packed:
        with tarfile.open(repo / "charts/mesh/charts/part-1.0.0.tgz", "w:gz") as file:
            file.add(repo / "charts/mesh/charts/part", "part")
        shutil.rmtree(repo / "charts/mesh/charts/part")
    loaded = read(["."])
    mirror = service(loaded).node["spec"]["http"].at(0)["mirror"]
    assert [str(node.place) for node in (mirror["host"], mirror["port"]["number"])] == [f"{VALUES}:5:20", f"{VALUES}:5:52"]
    assert messages(loaded) == []


def packed(repo: Path, template: str, values: str) -> Manifest:
    """What a part of a chart makes with values, of which but an archive is at hand."""
    write(repo, {CHART: PARTS, VALUES: f"inner:\n{values}", "clusters/prod/release.yaml": RELEASE})
    write(repo, {path.replace("charts/mesh/", "part/"): text for path, text in {**PART, TEMPLATE: template}.items()})
    write(repo, {"clusters/prod/entry.yaml": "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: x}\n"})
    (repo / "charts/mesh/charts").mkdir()
    with tarfile.open(repo / "charts/mesh/charts/part-1.0.0.tgz", "w:gz") as file:
        file.add(repo / "part", "part")
    shutil.rmtree(repo / "part")
    return service(read(["."]))


@HELM
def test_a_value_in_a_list_that_an_archive_takes_as_a_whole_is_where_it_is_written(repo: Path) -> None:
    template = WHOLE.replace(".Values.http |", "(index .Values.routes 0).http |")
    mirror = packed(repo, template, f"  routes:\n  - http:\n  {RULES}").node["spec"]["http"].at(0)["mirror"]
    assert str(mirror["port"]["number"].place) == f"{VALUES}:4:54"


@HELM
def test_a_single_number_in_an_archive_is_not_that_of_another_value_called_so(repo: Path) -> None:
    template = WHOLE.partition("{{")[0] + RULES
    mirror = packed(repo, template, "  other: {port: {number: 8080}}\n").node["spec"]["http"].at(0)["mirror"]
    assert mirror["port"]["number"].place.path == CHART


@HELM
@pytest.mark.parametrize("http", [f"  http:\n{RULES}", "  http: {{ .Values.http | toJson }}\n"], ids=["lines", "another action"])
def test_a_value_that_lines_say_is_not_in_another_one_that_is_the_same(repo: Path, http: str) -> None:
    template = WHOLE.partition("  http:")[0].replace("{name: shop}", "{name: shop, annotations: {a: {{ toJson .Values.http | quote }}}}")
    write(repo, {CHART: "apiVersion: v2\nname: mesh\nversion: 1.0.0\n", TEMPLATE: template + http, VALUES: f"http:\n{RULES}"})
    write(repo, {"clusters/prod/release.yaml": RELEASE})
    number = service(read(["."])).node["spec"]["http"].at(0)["mirror"]["port"]["number"]
    assert number.place.path == TEMPLATE


@HELM
def test_parameters_of_an_application_are_where_they_are_written(repo: Path) -> None:
    mirror = "      host: {{ .Values.mirror.host }}\n      port: {number: {{ .Values.mirror.port }}}\n"
    write(repo, {CHART: "apiVersion: v2\nname: mesh\nversion: 1.0.0\n", TEMPLATE: HEAD + mirror, VALUES: "mirror: {port: 80}\n"})
    helm = "parameters: [{name: mirror.host, value: new.example.com}], values: 'mirror: {host: new.example.com}'"
    application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  destination: {name: prod}\n"
    application += f"  source: {{repoURL: {URL}, path: charts/mesh, helm: {{{helm}}}}}\n"
    write(repo, {"charts/mesh/templates/_helpers.tpl": HELPERS, "argo.yaml": application})
    column = application.splitlines()[5].index("new.example.com") + 1
    made = service(read(["."])).node["spec"]["http"].at(0)["mirror"]
    assert (str(made["host"].place), str(made["port"]["number"].place)) == (f"argo.yaml:6:{column}", f"{VALUES}:1:16")


def test_parameters_from_files_are_a_blind_spot(repo: Path) -> None:
    write(repo, {CHART: "apiVersion: v2\nname: mesh\nversion: 1.0.0\n", TEMPLATE: HEAD, "charts/mesh/host.txt": "new.example.com"})
    source = f"{{repoURL: {URL}, path: charts/mesh, helm: {{fileParameters: [{{name: mirror.host, path: host.txt}}]}}}}"
    write(
        repo,
        {
            "argo.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
            f"spec: {{destination: {{name: prod}}, source: {source}}}\n"
        },
    )
    assert "argo.yaml:4 `fileParameters` are not read, so the chart is not rendered" in messages(read(["."]))


LIBRARY = """{{- define "lib.entry" -}}
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: new}
spec:
  hosts: [new.example.com]
{{- end }}
{{- define "lib.labels" }}app: shop{{ end }}
{{- define "lib.route" -}}
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: shop
  labels:
    {{- include "lib.labels" . | nindent 4 }}
spec:
  hosts: [shop]
  http:
  - route: [{destination: {host: shop}}]
    mirror:
      host: {{ .Values.mirror.host }}
      port: {number: 80}
{{- end }}
{{- define "lib.all" }}
{{- include "lib.route" . }}
{{- end }}
"""


@HELM
@pytest.mark.parametrize("included", ["lib.route", "lib.all"], ids=["itself", "through another one"])
def test_what_a_definition_of_a_library_chart_makes_stands_there(repo: Path, included: str) -> None:
    template = f'{{{{- if .Values.mirror }}}}\n{{{{ include "{included}" . }}}}\n{{{{- end }}}}\n---\n{{{{ include "lib.entry" . }}}}\n'
    write(
        repo,
        {
            CHART: "apiVersion: v2\nname: mesh\nversion: 1.0.0\ndependencies: [{name: lib, version: 1.0.0, repository: 'file://../lib'}]\n",
            TEMPLATE: template,
        },
    )
    write(
        repo,
        {"charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n", "charts/lib/templates/_all.tpl": LIBRARY},
    )
    write(repo, {VALUES: "mirror:\n  host: new.example.com\n", "clusters/prod/release.yaml": RELEASE})
    route, (made,) = service(loaded := read(["."])), loaded.documents.clusters["prod"].of("ServiceEntry")
    mirror = route.node["spec"]["http"].at(0)["mirror"]
    assert [str(route.node.place), str(made.node["spec"]["hosts"].at(0).place), str(mirror["port"]["number"].place)] == [
        "charts/lib/templates/_all.tpl:11:1",
        "charts/lib/templates/_all.tpl:6:11",
        "charts/lib/templates/_all.tpl:22:22",
    ]
    assert str(mirror["host"].place) == f"{VALUES}:2:9"
