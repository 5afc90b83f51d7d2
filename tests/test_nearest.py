"""What is noted beside a host, a port or a subset that is missing."""

from __future__ import annotations

import pytest
from pair import PROD, STAGE

from mirrorlint import check, loads
from mirrorlint.rule import Finding

ELSEWHERE = PROD.replace("{name: stage}", "{name: stage, namespace: egress}").replace("{name: shop}", "{name: shop, namespace: shop}")
SIDECAR = """\
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec:
  egress:
"""
AT_8080 = "  - port: {number: 8080, name: http, protocol: HTTP}\n    hosts:\n    - "
DOWN = ELSEWHERE.replace("{port: 80, name: http}", "{port: 8080, name: http}") + "      port: {number: 80}\n" + SIDECAR


def only(prod: str) -> Finding:
    (finding,) = check(loads({"prod": prod, "stage": STAGE.replace("shop.default-shadow]", "'*']")})).findings
    return finding


def noted(finding: Finding, source: str) -> list[tuple[str, str]]:
    lines = source.splitlines()
    return [(lines[note.place.line - 1][note.place.column - 1 :], note.message) for note in finding.notes if note.cluster == "prod"]


@pytest.mark.parametrize(
    ("egress", "note"),
    [
        (f"{AT_8080}./*\n", ("./*", "Sidecar shop/default does not import it")),
        (f"{AT_8080}'*/*'\n", ("8080, name: http, protocol: HTTP}", "Sidecar shop/default imports it for port 8080 alone")),
    ],
)
def test_a_sidecar_that_hides_an_exported_entry_is_noted(egress: str, note: tuple[str, str]) -> None:
    prod = DOWN + egress
    finding = only(prod)
    assert "`stage-gateway.example.com` is not visible in namespace `shop`" in finding.message
    assert noted(finding, prod) == [note]


def test_a_port_that_an_entry_lacks_is_not_the_sidecars_fault() -> None:
    prod = ELSEWHERE + "      port: {number: 81}\n" + SIDECAR + "  - hosts: [./*]\n"
    finding = only(prod)
    assert "`stage-gateway.example.com` has no port 81, only 80: " in finding.message
    assert noted(finding, prod) == [("80, name: http, protocol: HTTP}]", "ServiceEntry egress/stage has 80")]
