"""Objects of which the API server has no kind: told with what was meant, and never for kinds that some cluster serves."""

from __future__ import annotations

import pytest

from mirrorlint import check, loads
from mirrorlint.kinds import EARLIER, NOT_READ, SERVED

BODY = "metadata: {name: a}\nspec: {hosts: [a.example.com]}\n"

SLIPS = {
    "a version": ("networking.istio.io/v2", "ServiceEntry", "1:13 networking.istio.io/v1"),
    "an old version": ("networking.istio.io/v1alpha1", "VirtualService", "1:13 networking.istio.io/v1alpha3"),
    "a version of another kind": ("networking.istio.io/v1", "EnvoyFilter", "1:13 networking.istio.io/v1alpha3"),
    "no version": ("networking.istio.io", "VirtualService", "1:13 networking.istio.io/v1"),
    "a group": ("networking.istio/v1", "VirtualService", "1:13 networking.istio.io/v1"),
    "the group of another kind": ("networking.istio.io/v1", "AuthorizationPolicy", "1:13 security.istio.io/v1"),
    "a group of Kubernetes": ("networking.k8s.io/v1", "HTTPRoute", "1:13 gateway.networking.k8s.io/v1"),
    "no group": ("v1", "DestinationRule", "1:13 networking.istio.io/v1"),
    "the case of a kind": ("networking.istio.io/v1", "Virtualservice", "2:7 VirtualService"),
    "a plural": ("networking.istio.io/v1", "ServiceEntrys", "2:7 ServiceEntry"),
    "a kind of the Gateway API": ("gateway.networking.k8s.io/v1", "HttpRoutes", "2:7 HTTPRoute"),
}


@pytest.mark.parametrize(("version", "kind", "expected"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_an_error_with_what_was_meant(version: str, kind: str, expected: str) -> None:
    (finding,) = check(loads({"source": f"apiVersion: {version}\nkind: {kind}\n{BODY}"})).findings
    place, _, meant = expected.partition(" ")
    assert (finding.rule, finding.level, str(finding.place)) == ("broken-document", "error", f"<source>:{place}")
    assert finding.message == f"the API server has no kind `{kind}` of `{version}`, so it refuses this object; did you mean `{meant}`?"


def test_an_object_without_a_version_is_refused() -> None:
    (finding,) = check(loads({"source": f"kind: ServiceEntry\n{BODY}"})).findings
    assert (finding.message, finding.place.line) == (
        "this ServiceEntry has no `apiVersion`, so the API server refuses it; write `apiVersion: networking.istio.io/v1`",
        1,
    )


@pytest.mark.parametrize("directive", ["delete", "replace"])
def test_a_patch_that_is_for_a_whole_object_is_none_itself(directive: str) -> None:
    patch = f"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: a}}\n$patch: {directive}\n"
    report = check(loads({"source": patch}))
    assert (report.findings, report.documents) == ((), 0)
    assert check(loads({"source": patch.replace("$patch: ", "# ")})).findings


def test_a_gateway_of_istio_in_the_group_of_the_other_is_refused() -> None:
    text = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec: {SPEC}\n"
    (finding,) = check(loads({"source": text.replace("SPEC", "selector: {istio: ingressgateway}, servers: []")})).findings
    assert (finding.place.line, finding.message.partition(";")[2]) == (1, " did you mean `networking.istio.io/v1`?")
    assert not check(loads({"source": text.replace("SPEC", "gatewayClassName: istio, listeners: []")})).findings


SERVED_SOMEWHERE = [(version, kind) for served in (SERVED, EARLIER) for version, kinds in served.items() for kind in sorted(kinds)]
OTHERS = [
    *((f"{group}/v1alpha2", kind) for group, kinds in NOT_READ.items() for kind in sorted(kinds)),
    ("gateway.solo.io/v1", "VirtualService"),
    ("appmesh.k8s.aws/v1beta2", "VirtualService"),
    ("networking.x-k8s.io/v1alpha1", "HTTPRoute"),
    ("gateway.networking.x-k8s.io/v1alpha1", "XListenerSet"),
    ("networking.gke.io/v1", "Gateway"),
    ("policy.linkerd.io/v1alpha1", "AuthorizationPolicy"),
    ("networking.istio.io/not-used", "not-used"),
    ("networking.istio.io/VERSION", "VirtualService"),
    ("'networking.istio.io/${VERSION}'", "VirtualService"),
    ("telemetry.istio.io/v1", "Telemetry"),
]


@pytest.mark.parametrize(("version", "kind"), [*SERVED_SOMEWHERE, *OTHERS])
def test_what_some_cluster_serves_or_is_no_slip_is_none(version: str, kind: str) -> None:
    report = check(loads({"source": f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n"}))
    assert "broken-document" not in {finding.rule for finding in report.findings}


@pytest.mark.parametrize("text", ["kind: VirtualService\nname: a\n", "kind: Gateway\nmetadata: {title: a}\n", "kind: Page\n" + BODY])
def test_what_another_program_calls_a_kind_is_no_object(text: str) -> None:
    assert not check(loads({"source": text})).findings


def test_an_object_of_no_kind_takes_no_requests() -> None:
    entry = f"apiVersion: networking.istio.io/v2\nkind: ServiceEntry\n{BODY}---\n"
    mirroring = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: shop}\nspec:\n  hosts: [shop]\n"
    mirroring += "  http: [{route: [{destination: {host: shop}}], mirror: {host: a.example.com, port: {number: 80}}}]\n---\n"
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{name: http, port: 80}]}\n"
    (finding,) = check(loads({"source": entry + mirroring + service})).findings
    assert finding.rule == "broken-document"
    assert [note.message for note in finding.notes] == ["so the shadows of this mirror are lost"]
    assert not finding.fix
