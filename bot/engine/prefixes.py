"""Keys and values kept for prompts to come: a radix tree over token ids, so that what many share is kept once.

Tokens are compared one by one, never by a hash alone: nobody is answered from the text of somebody else.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

Rows = list[Tensor]
"""Of one stretch of tokens: keys and values of every layer, each [heads, tokens, size]."""


class _Node:
    """A stretch of tokens behind its parent's, with its rows."""

    def __init__(self, parent: "_Node | None", tokens: list[int], rows: Rows) -> None:
        self.parent = parent
        self.tokens = tokens
        self.rows = rows
        self.children: dict[int, _Node] = {}

    @property
    def bytes(self) -> int:
        return sum(part.nbytes for part in self.rows)

    def shared(self, tokens: Sequence[int], at: int) -> int:
        """How many of the stretch's tokens stand in `tokens` from `at` on."""
        most = min(len(self.tokens), len(tokens) - at)
        if self.tokens[:most] == tokens[at : at + most]:
            return most
        return next(number for number in range(most) if self.tokens[number] != tokens[at + number])


class PrefixStore:
    """Holds at most `budget` bytes; what was not used for the longest time goes first."""

    def __init__(self, *, budget: int) -> None:
        self.budget = budget
        self.bytes = 0
        self._roots: dict[str, _Node] = {}
        self._by_use: OrderedDict[_Node, None] = OrderedDict()

    def __len__(self) -> int:
        """Stretches kept."""
        return len(self._by_use)

    def find(self, tokens: list[int], *, space: str = "") -> Iterator[tuple[int, int, Rows]]:
        """The longest kept beginning of `tokens`, as stretches: start, end, and rows of at least that many tokens.

        A space is one model with its adapter: rows of one mean nothing in another.
        """
        node = self._roots.get(space)
        at = 0
        while node is not None and at < len(tokens):
            child = node.children.get(tokens[at])
            if child is None:
                break
            count = child.shared(tokens, at)
            yield at, at + count, child.rows
            at += count
            node = child
            if count < len(child.tokens):
                break
        self._use(node)

    def keep(self, tokens: list[int], read: Callable[[int, int], Rows], *, space: str = "") -> None:
        """Keep what is new of `tokens`; `read(start, end)` copies the rows of that stretch."""
        if not self.budget:
            return
        node = self._roots.setdefault(space, _Node(None, [], []))
        at = 0
        while at < len(tokens) and (child := node.children.get(tokens[at])) is not None:
            count = child.shared(tokens, at)
            node = child if count == len(child.tokens) else self._split(child, count)
            at += count
        if at < len(tokens):
            leaf = _Node(node, tokens[at:], read(at, len(tokens)))
            node.children[tokens[at]] = leaf
            self.bytes += leaf.bytes
            node = leaf
        self._use(node)
        while self.bytes > self.budget:
            self._forget(next(iter(self._by_use)))

    def _use(self, node: _Node | None) -> None:
        """Note the use of a node and of all before it; children come before parents, so the oldest is a leaf."""
        while node is not None and node.parent is not None:
            self._by_use[node] = None
            self._by_use.move_to_end(node)
            node = node.parent

    def _split(self, node: _Node, count: int) -> _Node:
        """Make the first `count` tokens a node of their own. Both parts are copied, so that each can be freed."""
        parent = node.parent
        if parent is None:
            raise ValueError("a root holds no tokens")
        upper = _Node(parent, node.tokens[:count], [part[:, :count].clone() for part in node.rows])
        parent.children[upper.tokens[0]] = upper
        node.parent, node.tokens = upper, node.tokens[count:]
        node.rows = [part[:, count:].clone() for part in node.rows]
        upper.children[node.tokens[0]] = node
        self._use(upper)
        return upper

    def _forget(self, leaf: _Node) -> None:
        del self._by_use[leaf]
        if leaf.parent is not None:
            del leaf.parent.children[leaf.tokens[0]]
        self.bytes -= leaf.bytes
