"""Patterns of paths, as Argo CD matches them; a hostile one costs no more time than any other."""

from __future__ import annotations

import re

_BRACES = re.compile(r"\{([^{}]*)\}")
_LITERAL = re.compile(r"[^*?{]+")
_MAX_ALTERNATIVES = 16
_TOKENS = re.compile(r"\*\*/|\*+|.", re.DOTALL)


def matches(pattern: str, path: str) -> bool:
    """Whether a relative path fits a pattern: `*` stays inside of a folder's name, `**` does not, `{a,b}` is either."""
    begins = _LITERAL.match(pattern)
    if begins and not path.startswith(begins[0]):
        return False
    return any(_fits(_TOKENS.findall(each), path) for each in _alternatives(pattern))


def _alternatives(pattern: str) -> list[str]:
    """A pattern without braces for each choice; what would be too many stays as it is written."""
    waiting: list[str] = [pattern]
    done: list[str] = []
    while waiting and len(waiting) + len(done) <= _MAX_ALTERNATIVES:
        current = waiting.pop()
        braces = _BRACES.search(current)
        if braces:
            waiting += [current[: braces.start()] + one + current[braces.end() :] for one in braces[1].split(",")]
        else:
            done.append(current)
    return [*done, *waiting]


def _fits(tokens: list[str], path: str) -> bool:
    """Follow all ways through the tokens at once."""
    states = _reached({0}, tokens, starting=True)
    for character in path:
        ahead = {
            state + (not tokens[state].startswith("*")) for state in states if state < len(tokens) and _takes(tokens[state], character)
        }
        states = _reached(ahead, tokens, starting=character == "/")
    return len(tokens) in states


def _takes(token: str, character: str) -> bool:
    if token in ("*", "?"):
        return character != "/"
    return token.startswith("**") or token == character


def _reached(states: set[int], tokens: list[str], *, starting: bool) -> set[int]:
    """States with those behind wildcards that may end here: `**/` ends where a folder's name starts."""
    found = set(states)
    for state in range(min(states, default=len(tokens)), len(tokens)):
        if state in found and (set(tokens[state]) == {"*"} or (tokens[state] == "**/" and starting)):
            found.add(state + 1)
    return found
