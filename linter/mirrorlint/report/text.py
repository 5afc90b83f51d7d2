"""The report for people: each finding above its source lines, what was not judged, and one line that sums up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, takewhile
from typing import NamedTuple

from mirrorlint.delivery.reason import ELSEWHERE, STAYS
from mirrorlint.delivery.worlds import UNSUFFIXED, WORLD_WORDS, WORLDS
from mirrorlint.fleet import BlindSpot
from mirrorlint.level import ERROR, WARNING
from mirrorlint.report import cells, clean, ink, told, without_repeats
from mirrorlint.rule import ALL_ARRIVE, NONE_ARRIVE, SOME_ARRIVE, UNKNOWN_FATE, Finding, MirrorFate, Report
from mirrorlint.source import Place

_VERSIONS = {world: f"with {words}" for world, words in WORLD_WORDS.items()}
# What becomes of a mirror's shadows: of one mirror, of several, and in a list of such figures.
_FATES = {
    ALL_ARRIVE: ("arrives", "arrive"),
    **{world: (f"arrives only {version}", f"arrive only {version}") for world, version in _VERSIONS.items()},
    SOME_ARRIVE: ("arrives in part", "arrive in part"),
    NONE_ARRIVE: ("is lost", "are lost"),
    STAYS: ("stays in its own cluster", "stay in their own cluster"),
    ELSEWHERE: ("leads elsewhere", "lead elsewhere"),
    UNKNOWN_FATE: ("is unknown", "are unknown"),
}
_LISTED = {SOME_ARRIVE: ("in part", "in part")}

_RED, _YELLOW, _BLUE, _CYAN = "1;31", "1;33", "1;34", "1;36"
_INKS = {ERROR: _RED, WARNING: _YELLOW}
_TAB = " " * 4
_INDENT = " " * 4
_LEAST_WIDTH = 40
_NOTES = 8  # of a finding are shown
_OF_A_KIND = 10  # blind spots are shown
# What is quoted, an object that a message begins with, and figures.
_NAMES = re.compile(r"`[^`]*`|^[A-Z]\w+ \S+|\d+")


class _Paper(NamedTuple):
    lines: Callable[[str], Sequence[str]]
    color: bool
    width: int

    def ink(self, style: str, text: str) -> str:
        return ink(style, text, color=self.color)

    def wrap(self, text: str, first: str, rest: str) -> list[str]:
        """Break a sentence between words, behind a lead for its first line and one for the others."""
        done: list[str] = []
        lead, words = first, list[str]()
        for word in clean(text).split():
            if words and cells(lead + " ".join([*words, word])) > self.width:
                done.append(lead + " ".join(words))
                lead, words = rest, []
            words.append(word)
        return [*done, (lead + " ".join(words)).rstrip(" ")]

    def tagged(self, style: str, tag: str, text: str) -> Iterator[str]:
        """Put a sentence behind a coloured tag."""
        first, *others = self.wrap(text, tag + " ", _INDENT)
        yield self.ink(style, tag) + first[len(tag) :]
        yield from others


class _Pointer(NamedTuple):
    """A place to show, whose it is, and how it is marked."""

    place: Place
    owners: tuple[str, ...]
    mark: str
    style: str
    label: str = ""


class _Excerpt(NamedTuple):
    """A source line as it is shown; its marked part in terminal cells."""

    text: str
    offset: int
    length: int


def render(
    report: Report,
    lines: Callable[[str], Sequence[str]],
    *,
    color: bool = False,
    verbose: bool = False,
    width: int = 100,
    is_own: Callable[[str], bool] = bool,
    expected: bool = False,
) -> str:
    """Show a report; `lines` gives a file's source lines, none when it is unknown; `is_own` says of a file whether `fix` writes it.

    Verbose adds a line for each mirror, and all blind spots of a kind; `expected` tells that contracts of peers say what they send.
    """
    paper = _Paper(lines, color, max(width, _LEAST_WIDTH))
    blocks = ["\n".join([*_finding(paper, finding), *_mending(paper, finding, is_own)]) for finding in report.findings]
    if verbose:
        blocks.append("\n".join(line for mirror in report.mirrors for line in _delivery(paper, mirror)))
    unjudged = _unjudged(without_repeats(report.blind_spots), len(report.blind_spots) if verbose else _OF_A_KIND)
    blocks.append("\n".join(line for text in unjudged for line in paper.tagged(_CYAN, "not judged:", text)))
    summary = "\n".join([_summary(report), *_hints(report, expected)])
    return "\n\n".join([*filter(None, blocks), summary]) + "\n"


def brief(report: Report, lines: Callable[[str], Sequence[str]], *, color: bool = False, strict: bool = False) -> str:
    """A line for each finding and, where blind spots fail a run (`strict`), for each of those; no more."""
    paper = _Paper(lines, color, _LEAST_WIDTH)
    spots = without_repeats(report.blind_spots) if strict else ()
    unjudged = (f"{paper.ink(_CYAN, 'not judged:')} {clean(told(spot))}" for spot in spots)
    return "".join(f"{line}\n" for line in (*(_brief(paper, finding) for finding in report.findings), *unjudged))


def _tag(finding: Finding) -> str:
    return clean(f"{finding.level}[{finding.rule}]:")


def _brief(paper: _Paper, finding: Finding) -> str:
    style = _INKS.get(finding.level, _YELLOW)
    return f"{clean(str(finding.place))}: {paper.ink(style, _tag(finding))} {clean(finding.message)}".rstrip(" ")


def _finding(paper: _Paper, finding: Finding) -> Iterator[str]:
    style = _INKS.get(finding.level, _YELLOW)
    yield from paper.tagged(style, _tag(finding), finding.message)
    notes, gutter = finding.notes[:_NOTES], _gutter(finding)
    yield from _frame(paper, gutter, _Pointer(finding.place, (finding.cluster, finding.object), "^", style))
    if set(finding.worlds) != set(WORLDS):
        for world in finding.worlds:
            yield from _remark(paper, gutter, _version(world))
    above = (finding.place, finding.cluster)
    for note in notes:
        if (note.place, note.cluster) == above:
            yield from _remark(paper, gutter, note.message)
        else:
            yield from _frame(paper, gutter, _Pointer(note.place, (note.cluster,), "-", _BLUE, note.message))
        above = (note.place, note.cluster)
    if len(notes) < len(finding.notes):
        yield from _remark(paper, gutter, f"{len(finding.notes) - len(notes)} more places are in the JSON report")


def _mending(paper: _Paper, finding: Finding, is_own: Callable[[str], bool]) -> Iterator[str]:
    """What `fix` does about a finding."""
    if finding.fix:
        own = all(is_own(edit.node.path) for edit in finding.fix)
        text = "mends this" if own else "prints the patch that mends this, which is for another repository"
        yield from _remark(paper, _gutter(finding), f"`mirrorlint fix` {text}")


def _gutter(finding: Finding) -> int:
    """The width of the line numbers that are shown."""
    return max(len(str(place.line)) for place in (finding.place, *(note.place for note in finding.notes[:_NOTES])))


def _remark(paper: _Paper, gutter: int, text: str) -> Iterator[str]:
    lead = " " * (gutter + 1)
    for line in paper.wrap(text, f"{lead}= ", f"{lead}  ") if text else ():
        yield paper.ink(_BLUE, line[: gutter + 2]) + line[gutter + 2 :]


def _frame(paper: _Paper, gutter: int, pointer: _Pointer) -> Iterator[str]:
    """Show a place, the source line that stands there, and a marker below it."""
    place, owners, mark, style, label = pointer
    yield paper.ink(_BLUE, " " * gutter + "-->") + clean(f" {_owned(place, *owners)}")
    source = paper.lines(place.path)
    if not 1 <= place.line <= len(source):
        yield from _remark(paper, gutter, label)
        return
    bar = paper.ink(_BLUE, " " * gutter + " |")
    room = paper.width - gutter - 3
    text, offset, length = _excerpt(source[place.line - 1], place, room)
    yield bar
    yield paper.ink(_BLUE, f"{place.line:>{gutter}} |") + f" {text}".rstrip(" ")
    first, *others = _label(paper, label, offset, length, gutter)
    yield f"{bar} {' ' * offset}{paper.ink(style, mark * length)}{first}"
    yield from (f"{bar} {line}" for line in others)


def _label(paper: _Paper, text: str, offset: int, length: int, gutter: int) -> list[str]:
    """Split a label into what stands behind the marker and the lines below it, where one that is too long begins."""
    begin = gutter + 3
    behind = f" {' '.join(clean(text).split())}".rstrip(" ")
    if not behind or begin + offset + length + cells(behind) <= paper.width:
        return [behind]
    lead = " " * min(offset, max(paper.width - begin - _LEAST_WIDTH, 0))
    return ["", *paper._replace(width=paper.width - begin).wrap(text, lead, lead)]


def _excerpt(line: str, place: Place, room: int) -> _Excerpt:
    """Fit the source line around a place in `room` cells; of several lines the first is marked, to its end."""
    line = line.rstrip("\r\n")
    start = min(max(place.column, 1) - 1, len(line))
    end = max(start, place.end_column - 1) if place.end_line <= place.line else len(line)
    before, marked, after = (clean(part.replace("\t", _TAB)) for part in (line[:start], line[start:end], line[end:]))
    if cells(before) + cells(marked) + cells(after) > room:
        before, marked, after = _around(before, marked, after, room)
    return _Excerpt(before + marked + after, cells(before), max(1, cells(marked)))


def _around(before: str, marked: str, after: str, room: int) -> tuple[str, str, str]:
    kept = _cut(marked, room - 2)
    marked, after = kept, after if kept == marked else ""
    spare = room - cells(marked)
    before = _cut(before[::-1], max(spare // 2, spare - cells(after)))[::-1]
    return before, marked, _cut(after, spare - cells(before))


def _cut(text: str, room: int) -> str:
    """Keep the beginning that fits in `room` cells, with `…` for the rest."""
    if cells(text) <= room:
        return text
    fitting = takewhile(lambda used: used < room, accumulate(map(cells, text)))
    return text[: sum(1 for _ in fitting)] + "…"


def _delivery(paper: _Paper, mirror: MirrorFate) -> Iterator[str]:
    """Where a mirror stands, and what becomes of its shadows in each world."""
    fates = {world: _FATES.get(fate, _FATES[UNKNOWN_FATE])[0] for world, fate in sorted(mirror.delivery.items())}
    told = ", ".join(f"{fate} {_version(world)}" for world, fate in fates.items())
    if mirror.leads in _FATES:
        told = _FATES[mirror.leads][0]
    elif len(set(fates.values())) == 1 and set(fates) == set(WORLDS):
        told = f"{fates[UNSUFFIXED]} with every Istio"
    where = _owned(mirror.place, mirror.cluster, mirror.object)
    return paper.tagged(_CYAN, "mirror:", f"{where} to {mirror.target} {told or _FATES[UNKNOWN_FATE][0]}")


def _owned(place: Place, *owners: str) -> str:
    named = ", ".join(filter(None, owners))
    return f"{place} ({named})" if named else str(place)


def _version(world: str) -> str:
    return _VERSIONS.get(world, f"with Istio {world}")


def _unjudged(spots: Sequence[BlindSpot], shown: int) -> Iterator[str]:
    """What was not judged: of what differs in names and figures alone so many are shown, and how many more there are."""
    every = Counter(_kind(spot) for spot in spots)
    seen = Counter[str]()
    for spot in spots:
        kind = _kind(spot)
        seen[kind] += 1
        if seen[kind] <= shown:
            yield told(spot)
        if seen[kind] == shown and every[kind] > shown:
            yield f"{every[kind] - shown:,} more like the one above, which `-v` lists"


def _kind(spot: BlindSpot) -> str:
    """A blind spot's message without the names and figures in it."""
    return _NAMES.sub("", spot.message)


def _summary(report: Report) -> str:
    counts = (
        (report.count(ERROR), "error", "errors"),
        (report.count(WARNING), "warning", "warnings"),
        (len(without_repeats(report.blind_spots)), "blind spot", "blind spots"),
        (report.suppressed, "suppressed", "suppressed"),
        (report.baselined, "in the baseline", "in the baseline"),
    )
    found = ", ".join(_number(*count) for count in counts if count[0]) or "No findings"
    read = f"{_number(report.files, 'file', 'files')}, {_number(report.documents, 'document', 'documents')}"
    return f"{_mirrors(report)}. {found} ({read})."


def _hints(report: Report, expected: bool) -> Iterator[str]:
    """Which commands say more."""
    if any(_fate(mirror) == UNKNOWN_FATE for mirror in report.mirrors):
        yield "`mirrorlint trace` shows where the unknown ones lead."
    if expected and not report.mirrors:
        yield "`mirrorlint contract verify` follows what the contracts of peers say that they send."


def _mirrors(report: Report) -> str:
    """How many mirrors there are, and how many share each fate; what is written of others may be what findings are about."""
    mirrors = report.mirrors
    if not mirrors:
        told = report.findings or report.suppressed or report.baselined
        return "no mirror takes effect" if told else "no mirrors found"
    tally = Counter(map(_fate, mirrors))
    total = _number(len(mirrors), "mirror", "mirrors")
    if len(tally) == 1:
        return f"{total} {_FATES[next(iter(tally))][len(mirrors) > 1]}"
    listed = [_number(tally[fate], *_LISTED.get(fate, told)) for fate, told in _FATES.items() if tally[fate]]
    return f"{total}: {', '.join(listed)}"


def _fate(mirror: MirrorFate) -> str:
    """One word for both worlds: a world's name when all arrive in that one and none in the other."""
    if mirror.leads in (STAYS, ELSEWHERE):
        return mirror.leads
    delivery = mirror.delivery
    fates = set(delivery.values())
    if not fates or not fates <= {ALL_ARRIVE, SOME_ARRIVE, NONE_ARRIVE}:
        return UNKNOWN_FATE
    if fates == {ALL_ARRIVE, NONE_ARRIVE}:
        return next((world for world in WORLDS if delivery.get(world) == ALL_ARRIVE), SOME_ARRIVE)
    return fates.pop() if len(fates) == 1 else SOME_ARRIVE


def _number(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
