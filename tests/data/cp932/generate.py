#!/usr/bin/env python3
"""Writes the oracle of tests/it/characters.rs: what glibc's iconv makes of every Unicode scalar value.

    python3 generate.py > table.txt

Every scalar value is asked twice: iconv(3) of the C library says for each one alone whether it is mappable (and tells
"accepted, but writes nothing" from "refused"), and the command `iconv -c -f UTF-8 -t CP932` converts them all, a line
each. The two must agree, or nothing is written. Needs Linux with glibc; the committed table was written with 2.36.

A line is 16 code points: the first one, then for each its bytes in hex, "." for not mappable, "-" for accepted without
output. A line of 16 that are not mappable is left out, and so are the dots at the end of a line.
"""

import ctypes
import subprocess
import sys

libc = ctypes.CDLL("libc.so.6", use_errno=True)
libc.iconv_open.restype = ctypes.c_void_p
libc.iconv.restype = ctypes.c_size_t
libc.iconv.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * 4
libc.gnu_get_libc_version.restype = ctypes.c_char_p  # fails on a C library that is not glibc

FAILED = ctypes.c_size_t(-1).value
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def one_by_one():
    """Code point → bytes, or None where iconv(3) refuses it."""
    handle = libc.iconv_open(b"CP932", b"UTF-8")
    if handle in (None, FAILED):
        sys.exit("this iconv has no CP932")
    room = ctypes.create_string_buffer(16)
    source, target = ctypes.c_char_p(), ctypes.c_void_p()
    source_left, target_left = ctypes.c_size_t(), ctypes.c_size_t()
    arguments = [ctypes.byref(x) for x in (source, source_left, target, target_left)]
    answers = {}
    for code in SCALARS:
        text = chr(code).encode()
        source.value, source_left.value = text, len(text)
        target.value, target_left.value = ctypes.addressof(room), len(room)
        ended = libc.iconv(handle, *arguments)
        answers[code] = None if ended == FAILED else room.raw[: len(room) - target_left.value]
        libc.iconv(handle, None, None, None, None)
    return answers


def all_at_once(codes):
    """Code point → bytes, empty where the command leaves it out."""
    text = "".join(chr(c) + "\n" for c in codes).encode()
    done = subprocess.run(["iconv", "-c", "-f", "UTF-8", "-t", "CP932"], input=text, stdout=subprocess.PIPE)
    lines = done.stdout.split(b"\n")
    assert len(lines) == len(codes) + 1, "the command lost a line"
    return dict(zip(codes, lines))


def main():
    answers = one_by_one()
    for code, line in all_at_once([c for c in SCALARS if c != 0x0A]).items():
        assert line == (answers[code] or b""), f"U+{code:04X}: the command and the library differ"
    print("# What glibc's `iconv -t CP932` writes for each Unicode scalar value; made by generate.py, which explains it.")
    for first in range(0, 0x110000, 16):
        row = [answers.get(c) for c in range(first, first + 16)]
        if any(cell is not None for cell in row):
            cells = ["." if cell is None else cell.hex().upper() or "-" for cell in row]
            while cells[-1] == ".":
                cells.pop()
            print(f"{first:04X}", *cells)


main()
