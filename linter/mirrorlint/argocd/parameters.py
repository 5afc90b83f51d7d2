"""What an application may ask of the plugin: a committer can set parameters, so they only tighten what the plugin's owner says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mirrorlint.argocd import CLOSED, ENFORCE, FAILURES, MODES, OPEN, WARN

_MODE, _FAILURE, _VALUES = "mode", "on-failure", "values"


class ParameterError(Exception):
    """A parameter that is none, or a value that it can't have."""


class Policy(NamedTuple):
    """Whether findings stop a sync (`mode`), and whether it goes on when they could not be looked for (`on_failure`)."""

    mode: str = ENFORCE
    on_failure: str = OPEN


class Parameters(NamedTuple):
    """What an application asks for: a policy of its own, and files of Helm values."""

    mode: str
    on_failure: str
    values: tuple[str, ...]

    def over(self, policy: Policy) -> Policy:
        """The stricter one of both."""
        return Policy(max(policy.mode, self.mode, key=MODES.index), max(policy.on_failure, self.on_failure, key=FAILURES.index))


def read(environment: Mapping[str, str]) -> Parameters:
    """What `ARGOCD_APP_PARAMETERS` says, which is JSON or `null` (Argo CD, user-guide/config-management-plugins); raises ParameterError."""
    try:
        said = json.loads(environment.get("ARGOCD_APP_PARAMETERS") or "null") or []
        given = {each["name"]: each for each in said}
    except (ValueError, TypeError, KeyError) as error:
        raise ParameterError("`ARGOCD_APP_PARAMETERS` is not what Argo CD writes") from error
    for name in given:
        if name not in (_MODE, _FAILURE, _VALUES):
            raise ParameterError(f"there is no parameter `{name}`: {_MODE}, {_FAILURE}, {_VALUES}")
    return Parameters(
        _word(given, _MODE, MODES), _word(given, _FAILURE, FAILURES), tuple(map(str, given.get(_VALUES, {}).get("array") or ()))
    )


def announced(policy: Policy, *, is_chart: bool) -> str:
    """The announcement of the parameters, a JSON list, with what holds when an application says nothing."""
    said: list[dict[str, Any]] = [
        _announced(_MODE, f"{ENFORCE}: lost shadows stop the sync; {WARN}: they are in the plugin's log", string=policy.mode),
        _announced(_FAILURE, f"{OPEN}: sync although mirrorlint failed; {CLOSED}: do not", string=policy.on_failure),
    ]
    values = _announced(_VALUES, "Files of Helm values, from the application's folder", collectionType="array")
    return json.dumps([*said, values] if is_chart else said)


def _announced(name: str, tooltip: str, **more: str) -> dict[str, Any]:
    return {"name": name, "title": f"mirrorlint: {name}", "tooltip": tooltip, **more}


def _word(given: Mapping[str, Mapping[str, Any]], name: str, words: Sequence[str]) -> str:
    """A parameter's word; the loosest one when it is not given."""
    word = given.get(name, {}).get("string") or words[0]
    if word not in words:
        raise ParameterError(f"the parameter `{name}` is `{word}`, and not one of {', '.join(words)}")
    return str(word)
