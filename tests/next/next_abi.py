#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The data path of a later version, for the upgrade test: our sources with one reason, one field of a configuration row and
one field of a flow row more.

    next_abi.py SOURCE_DIR OUTPUT_DIR DEPFILE
"""
import sys
from pathlib import Path

# In each file: what is there exactly once, and what takes its place.
changes = {
    "pl_reasons.h": [
        ("\n/* clang-format on */", ' \\\n\tX(DROP_NEXT, "next", DROP, "a reason of a later version")\n/* clang-format on */'),
    ],
    "pl_abi.h": [
        ("#define PL_ABI_VERSION 6", "#define PL_ABI_VERSION 7"),
        ("\t__u32 pad;\n};\n\n/* pl_places", "\t__u32 pad;\n\t__u64 next;\n};\n\n/* pl_places"),
        ("sizeof(struct pl_port) == 64", "sizeof(struct pl_port) == 72"),
    ],
    "pl_abi_flow.h": [
        ("\t__u64 bytes;\n};\n\n/* pl_tokens", "\t__u64 bytes;\n\t__u64 next;\n};\n\n/* pl_tokens"),
        ("sizeof(struct pl_flow4) == 80", "sizeof(struct pl_flow4) == 88"),
    ],
}


def main():
    source, output, depfile = map(Path, sys.argv[1:])
    inputs = sorted(source.glob("pl*.[ch]"))
    for path in inputs:
        text = path.read_text()
        for old, new in changes.get(path.name, []):
            if text.count(old) != 1:
                sys.exit(f"{path}: {old!r} is there {text.count(old)} times")
            text = text.replace(old, new)
        (output / path.name).write_text(text)
    depfile.write_text(f"{output}/pl.bpf.c: {' '.join(map(str, inputs))}\n")


main()
