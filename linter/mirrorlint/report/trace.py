"""The trace for people: each call's shadows hop by hop, with the line that decides each hop, and where they end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from mirrorlint.delivery.reason import ARRIVES, ELSEWHERE, OUTCOMES, STAYS, UNJUDGED, UNKNOWN
from mirrorlint.delivery.steps import Step, steps
from mirrorlint.delivery.way import LOST, SOME, Call, Way
from mirrorlint.delivery.worlds import WORLD_WORDS
from mirrorlint.report import cells, clean, ink, padded
from mirrorlint.rule import quoted

_INKS = {ARRIVES: "1;32", STAYS: "1;32", LOST: "1;31", SOME: "1;33", UNKNOWN: "1;33", ELSEWHERE: "1;33"}
_BOLD, _DIM = "1", "2"
_INDENT = "  "
_HOSTS = 8  # of calls that fare alike are shown


class Trace(NamedTuple):
    """A call, for each world the ways of its shadows, the calls whose shadows go the same ways, and `why` it mirrors nothing if so."""

    call: Call
    ways: Mapping[str, tuple[Way, ...]]
    others: Sequence[Call] = ()
    why: str = ""


class _Line(NamedTuple):
    """A hop, and the worlds that it is taken in."""

    step: Step
    worlds: tuple[str, ...]


def render(traces: Sequence[Trace], *, color: bool = False) -> str:
    """One block for each call; hops that both worlds share are shown once, others under their versions."""
    blocks = ["\n".join(_block(trace, color)) for trace in traces]
    return "\n\n".join(blocks or ["no mirror was found"]) + "\n"


def _block(trace: Trace, color: bool) -> Iterator[str]:
    yield ink(_BOLD, _title(trace.call), color=color)
    if trace.others:
        yield clean(f"{_INDENT}likewise {_listed([each.host for each in trace.others])}")
    most = max((len(ways) for ways in trace.ways.values()), default=0)
    if not most:
        yield clean(f"{_INDENT}mirrors nothing{trace.why and ': '}{trace.why}")
    for index in range(most):
        if index:
            yield ""
        yield from _shadow({world: ways[index] for world, ways in trace.ways.items() if index < len(ways)}, color)


def _listed(hosts: Sequence[str]) -> str:
    """The hosts of calls, and how many these are."""
    distinct = list(dict.fromkeys(hosts))
    shown = quoted(distinct[:_HOSTS]) + (" and others" if len(distinct) > _HOSTS else "")
    return f"{len(hosts):,} {'call' if len(hosts) == 1 else 'calls'} more, to {shown}"


def _title(call: Call) -> str:
    """The call in words; what is usual goes without saying."""
    where = f"through {call.cluster}'s ingress gateway" if call.gateway else f"from {call.namespace} in {call.cluster}"
    labels = ", ".join(f"{name}={value}" for name, value in sorted(call.labels.items()) if not call.gateway)
    headers = "".join(f", {name}: {value}" for name, value in sorted(call.headers.items()))
    pod = f" (pod labels {labels})" if labels else ""
    return clean(f"{call.method} {call.path} to `{call.host}`, port {call.port}, {where}{pod}{headers}")


def _shadow(ways: Mapping[str, Way], color: bool) -> Iterator[str]:
    """One shadow's hops in all worlds, then where it ends in each."""
    lines = _merged({world: steps(way, world) for world, way in ways.items()})
    columns = zip(*(_columns(line.step) for line in lines), strict=True)
    wide = [max(map(cells, column)) for column in columns]
    shown = every = tuple(ways)
    nested = any(line.worlds != every for line in lines)
    for line in lines:
        if line.worlds not in (shown, every):
            yield f"{_INDENT}{ink(_BOLD, WORLD_WORDS[line.worlds[0]], color=color)}"
        shown = line.worlds
        before, behind = (_INDENT, _INDENT * nested) if shown == every else (_INDENT * 2, "")
        yield before + _row(line.step, wide, color, behind)
    yield f"{_INDENT}=> " + "; ".join(_fates(ways, color))


def _columns(step: Step) -> tuple[str, str, str]:
    """The kind of hop, its cluster, and its place."""
    place = step.node.place
    return clean(step.what), clean(step.cluster), clean(f"{place.path}:{place.line}")


def _row(step: Step, wide: Sequence[int], color: bool, gap: str) -> str:
    what, cluster, place = map(padded, _columns(step), wide)
    told = ink(_INKS.get(step.what, ""), what, color=color)
    return f"{told}{gap}  {cluster}  {ink(_DIM, place, color=color)}  {clean(step.text)}"


def _merged(told: Mapping[str, Sequence[Step]]) -> list[_Line]:
    """The hops of all worlds in order, those that two worlds share once."""
    worlds = tuple(told)
    if len(worlds) == 1:
        return [_Line(step, worlds) for step in told[worlds[0]]]
    first, second = (told[world] for world in worlds)
    lines: list[_Line] = []
    for tag, start, end, other, other_end in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [_Line(step, worlds) for step in first[start:end]]
        else:
            lines += [_Line(step, worlds[:1]) for step in first[start:end]]
            lines += [_Line(step, worlds[1:]) for step in second[other:other_end]]
    return lines


def _fates(ways: Mapping[str, Way], color: bool) -> Iterator[str]:
    """Where a shadow ends: said once when all worlds agree."""
    fates = {world: _fate(way, color) for world, way in ways.items()}
    if len(set(fates.values())) == 1:
        yield next(iter(fates.values()))
    else:
        yield from (f"{fate} with {WORLD_WORDS[world]}" for world, fate in fates.items())


def _fate(way: Way, color: bool) -> str:
    what = UNKNOWN if way.reason in UNJUDGED else way.outcome
    why = "" if way.reason in OUTCOMES else f" ({way.reason})"
    return ink(_INKS[what], what, color=color) + why
