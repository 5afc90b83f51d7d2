"""What rules don't say: beside its page's Good examples, where each one keeps quiet."""

from __future__ import annotations

from pathlib import Path

import pages
import pytest
from test_pages import linted


@pytest.mark.parametrize("host", ["stage.internal", "stage-gatewy.example.com"])
def test_a_mirror_that_settings_call_external_is_meant_to_lead_elsewhere(host: str, tmp_path: Path) -> None:
    files = pages.read("mirror-leads-elsewhere").bad("")
    settings = files[".mirrorlint.yaml"].replace("{paths: [prod]}", f"{{paths: [prod], external: [{host}]}}")
    assert linted({**files, ".mirrorlint.yaml": settings}, tmp_path).findings == ()
