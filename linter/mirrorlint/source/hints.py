"""Why a text is no YAML, in its author's words: the parser's complaint turned into cause and cure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from mirrorlint.source.case import KEY, Advice, Anchor, Anchors, Case, has_content, short
from mirrorlint.source.enclosed import behind_bracket, early_quote, open_bracket, open_quote
from mirrorlint.source.failure import LINE_END, STRAY_VALUE, Failure

_TEMPLATE = re.compile(r"\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)")
_DASH = re.compile(r"(\s*+(?:- ++)*)(?!- )-([A-Za-z_][\w./-]*):(?=\s|$)")
_TAB = re.compile(r" *(?:- *)?\t")
_NO_BLANK = re.compile(r"(\s*+(?:- ++)*)(?!- )([A-Za-z_][\w.-]*):([^\s/:].*)")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
# An anchor, and the plain text behind it that ends with its line.
_ANCHOR = re.compile(r"(?<![^\s\[{,])&([^\s,\[\]{}]+)(?:[ \t]+([\w./-][^#:,\[\]{}]{0,200})(?=$|#))?")
_OF_RULES = frozenset(
    {"match", "route", "mirror", "mirrors", "mirrorPercentage", "matches", "filters", "backendRefs"}
)  # no `spec` has them
_WORD = re.compile(r"[^\s,\[\]{}]+")


def explain(lines: list[str], failure: Failure, anchors: Anchors) -> Advice:
    """The best account of a failure in a text of these lines, behind other documents; it stands in or right behind a line."""
    line, column = _inside(lines, failure.line, failure.column)
    if failure.context_line >= 0:
        context_line, context_column = _inside(lines, failure.context_line, failure.context_column)
        failure = failure._replace(context_line=context_line, context_column=context_column)
    case = Case(lines, failure, line, column, anchors)
    found = next((advice for cause in _CAUSES if (advice := cause(case))), None)
    problem, context = failure.problem, failure.context
    advice = found or Advice(line, column, f"{problem} {context}".strip())
    line, column = _inside(lines, advice.line, advice.column)
    return advice._replace(line=line, column=column)


def anchor_before(text: str, name: str, line: int) -> Anchor | None:
    """The first anchor of a name in a text, if it is in the first `line` lines."""
    found = _anchors(text).get(name)
    return found if found and found.line <= line else None


@lru_cache(maxsize=1)
def _anchors(text: str) -> Mapping[str, Anchor]:
    found: dict[str, Anchor] = {}
    for number, line in enumerate(LINE_END.split(text), 1):
        for match in _ANCHOR.finditer(line):
            found.setdefault(match[1], Anchor(number, match[2] or ""))
    return found


def repeated(key: str, first_line: int) -> tuple[str, str]:
    """Message and hint for a key that its mapping already has in `first_line` (from 1)."""
    message = f"`{key}` is already a key of this mapping (line {first_line}): readers of YAML refuse it or keep only the last"
    if key == "mirror":
        return message, "several mirrors are a list under `mirrors:`"
    return message, f"keep one `{key}`, or indent the second under the object it belongs to"


def _inside(lines: list[str], line: int, column: int) -> tuple[int, int]:
    """The nearest character that exists, going back."""
    if line >= len(lines):
        line, column = len(lines) - 1, len(lines[-1])
    if not lines[line].strip():
        line = next((n for n in range(line, -1, -1) if lines[n].strip()), line)
        column = len(lines[line])
    return line, min(column, len(lines[line]))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _template(case: Case) -> Advice | None:
    opened = [case.failure.context_line] if "flow" in case.failure.context else []
    for line in [*case.nearby(), *opened]:
        text = case.lines[line]
        if line == case.above:  # what is quoted there was read without a fault
            text = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), text)
        match = _TEMPLATE.search(text)
        if match:
            message = f"`{short(match[0])}` waits for a template engine: this is no YAML yet"
            hint = "render the chart and check what it gives (`helm template`)"
            return Advice(line, match.start(), message, hint, template=True)
    return None


def _tab(case: Case) -> Advice | None:
    for line in case.nearby():
        text = case.lines[line]
        match = _TAB.match(text)
        if match and text.strip():
            message = f"a tab indents `{short(text)}`, and YAML indents with spaces only"
            return Advice(line, match.end() - 1, message, "replace the tab with spaces")
    return None


def _reserved(case: Case) -> Advice | None:
    problem, text = case.failure.problem, case.here[case.column :]
    if "that cannot start any token" not in problem or not text:
        return None
    message = f"`{short(text)}` begins with `{text[0]}`, which YAML keeps for itself"
    return Advice(case.line, case.column, message, f"quote it: '{short(text)}'")


def _alias(case: Case) -> Advice | None:
    unknown = case.failure.problem == "undefined alias"
    if not unknown and case.failure.context not in ("while scanning an alias", "while scanning an anchor"):
        return None
    line, column = (case.line, case.column) if unknown else (case.failure.context_line, case.failure.context_column)
    match = _WORD.match(case.lines[line], column)
    word = match[0] if match else "*"
    anchor = case.anchors(word[1:]) if unknown else None
    if anchor:
        message = f"`{word}` reads as an alias of `&{word[1:]}` in line {anchor.line}, and anchors end with their document"
        return Advice(line, column, message, f"write what is meant: `{short(anchor.value)}`" if anchor.value else "write what is meant")
    if unknown:
        message = f"`{word}` reads as an alias of an anchor, and this document has no `&{word[1:]}`"
    else:
        message = f"`{word}` reads as a YAML {case.failure.context.split()[-1]}, not as a text"
    return Advice(line, column, message, f"quote it: '{word}'")


def _dash(case: Case) -> Advice | None:
    for line in case.nearby(12):
        match = _DASH.match(case.lines[line])
        if match:
            word = match[2]
            message = f"`-{word}:` is a key that begins with a dash, not an item of a list"
            return Advice(line, match.end(1), message, f"put a space behind the dash: `- {word}:`")
    return None


def _no_blank(case: Case) -> Advice | None:
    for line in case.nearby():
        match = _NO_BLANK.match(case.lines[line])
        if match:
            key, value = match[2], match[3]
            message = f"`{short(f'{key}:{value}')}` has no space behind its colon, so it is a text and not a key"
            return Advice(line, match.end(1), message, f"write `{short(f'{key}: {value}')}`")
    return None


def _deeper(case: Case) -> Advice | None:
    """`- number: 80`, and the next key indented deeper than `number`."""
    if not case.failure.problem.startswith("mapping values are not allowed") or case.above < 0:
        return None
    column, above = _indent(case.here), case.lines[case.above]
    match = KEY.match(above)
    first = KEY.match(case.here)
    if not match or not first or first.end() - 1 != case.column or column <= match.end(1):
        return None
    parent = short(above[match.end(1) :])
    message = f"`{short(case.here)}` is indented under `{parent}`, which already has a value"
    hint = f"move it from column {column + 1} to column {match.end(1) + 1}, under `{match[2]}`"
    return Advice(case.line, column, message, hint)


def _second_colon(case: Case) -> Advice | None:
    match = KEY.match(case.here)
    if not case.failure.problem.startswith("mapping values are not allowed") or not match or case.column < match.end():
        return None
    value = short(case.here[match.end() :])
    return Advice(case.line, case.column, f"`{value}` is one value with a second `: ` in it", f"quote it: '{value}'")


def _beside_items(case: Case) -> Advice | None:
    """A key in the column of the list items before it."""
    if case.failure.context != "while parsing a block collection":
        return None
    column, start = _indent(case.here), case.failure.context_line
    message = f"`{short(case.here)}` stands among the items of the list that begins in line {start + 1}"
    owner = next((n for n in range(start - 1, -1, -1) if has_content(case.lines[n])), -1)
    around = KEY.match(case.lines[owner]) if owner >= 0 else None
    item, own = _item(case, column), KEY.match(case.here)
    near = [key for key in (item, around) if key and key.end(1) != column]
    of_rule = [key for key in near if own and {own[2], key[2]} <= _OF_RULES]
    likely = of_rule or ([item] if item and column > case.failure.context_column else near)
    places = [f"to column {key.end(1) + 1}, beside `{key[2]}`" for key in likely]
    return Advice(case.line, column, message, f"move it {', or '.join(places)}" if places else "an item of the list begins with a dash")


def _item(case: Case, column: int) -> re.Match[str] | None:
    """The first key of the list item above that a line in a column breaks off: its dash is not right of the column, its keys are."""
    above = next((line for line in reversed(case.lines[: case.line]) if has_content(line) and _indent(line) <= column), "")
    match = KEY.match(above)
    return match if match and column < match.end(1) else None


def _same_line_list(case: Case) -> Advice | None:
    if not case.failure.problem.startswith("block sequence entries are not allowed"):
        return None
    text = short(case.here[case.column :])
    return Advice(case.line, case.column, f"`{text}` begins a list where none can begin", "put it on the next line, or quote it")


def _lines_up_with_nothing(case: Case) -> Advice | None:
    start = case.failure.context_line
    if "block mapping" not in case.failure.context or start < 0 or start >= case.line:
        return None
    column = _indent(case.here)
    if column < case.column:
        return None
    message = f"`{short(case.here)}` in column {column + 1} lines up with nothing above it"
    if case.here.lstrip().startswith("- "):
        return Advice(case.line, column, message, "the items of a list begin in one column")
    hint = f"the keys of the mapping that begins in line {start + 1} stand in column {case.failure.context_column + 1}"
    item = _item(case, column)
    return Advice(case.line, column, message, f"move it to column {item.end(1) + 1}, beside `{item[2]}`" if item else hint)


def _second_document(case: Case) -> Advice | None:
    if STRAY_VALUE not in case.failure.problem:
        return None
    message = f"`{short(case.here[case.column :])}` stands behind the end of the document"
    return Advice(case.line, case.column, message, "indent it like the rest, or begin a document with `---`")


def _no_colon(case: Case) -> Advice | None:
    failure = case.failure
    if "simple key" not in failure.context or failure.context_line < 0:
        return None
    text = short(case.lines[failure.context_line][failure.context_column :])
    message = f"`{text}` is neither a key with its `: ` nor an item of a list"
    return Advice(failure.context_line, failure.context_column, message)


_CAUSES: tuple[Callable[[Case], Advice | None], ...] = (
    _template,
    _tab,
    _reserved,
    _alias,
    open_quote,
    early_quote,
    behind_bracket,
    open_bracket,
    _dash,
    _no_blank,
    _deeper,
    _second_colon,
    _beside_items,
    _same_line_list,
    _lines_up_with_nothing,
    _second_document,
    _no_colon,
)
