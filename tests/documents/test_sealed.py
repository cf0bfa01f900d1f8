"""A sealed file gives back what was sealed, and nothing of a file that is not as it was sealed."""

import hashlib
import hmac
import io
import shutil
import tempfile
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.documents.sealed import CHUNK, HEADER, TAG, Seal, unsealed
from app.kernel.errors import UnavailableError

NAME = b"a trader/a digest.sealed"
PIECE = CHUNK + TAG


def file_key(salt):
    return hmac.digest(b"a secret for tests only", salt, "sha256")


def other_key(salt):
    return hmac.digest(b"another secret for tests only", salt, "sha256")


SAMPLE = hashlib.shake_128(b"a").digest(3 * CHUNK + 20)
CONTENT = SAMPLE[: 3 * CHUNK]


def plain(size):
    """Bytes of which no two chunks are alike."""
    return SAMPLE[:size]


def seal(*pieces, name=NAME, key=file_key):
    into = io.BytesIO()
    sealing = Seal(into, key)
    for piece in pieces:
        sealing.write(piece)
    sealing.close(name)
    return into.read()


def pieces_of(data, length):
    return (data[at : at + length] for at in range(0, len(data), length))


def refused(sealed, key=file_key):
    """The bytes that were given before the file was refused."""
    given_out = io.BytesIO()
    with unsealed(pieces_of(sealed, 256 * 1024), key, NAME) as stream:
        with pytest.raises(UnavailableError) as refusal:
            shutil.copyfileobj(stream, given_out, 4096)
        assert refusal.value.code == "file-damaged"
    return given_out.getvalue()


BORDER = st.builds(
    lambda chunks, beside: max(0, chunks * CHUNK + beside), st.integers(0, 3), st.integers(-20, 20)
)


@settings(max_examples=30)
@given(BORDER, st.integers(1000, 3 * CHUNK), st.integers(1000, 3 * CHUNK), st.integers(1, 2**21))
@example(0, 1000, 1000, 1)
@example(CHUNK, CHUNK, PIECE, CHUNK)
@example(2 * CHUNK, CHUNK, PIECE, CHUNK)
@example(CHUNK + 1, CHUNK + 1, HEADER, 1000)
@example(2 * CHUNK, 3 * CHUNK, HEADER + PIECE, 1000)
def test_what_was_sealed_comes_back(size, written, stored, taken):
    content = plain(size)
    sealed = seal(*pieces_of(content, written))
    with unsealed(pieces_of(sealed, stored), file_key, NAME) as stream:
        assert b"".join(iter(lambda: stream.read(taken), b"")) == content
    chunks = max(1, -(-size // CHUNK))
    assert len(sealed) == HEADER + size + chunks * TAG


def test_nothing_of_the_content_can_be_seen_and_no_two_sealed_files_are_alike():
    content = b"importer 536-90-4399\n" * 60_000
    first, second = seal(content), seal(content)
    assert b"536-90" not in first
    assert b"importer" not in first
    for at in range(0, len(first) - 16, 4096):
        assert first[at + 8 : at + 24] != second[at + 8 : at + 24]


@settings(max_examples=40)
@given(st.integers(0, HEADER + 2 * PIECE + 99), st.integers(0, 7))
@example(0, 0)
@example(HEADER - 1, 0)
@example(HEADER, 7)
@example(HEADER + PIECE, 0)
@example(HEADER + 2 * PIECE + 99, 7)
def test_a_flipped_bit_is_found_before_its_chunk_is_given(at, bit):
    content = plain(2 * CHUNK + 100 - TAG)
    damaged = bytearray(seal(content))
    damaged[at] ^= 1 << bit
    sound = 0 if at < HEADER else (at - HEADER) // PIECE * CHUNK
    assert refused(bytes(damaged)) == content[:sound]


@settings(max_examples=25)
@given(st.integers(0, HEADER + 2 * PIECE + 99))
@example(0)
@example(HEADER)
@example(HEADER + TAG - 1)
@example(HEADER + PIECE)
@example(HEADER + 2 * PIECE)
def test_a_file_that_was_cut_off_is_refused_wherever_it_was_cut(length):
    content = plain(2 * CHUNK + 100 - TAG)
    assert content.startswith(refused(seal(content)[:length]))


def chunks_of(sealed):
    return sealed[:HEADER], list(pieces_of(sealed[HEADER:], PIECE))


@pytest.mark.parametrize(
    ("order", "sound"),
    [
        ((1, 0, 2), 0),
        ((0, 2, 1), 1),
        ((0, 2), 1),
        ((1, 2), 0),
        ((0, 1), 1),
        ((0, 0, 1, 2), 1),
        ((0, 1, 2, 2), 2),
        ((0, 1, 2, 0), 2),
        ((), 0),
    ],
)
def test_chunks_that_are_moved_left_out_or_repeated_are_refused(order, sound):
    header, chunks = chunks_of(seal(CONTENT))
    altered = header + b"".join(chunks[number] for number in order)
    assert refused(altered) == CONTENT[: sound * CHUNK]


def test_anything_behind_the_end_is_refused():
    for size in (0, 100, CHUNK):
        assert refused(seal(plain(size)) + b"\0") == b""


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_chunk_of_another_file_is_refused_even_with_the_same_bytes(number):
    header, chunks = chunks_of(seal(CONTENT))
    _, others = chunks_of(seal(CONTENT))
    chunks[number] = others[number]
    assert refused(header + b"".join(chunks)) == CONTENT[: number * CHUNK]


def test_the_header_of_another_file_is_refused():
    _, chunks = chunks_of(seal(CONTENT))
    header, _ = chunks_of(seal(CONTENT))
    assert refused(header + b"".join(chunks)) == b""


def test_a_whole_other_file_in_its_place_is_refused_before_its_first_byte():
    assert refused(seal(CONTENT, name=b"another trader/a digest.sealed")) == b""


def test_another_secret_opens_nothing():
    assert refused(seal(CONTENT), key=other_key) == b""
    assert refused(seal(CONTENT, key=other_key)) == b""


def test_a_file_whose_sealing_broke_off_opens_nothing():
    into = io.BytesIO()
    Seal(into, file_key).write(CONTENT)
    assert refused(into.getvalue()) == b""


def test_memory_stays_near_a_few_chunks_however_large_the_file():
    digests = hashlib.sha256(), hashlib.sha256()
    with tempfile.TemporaryFile() as file:
        tracemalloc.start()
        try:
            sealing = Seal(file, file_key)
            for number in range(48):
                piece = SAMPLE[number : number + CHUNK - 7]
                digests[0].update(piece)
                sealing.write(piece)
            sealing.close(NAME)
            with unsealed(iter(lambda: file.read(256 * 1024), b""), file_key, NAME) as stream:
                while piece := stream.read(CHUNK):
                    digests[1].update(piece)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert digests[0].digest() == digests[1].digest()
    assert peak < 10 * CHUNK
