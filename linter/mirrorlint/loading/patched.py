"""What becomes of a value as kustomize puts patches over it, and where each part of the result is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from mirrorlint.source import Node, Place
from mirrorlint.source.place import Origins

_DIRECTIVE = "$patch"
_PUTS, _TAKES = frozenset({"add", "replace"}), frozenset({"move", "copy"})
Changed = Callable[[str, Iterable[Node]], Place]
_LAST = "-"  # behind the last item of a list


class Part:
    """A value on its way: the node that says it, what it has now, and for a list (`under`) the one that it was put over."""

    def __init__(self, node: Node) -> None:
        """As it is written."""
        self.node = node
        self.under: Part | None = None

    @cached_property
    def fields(self) -> dict[str, tuple[Node, Part]]:
        """What a mapping has."""
        return {key.text: (key, Part(value)) for key, value in self.node.entries()}

    @cached_property
    def items(self) -> list[Part]:
        """What a list has."""
        return list(map(Part, self.node))

    @property
    def lists(self) -> Iterator[Part]:
        """A list, and those that it was put over: kustomize may have merged them."""
        part: Part | None = self
        while part is not None:
            yield part
            part = part.under

    def at(self, token: str) -> Part | None:
        """The field of a name, or the item of a number."""
        if self.node.is_sequence:
            return self.items[int(token)] if token.isdecimal() and int(token) < len(self.items) else None
        return self.fields[token][1] if token in self.fields else None

    def copied(self) -> Part:
        """A value that changes by itself."""
        made = Part(self.node)
        made.fields = {name: (key, value.copied()) for name, (key, value) in self.fields.items()}
        made.items = [item.copied() for item in self.items]
        return made

    def says(self, node: Node) -> bool:
        """Whether a value is the same."""
        if node.is_mapping:
            same = self.node.is_mapping and self.fields.keys() == {name for name, _ in node.items()}
            return same and all(self.fields[name][1].says(value) for name, value in node.items())
        if node.is_sequence:
            same = self.node.is_sequence and len(self.items) == len(node)
            return same and all(part.says(item) for part, item in zip(self.items, node, strict=True))
        return self.node.is_scalar and self.node.plain() == node.plain()

    def shared(self, node: Node) -> int:
        """How many of its scalars another value has in the same places."""
        if node.is_mapping:
            return sum(self.fields[name][1].shared(value) for name, value in node.items() if name in self.fields)
        if node.is_sequence:
            return sum(max((part.shared(item) for part in self.items), default=0) for item in node)
        return int(self.says(node))


def put_over(part: Part, patch: Node) -> None:
    """Put a patch over an object: the edits of a JSON patch (RFC 6902), or an object (kyaml, yaml/merge2/merge2.go)."""
    if not patch.is_sequence:
        _merge(part, patch)
    for edit in patch:
        path = _tokens(edit["path"])
        source = _found(part, _tokens(edit["from"])) if edit["op"].text in _TAKES else None
        if edit["op"].text in ("remove", "move"):
            _take(part, path if edit["op"].text == "remove" else _tokens(edit["from"]))
        if source is not None or (edit["op"].text in _PUTS and edit["value"].present):
            _put(part, path, source.copied() if source is not None else Part(edit["value"]), edit)


def _merge(part: Part, patch: Node) -> None:
    part.fields = {} if patch[_DIRECTIVE].text == "replace" else part.fields
    part.node = patch
    for key, value in patch.entries():
        old = part.at(key.text)
        if not value:
            part.fields.pop(key.text, None)
        elif old is not None and value.is_mapping and old.node.is_mapping:
            _merge(old, value)
            part.fields[key.text] = (key, old)
        else:
            made = Part(value)
            made.under = old if value.is_sequence and old is not None and old.node.is_sequence else None
            part.fields[key.text] = (key, made)


def _tokens(pointer: Node) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.text.split("/")[1:]]


def _found(part: Part, tokens: Sequence[str]) -> Part | None:
    found: Part | None = part
    for token in tokens:
        found = found.at(token) if found is not None else None
    return found


def _take(part: Part, tokens: Sequence[str]) -> None:
    holder = _found(part, tokens[:-1])
    if not tokens or holder is None or holder.at(tokens[-1]) is None:
        return
    if holder.node.is_sequence:
        del holder.items[int(tokens[-1])]
    else:
        del holder.fields[tokens[-1]]


def _put(part: Part, tokens: Sequence[str], value: Part, edit: Node) -> None:
    holder = _found(part, tokens[:-1])
    if not tokens or holder is None:
        return
    last = tokens[-1]
    if not holder.node.is_sequence:
        key = holder.fields[last][0] if last in holder.fields else edit["path"]
        holder.fields[last] = (key, value)
    elif last == _LAST or last.isdecimal():
        index = len(holder.items) if last == _LAST else int(last)
        holder.items[index : index + (edit["op"].text == "replace")] = [value]


def locate(built: Node, parts: Sequence[Part], path: Origins, changed: Changed) -> None:
    """Note the places of what is inside a value: of each, that of the first part which says the same, else that of what it is in.

    A scalar that is written otherwise is where `changed` says, given what it is and what is written.
    """
    for key, value in built.entries():
        own = [part.fields[key.text] for part in parts if key.text in part.fields]
        if own:
            path.note(key.raw, own[0][0].place)
        _settle(value, [part for _, part in own], built, path, changed)
    for index, item in enumerate(built):
        every = (_aligned(item, index, part) for one in parts for part in one.lists)
        _settle(item, [part for part in every if part is not None], built, path, changed)


def _settle(value: Node, parts: Sequence[Part], parent: Node, path: Origins, changed: Changed) -> None:
    same = [part for part in parts if part.says(value)]
    likely = same[:1] or [part for part in parts if not value.is_scalar and not part.node.is_scalar]
    other = changed(value.text, [part.node for part in parts]) if value.is_scalar and parts else path.place(parent.raw)
    path.note(value.raw, likely[0].node.place if likely else other)
    locate(value, likely, path, changed)


def _aligned(item: Node, index: int, part: Part) -> Part | None:
    """The item of another list that an item is: the same one, else the one that shares most with it, its index where several do."""
    own = part.items[index : index + 1]
    same = next((each for each in (*own, *part.items) if each.says(item)), None)
    if same is not None:
        return same
    shares = [(each.shared(item), each) for each in part.items]
    best = max((share for share, _ in shares), default=0)
    likely = [each for share, each in shares if best and share == best]
    return next((each for each in (own if len(likely) > 1 else likely) if each in likely), None)
