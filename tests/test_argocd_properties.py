"""What holds for every application: it loosens nothing, and what is printed is whole."""

from __future__ import annotations

import json
from itertools import product

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mirrorlint.argocd import FAILURES, MODES, rendering
from mirrorlint.argocd.parameters import Policy, read

PIECES = [
    "kind: A\n",
    "---\n",
    "name: b\n",
    "# Source: c\n",
    "[1]\n",
    "text\n",
    "\n",
    "apiVersion: v1\nkind: Service\n",
    "é",
    "\0",
    "{",
    "'",
    "...\n",
]


@pytest.mark.parametrize("asked", [*product(["", *MODES], ["", *FAILURES])])
@pytest.mark.parametrize("owner", [*map(Policy._make, product(MODES, FAILURES))])
def test_an_application_only_tightens(asked: tuple[str, str], owner: Policy) -> None:
    given = [{"name": name, "string": word} for name, word in zip(("mode", "on-failure"), asked, strict=True) if word]
    policy = read({"ARGOCD_APP_PARAMETERS": json.dumps(given)}).over(owner)
    for got, said, wanted, words in zip(policy, owner, asked, (MODES, FAILURES), strict=True):
        assert words.index(got) == max(words.index(said), words.index(wanted or words[0]))


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_what_passes_for_manifests_has_one_and_nothing_else(text: str) -> None:
    if rendering._fault(text.encode()):
        return
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError:
        return  # Argo CD says what is wrong with it
    assert documents
    assert all(isinstance(document, dict) and document["kind"] for document in documents)


@given(st.binary())
def test_any_bytes_are_manifests_or_not(printed: bytes) -> None:
    assert isinstance(rendering._fault(printed), str)
