"""What a quote or a bracket has to do with a text being no YAML."""

from __future__ import annotations

from mirrorlint.source.case import KEY, Advice, Case, short

_CLOSING = {"[": "]", "{": "}"}


def open_quote(case: Case) -> Advice | None:
    """A quote that is never closed, or an escape that is none."""
    problem, line, column = case.failure.problem, case.failure.context_line, case.failure.context_column
    if "quoted scalar" not in case.failure.context:
        return None
    if "escape" in problem:
        text = case.here[case.column : case.column + 2]
        return Advice(case.line, case.column, f"`{text}` is no escape of double quotes", "use single quotes")
    if not problem.startswith("found unexpected"):
        return None
    text = case.lines[line][column:]
    return Advice(line, column, f"the quote before `{short(text[1:])}` is never closed", "close it on this line")


def early_quote(case: Case) -> Advice | None:
    """A quote left open swallows what follows up to the next quote, and the fault shows behind that."""
    before = case.here[: case.column].rstrip()
    if not before or before[-1] not in "'\"" or "block" not in case.failure.context:
        return None
    quote = before[-1]
    odd = (n for n in range(case.line - 1, -1, -1) if case.lines[n].count(quote) % 2)
    line = next(odd, -1) if before.count(quote) % 2 else -1
    if line < 0:
        message = f"`{short(case.here[case.column :])}` stands behind the closing quote of its value"
        hint = "let the quotes hold the whole value, and double a single quote inside it"
        return Advice(case.line, case.column, message, hint)
    column = case.lines[line].rindex(quote)
    text = case.lines[line][column + 1 :]
    return Advice(line, column, f"the quote before `{short(text)}` is only closed in line {case.line + 1}", "close it on this line")


def behind_bracket(case: Case) -> Advice | None:
    """`{user}/image:v1`: a value that begins with a bracket ends with its partner."""
    before = case.here[: case.column].rstrip()
    if before[-1:] not in ("]", "}") or "block" not in case.failure.context:
        return None
    rest, key = case.here[case.column :], KEY.match(case.here)
    if not rest.strip(" ]}"):
        return Advice(case.line, case.column, f"`{rest.strip()}` closes nothing that is open", "remove it, or open what it closes")
    whole = short(case.here[key.end() :] if key else case.here)
    message = f"`{short(rest)}` stands behind the `{before[-1]}` that ends its value"
    return Advice(case.line, case.column, message, f"quote it: '{whole}'")


def open_bracket(case: Case) -> Advice | None:
    """A bracket that is never closed, or what has no place in one."""
    failure = case.failure
    if "flow" not in failure.context:
        return None
    line, column = (failure.context_line, failure.context_column) if failure.context_line >= 0 else (-1, 0)
    if failure.context == "while parsing a flow node":
        line, column = _around(case)
    opened = case.lines[line][column:] if line >= 0 else ""
    if not opened:
        return None
    if line == case.line and case.column < len(case.here):
        message = f"`{short(case.here[case.column :])}` has no place within `{short(opened)}`"
        return Advice(case.line, case.column, message, "a comma is missing, or quotes are")
    message = f"`{short(opened)}` {f'opens a `{opened[0]}` that ' if opened[1:] else ''}is never closed"
    return Advice(line, column, message, f"close it with `{_CLOSING.get(opened[0], opened[0])}`")


def _around(case: Case) -> tuple[int, int]:
    """The bracket that is open at the fault, quotes left out of account; line -1 if there is none."""
    closed = 0
    for line in range(case.line, -1, -1):
        text = case.here[: case.column] if line == case.line else case.lines[line]
        for column in range(len(text) - 1, -1, -1):
            closed += (text[column] in "]}") - (text[column] in "[{")
            if closed < 0:
                return line, column
    return -1, 0
