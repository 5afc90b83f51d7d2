"""How bad a finding is."""

from __future__ import annotations

ERROR, WARNING, OFF = "error", "warning", "off"
LEVELS = (OFF, WARNING, ERROR)
