"""mirrorlint: whether every mirrored request of one cluster arrives at a workload of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mirrorlint.api import Call, Fleet, check, load, loads

__all__ = ["Call", "Fleet", "check", "load", "loads"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the API when it is first asked for, so that the command line starts at once."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mirrorlint import api

    return getattr(api, name)


def __dir__() -> list[str]:
    """What there is to complete in a notebook."""
    return sorted([*globals(), *__all__])
