"""The Merkle tree of RFC 6962: hashes, roots and proofs. Pure; where hashes are kept is not its business.

A *range* `(lo, hi)` stands for the hash over leaves lo … hi-1. Proofs are planned as lists of
ranges, so that whoever keeps the hashes can fetch them in one question.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

Range = tuple[int, int]
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(body: bytes) -> bytes:
    """The hash of one leaf."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(lo: int, hi: int) -> int:
    """Where a range of more than one leaf divides: the largest power of two below its length."""
    return lo + (1 << ((hi - lo - 1).bit_length() - 1))


def complete_ranges(lo: int, hi: int) -> list[Range]:
    """The complete subtrees that make up the range, left to right.

    `lo` must be where a subtree of this size can begin, as it is for every range of a proof.
    """
    found = []
    while lo < hi:
        width = 1 << ((hi - lo).bit_length() - 1)
        found.append((lo, lo + width))
        lo += width
    return found


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over the complete subtrees of a range, left to right, as `complete_ranges` has them."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for one in reversed(hashes[:-1]):
        root = node_hash(one, root)
    return root


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that leaf `index` is in the tree of `size` (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError("There is no such leaf.")
    lo, hi, path = 0, size, []
    while hi - lo > 1:
        middle = split(lo, hi)
        if index < middle:
            path.append((middle, hi))
            hi = middle
        else:
            path.append((lo, middle))
            lo = middle
    return path[::-1]


def consistency_ranges(old: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that the tree of `old` grew into that of `size` (2.1.2)."""
    if not 0 <= old <= size:
        raise ValueError("A tree does not shrink.")
    if old in (0, size):
        return []
    lo, hi, whole, path = 0, size, True, []
    while old != hi:
        middle = split(lo, hi)
        if old <= middle:
            path.append((middle, hi))
            hi = middle
        else:
            path.append((lo, middle))
            lo, whole = middle, False
    return ([] if whole else [(lo, hi)]) + path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether `proof` shows that the leaf with this hash stands at `index` under `root`."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(one, found)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, one)
        here, last = here >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(  # noqa: C901 - the algorithm of RFC 9162, 2.1.4.2, step by step.
    old: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that the tree under `root` begins with the one under `old_root`."""
    if not 0 <= old <= size:
        return False
    if old == size:
        return not proof and old_root == root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    here, last = old - 1, size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    before = after = steps[0]
    for one in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            before, after = node_hash(one, before), node_hash(one, after)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            after = node_hash(after, one)
        here, last = here >> 1, last >> 1
    return last == 0 and before == old_root and after == root


class Frontier:
    """The growing tree, kept as its complete subtrees: one hash a leaf, roots on the way."""

    def __init__(self, size: int = 0, subtrees: Iterable[bytes] = ()) -> None:
        """Go on with a tree of `size` leaves whose complete subtrees are these."""
        self.size = size
        self._subtrees = list(subtrees)
        if len(self._subtrees) != size.bit_count():
            raise ValueError("These are not the subtrees of a tree of this size.")

    @property
    def subtrees(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, the largest first: all that growing on needs."""
        return tuple(self._subtrees)

    def add(self, leaf: bytes) -> None:
        """Append the hash of the next leaf."""
        done, size = leaf, self.size
        while size & 1:
            done = node_hash(self._subtrees.pop(), done)
            size >>= 1
        self._subtrees.append(done)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return fold(self._subtrees)


# --- Keeping hashes -----------------------------------------------------------------------------

STRIDE = 4
"""Inner nodes are kept at every fourth level: a fifteenth of the leaves, a proof in one question."""

Place = tuple[int, int]
"""(level, index): the complete subtree over leaves index << level … (index + 1) << level."""


def kept_places(ranges: Iterable[Range]) -> set[Place]:
    """The places that must be fetched to know the hashes of `ranges`."""
    wanted: set[Place] = set()
    for lo, hi in ranges:
        for start, end in complete_ranges(lo, hi):
            level = (end - start).bit_length() - 1
            base = level - level % STRIDE
            wanted.update((base, index) for index in range(start >> base, end >> base))
    return wanted


def range_hash(lo: int, hi: int, kept: Callable[[Place], bytes]) -> bytes:
    """The hash of a range from the hashes that are kept; raises what `kept` raises."""
    parts = []
    for start, end in complete_ranges(lo, hi):
        level = (end - start).bit_length() - 1
        base = level - level % STRIDE
        row = [kept((base, index)) for index in range(start >> base, end >> base)]
        parts.append(_join(row))
    return fold(parts)


def grown(
    first: int, leaves: Sequence[bytes], kept: Callable[[Place], bytes]
) -> dict[Place, bytes]:
    """The inner nodes that become complete when `leaves` are appended at index `first`.

    `kept` gives what was there before: see `needed_to_grow`.
    """
    made: dict[Place, bytes] = {}
    below = {first + offset: leaf for offset, leaf in enumerate(leaves)}
    level, start, end = 0, first, first + len(leaves)
    while end >> STRIDE > start >> STRIDE:
        above: dict[int, bytes] = {}
        for index in range(start >> STRIDE, end >> STRIDE):
            children = range(index << STRIDE, (index + 1) << STRIDE)
            above[index] = _join(
                [below[one] if one in below else kept((level, one)) for one in children]
            )
        level, start, end, below = level + STRIDE, start >> STRIDE, end >> STRIDE, above
        made.update({(level, index): value for index, value in above.items()})
    return made


def needed_to_grow(first: int, count: int) -> set[Place]:
    """The places whose hashes `grown` asks for."""
    wanted: set[Place] = set()
    level, start, end = 0, first, first + count
    while end >> STRIDE > start >> STRIDE:
        wanted.update((level, one) for one in range(start >> STRIDE << STRIDE, start))
        level, start, end = level + STRIDE, start >> STRIDE, end >> STRIDE
    return wanted


def _join(row: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    while len(row) > 1:
        row = [node_hash(row[one], row[one + 1]) for one in range(0, len(row), 2)]
    return row[0]
