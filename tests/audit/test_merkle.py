"""The tree against RFC 6962's own vectors, against an independent library, and against tampering."""

import random

import pytest
from pymerkle import InmemoryTree

from app.audit import merkle

# RFC 6962's reference tree of eight leaves, as Certificate Transparency's own tests have it.
VECTOR = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
          "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
MOST = 600


@pytest.fixture(scope="module")
def leaves():
    return [merkle.leaf_hash(str(one).encode()) for one in range(MOST)]


def root_of(leaves, lo, hi):
    """The definition of RFC 6962, 2.1, word for word; slow and plain."""
    if hi - lo == 0:
        return merkle.EMPTY_ROOT
    if hi - lo == 1:
        return leaves[lo]
    middle = merkle.split(lo, hi)
    return merkle.node_hash(root_of(leaves, lo, middle), root_of(leaves, middle, hi))


def proof(leaves, ranges):
    return [root_of(leaves, lo, hi) for lo, hi in ranges]


def test_the_published_roots():
    tree = merkle.Frontier()
    found = {}
    for one in VECTOR:
        tree.add(merkle.leaf_hash(bytes.fromhex(one)))
        found[tree.size] = tree.root().hex()
    assert {size: found[size] for size in ROOTS} == ROOTS


def test_an_independent_library_has_the_same_roots_for_all_sizes():
    ours, theirs = merkle.Frontier(), InmemoryTree(algorithm="sha256")
    for size in range(MOST + 1):
        assert ours.root() == theirs.get_root(size) if size else merkle.EMPTY_ROOT
        ours.add(merkle.leaf_hash(str(size).encode()))
        theirs.append_entry(str(size).encode())


def test_ten_thousand_proofs_of_inclusion(leaves):
    chance = random.Random(20261124)
    for _ in range(10_000):
        size = chance.randint(1, MOST)
        index = chance.randrange(size)
        path = proof(leaves, merkle.inclusion_ranges(index, size))
        root = root_of(leaves, 0, size) if size < 40 else None
        if root is None:
            root = proof(leaves, [(0, size)])[0] if chance.random() < 0.02 else _fold(leaves, size)
        assert merkle.verify_inclusion(leaves[index], index, size, path, root)
        other = chance.randrange(size)
        if other != index:
            assert not merkle.verify_inclusion(leaves[index], other, size, path, root)
        if path:
            assert not merkle.verify_inclusion(leaves[index], index, size, path[:-1], root)


_ROOTS: list[bytes] = []


def _fold(leaves, size):
    if not _ROOTS:
        tree = merkle.Frontier()
        for one in leaves:
            tree.add(one)
            _ROOTS.append(tree.root())
    return _ROOTS[size - 1]


def test_ten_thousand_proofs_of_consistency(leaves):
    chance = random.Random(4_2026)
    for _ in range(10_000):
        size = chance.randint(1, MOST)
        old = chance.randint(1, size)
        path = proof(leaves, merkle.consistency_ranges(old, size))
        before, after = _fold(leaves, old), _fold(leaves, size)
        assert merkle.verify_consistency(old, size, before, after, path)
        if old < size:
            assert not merkle.verify_consistency(old, size, after, after, path)
            assert not merkle.verify_consistency(old, size, before, before, path)


def test_kept_nodes_give_every_range(leaves):
    """Appended in uneven portions, what is kept gives the same hashes as the definition."""
    kept, size, chance = {}, 0, random.Random(7)
    while size < MOST:
        portion = leaves[size : size + chance.randint(1, 90)]
        assert merkle.needed_to_grow(size, len(portion)) <= kept.keys()
        made = merkle.grown(size, portion, kept.__getitem__)
        kept |= {(0, size + offset): one for offset, one in enumerate(portion)}
        kept |= made
        size += len(portion)
        assert merkle.range_hash(0, size, kept.__getitem__) == _fold(leaves, size)
