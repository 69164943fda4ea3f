#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the console's files and puts them into a C file, for privlinkd to serve.

    console.py --out FILES.c                            a table without files
    console.py --out FILES.c --depfile FILES.c.d --esbuild ESBUILD --node NODE --modules DIR --made DIR SOURCE

SOURCE is the folder console/; below `made` is what the build has made for it (console/commands.json). A text that one of its
languages lacks is an error. The same sources give the same bytes.
"""
import argparse
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml"}
COPIED = ["index.html", "icon.svg"]
ROW = 96  # bytes of a file in a line of C


def esbuild(arguments, options):
    """The inputs that it read, as absolute paths."""
    with tempfile.NamedTemporaryFile(suffix=".json") as meta:
        subprocess.run([options.esbuild, "--bundle", "--format=esm", "--log-level=warning", f"--metafile={meta.name}", *arguments],
                       check=True, env={**os.environ, "NODE_PATH": f"{options.modules}:{options.made}"})
        return sorted(os.path.abspath(name) for name in json.load(meta)["inputs"])


def rename_parts(place):
    """The parts' names: esbuild's have a hash of the paths that they were built from in them, ours one of what is in all of them.
    So they are the same wherever they are built, and no page loads a part of another version."""
    old = re.compile(r"([a-z_]+)-[A-Z0-9]{8}(?=\.js)")
    texts = {path.name: path.read_text() for path in place.glob("*.js")}
    plain = {name: old.sub(r"\1-", text) for name, text in texts.items()}
    parts = sorted((n for n in texts if old.match(n)), key=lambda n: (old.match(n)[1], plain[n]))
    tag = hashlib.sha256("".join(plain[n] for n in [*parts, "console.js"]).encode()).hexdigest()[:8]
    names = {n: f"{old.match(n)[1]}{'' if old.match(n)[1] != 'chunk' else parts.index(n)}-{tag}.js" for n in parts}
    for name, text in texts.items():
        (place / name).unlink()
        (place / names.get(name, name)).write_text(re.sub(r"[a-z_]+-[A-Z0-9]{8}\.js", lambda m: names.get(m[0], m[0]), text))


def bundle(options, place):
    """console.js and console.css in `place`, and what the page loads when it is wanted: a file of texts each language, and what few look at."""
    inputs = esbuild([f"{options.source}/main.tsx", "--minify", "--jsx=automatic", '--define:process.env.NODE_ENV="production"',
                      "--charset=utf8", "--splitting", "--entry-names=console", "--chunk-names=[name]-[hash]", f"--outdir={place}"], options)
    rename_parts(place)
    return inputs


def check_texts(options, place):
    for language in ("en", "zh"):
        esbuild([f"{options.source}/text/{language}.ts", f"--outfile={place}/{language}.mjs"], options)
    subprocess.run([options.node, Path(__file__).with_name("console_texts.mjs"), place / "en.mjs", place / "zh.mjs"], check=True)


def literal(data):
    """Bytes as strings of C. Every escape has three digits, so that it ends where it should; "??" would begin a trigraph."""
    plain = {c: chr(c) for c in range(0x20, 0x7F) if chr(c) not in '"\\?'}
    text = [plain.get(c) or f"\\{c:03o}" for c in data]
    return "\n".join(f'\t"{"".join(text[i:i + ROW])}"' for i in range(0, len(text), ROW)) or '\t""'


def c_file(files):
    """`files`: their names and bytes."""
    out = ['/* Made by scripts/console.py. */', '#include "api/frame/console.h"', ""]
    rows = []
    for i, (name, data) in enumerate(files):
        forms = []
        for form, content in ("plain", data), ("gzip", gzip.compress(data, 9, mtime=0)):
            out.append(f"static const char {form}_{i}[] =\n{literal(content)};\n")
            tag = hashlib.sha256(content).hexdigest()[:24]
            forms.append(f'{{{form}_{i}, {len(content)}, "\\"{tag}\\""}}')
        shown = "" if name == "index.html" else name
        rows.append(f'\t{{"{shown}", "{TYPES[Path(name).suffix]}", {forms[0]}, {forms[1]}}},')
    # A table of C has one row at least.
    out += [f"const size_t console_n_files = {len(files)};", "const struct console_file console_files[] = {",
            *(rows or ["\t{},"]), "};", ""]
    return "\n".join(out)


def make_files(options):
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        inputs = bundle(options, place)
        made = sorted(p.name for p in place.iterdir())
        check_texts(options, place)
        files = [(n, (options.source / n).read_bytes()) for n in COPIED]
        files += [(n, (place / n).read_bytes()) for n in made]
    inputs += [str(options.source / n) for n in (*COPIED, "text/en.ts", "text/zh.ts")]
    return inputs, files


def main():
    parser = argparse.ArgumentParser()
    for name in ("out", "depfile", "esbuild", "node", "modules", "made"):
        parser.add_argument(f"--{name}", required=name == "out")
    parser.add_argument("source", type=Path, nargs="?")
    options = parser.parse_args()
    inputs, files = [], []
    try:
        if options.source:
            options.source = options.source.resolve()
            inputs, files = make_files(options)
    except subprocess.CalledProcessError:
        return 1  # it has said why
    Path(options.out).write_text(c_file(files))
    if options.depfile:
        escaped = sorted({name.replace(" ", "\\ ") for name in inputs})
        Path(options.depfile).write_text(f"{options.out}: {' '.join(escaped)}\n")
    return 0


sys.exit(main())
