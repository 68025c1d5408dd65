#!/usr/bin/env python3
"""Carves seeds for the fuzz targets out of captures/ and tests/exchanges/ into fuzz/corpus/.

usage: fuzz/seeds.py   (from the root of the repository)
"""
import json
import pathlib

root = pathlib.Path(__file__).resolve().parent.parent
corpus = root / "fuzz" / "corpus"


def put(target, name, data):
    folder = corpus / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def turns(lines):
    """The form that the target `layer` reads: side and length in two bytes, then the bytes of a turn."""
    out = bytearray([0])
    for line in lines:
        if line[:1] not in "><":
            continue
        data = bytes.fromhex(line[1:].strip())
        while data:
            part, data = data[:2000], data[2000:]
            out += bytes([len(part) >> 4 << 1 | (line[0] == "<"), len(part) & 15]) + part
    return bytes(out)


for case in sorted((root / "captures").iterdir()):
    for file in case.glob("capture*"):
        if file.stat().st_size < 60_000:
            put("capture", case.name, file.read_bytes())
    for file in case.glob("*.har"):
        log = json.loads(file.read_text())["log"]
        for n, entry in enumerate(log["entries"]):
            put("capture", f"{case.name}-{n}", json.dumps({"log": {"entries": [entry]}}).encode())
    for file in case.glob("*.mitm"):
        flows = file.read_bytes()
        length, _, _ = flows.partition(b":")
        put("capture", case.name, flows[: len(length) + 1 + int(length) + 1])
    for file in case.glob("*.log"):
        put("keylog", case.name, file.read_bytes())
for file in (root / "tests" / "exchanges").glob("*.txt"):
    put("layer", file.stem, turns(file.read_text().splitlines()))
for file in (root / "tests" / "envelopes").iterdir():
    data = file.read_bytes()[:2000]
    put("layer", file.name, bytes([0, len(data) >> 4 << 1, len(data) & 15]) + data)
    put("measure", file.name, data)
for file in (root / "rules").rglob("*.toml"):
    put("rule", file.stem, file.read_bytes())
