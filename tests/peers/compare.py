#!/usr/bin/env python3
"""Compares plainsight with tshark on captures with keys.

    python3 tests/peers/compare.py PLAINSIGHT FOLDER... [--only-differences] [--bodies]

Walks the folders for captures. The keys of a capture are those it carries, and the key log beside it: the one
that a `catalog.csv` of the folder names in its column `keylog`, else `keys.log`, else a text file of the same
name (also with `keylog_` or without `tls_`). Captures without keys are passed over. One line per file says what
both opened:

    tls   streams from which application data came out, and whether the digests of both sides are the same
    quic  connections of which a stream came out
    http  requests of HTTP/1, HTTP/2 (and HTTP/3 where this tshark reads QPACK)
    body  bodies whose SHA-256 plainsight has as well; of one that is larger than what plainsight decodes of a
          message (`Limits::message`), that much of it, and the line says so

`--bodies` lists the bodies that only tshark has: length, beginning and end.

`=` same, `+` plainsight has more, `-` tshark has more. Ends with a total, and with 1 if tshark has more anywhere.
"""
import collections, csv, hashlib, json, os, re, shutil, subprocess, sys, tempfile

# `Limits::message`: plainsight cuts a decoded body here, with a note.
BOUND = 4 << 20
CAPTURES = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz")
LABEL = re.compile(rb"^(CLIENT_|SERVER_|PMS_CLIENT_|RSA )", re.M | re.I)


def catalogue(folder):
    """What a catalog.csv says: key log by capture."""
    known = {}
    for base, _, files in os.walk(folder):
        if "catalog.csv" in files:
            with open(os.path.join(base, "catalog.csv"), newline="", errors="replace") as rows:
                for row in csv.DictReader(rows):
                    if row.get("keylog"):
                        strip = lambda p: re.sub(r"^files/", "", p)
                        known[os.path.join(base, strip(row["file"]))] = os.path.join(base, strip(row["keylog"]))
    return known


def keylog_of(path, known):
    if path in known:
        return known[path] if os.path.exists(known[path]) else None
    folder, name = os.path.split(path)
    stem = re.sub(r"\.(pcap|pcapng|cap)(\.gz)?$", "", name)
    short = re.sub(r"^tls_", "", stem)
    names = ["keys.log", "sslkeys.log"]
    for s in dict.fromkeys([stem, short, "keylog_" + short]):
        names += [s + e for e in (".keylog", ".keys", ".txt", ".keys.txt", ".log", ".key")]
    for n in names:
        file = os.path.join(folder, n)
        if os.path.isfile(file) and LABEL.search(open(file, "rb").read(1 << 20)):
            return file
    return None


def carries_keys(path):
    with open(path, "rb") as f:
        head = f.read(1 << 20)
    return head[:4] == b"\x0a\x0d\x0d\x0a" and (b"KSLT" in head or b"TLSK" in head)


def tshark(path, log, *options):
    keys = ["-o", "tls.keylog_file:" + log] if log else []
    # Reordered segments are put in order here, too.
    order = ["-o", "tcp.reassemble_out_of_order:TRUE"]
    try:
        run = subprocess.run(["tshark", "-2", "-r", path, *keys, *order, *options], capture_output=True, timeout=300)
    except subprocess.TimeoutExpired:
        return ""
    return run.stdout.decode("utf-8", "replace")


def fields(path, log, filter, *names):
    options = ["-Y", filter, "-T", "fields"]
    for n in names:
        options += ["-e", n]
    for line in tshark(path, log, *options).splitlines():
        yield [v.split(",") if v else [] for v in line.split("\t")]


def digest(data):
    return hashlib.sha256(data).hexdigest()


def peer(path, log):
    """What tshark opens."""
    found = {"tls": {}, "quic": set(), "http": 0, "http3": 0, "body": []}
    streams = sorted({int(s[0][0]) for s in fields(path, log, "tls && tcp", "tcp.stream") if s and s[0]})
    for at in range(0, len(streams), 40):
        options = ["-q"]
        for s in streams[at:at + 40]:
            options += ["-z", f"follow,tls,raw,{s}"]
        text = tshark(path, log, *options) if streams else ""
        for part in text.split("=" * 67):
            number = re.search(r"tcp\.stream eq (\d+)", part)
            if not number:
                continue
            sides = [bytearray(), bytearray()]
            for line in part.splitlines():
                if re.fullmatch(r"\t?[0-9a-f]+", line) and len(line.strip()) % 2 == 0:
                    sides[line.startswith("\t")] += bytes.fromhex(line.strip())
            if sides[0] or sides[1]:
                found["tls"][int(number[1])] = sorted(digest(bytes(s)) for s in sides if s)
    # What a dissector took for something else does not show up above.
    for row in fields(path, log, "tls && tcp", "tcp.stream", "frame.protocols"):
        inside = "".join(row[1]).rsplit("tls:", 1) if len(row) > 1 else []
        if row[0] and len(inside) == 2 and not re.match(r"x509|pkcs|ocsp|ns_cert|pkix|cms", inside[1]):
            found["tls"].setdefault(int(row[0][0]), [])
    for row in fields(path, log, "quic.stream.stream_id", "quic.connection.number"):
        found["quic"].update(row[0] if row else [])
    for methods, methods2 in fields(path, log, "http.request || http2.headers.method", "http.request.method", "http2.headers.method"):
        found["http"] += len(methods) + len(methods2)
    bodies(path, log, found)
    return found


def octets(text):
    return bytes.fromhex(text.replace(":", ""))


def whole_body(node):
    """What tshark put together of a body, at the frame that ends it."""
    found = None
    if isinstance(node, dict):
        if isinstance(node.get("http2.body.reassembled.data"), str):
            return bytearray(octets(node["http2.body.reassembled.data"]))
        for n in node.values():
            found = found or whole_body(n)
    return found


def decoded_body(node):
    """What tshark made of a body with a content coding: it stands below a heading, not beside the frame's fields."""
    for name, n in node.items():
        if name.startswith("Content-encoded entity body") and isinstance(n, dict):
            data = n.get("http2.data.data")
            if isinstance(data, str):
                return bytearray(octets(data))
    return None


def bodies(path, log, found):
    with tempfile.TemporaryDirectory() as folder:
        tshark(path, log, "-q", "--export-objects", "http," + folder)
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as f:
                data = f.read()
            if data:
                found["body"].append(data)
    text = tshark(path, log, "-Y", "http2.data.data", "-T", "json", "-J", "tcp http2", "--no-duplicate-keys")
    held = collections.OrderedDict()

    def walk(node, where):
        if isinstance(node, list):
            for n in node:
                walk(n, where)
        elif isinstance(node, dict):
            if "http2.streamid" in node:
                key = (where, str(node["http2.streamid"]))
                whole, decoded = whole_body(node), decoded_body(node)
                if whole is not None:
                    held[key] = whole
                elif "http2.data.data" in node:
                    hexes = node["http2.data.data"]
                    for h in hexes if isinstance(hexes, list) else [hexes]:
                        held.setdefault(key, bytearray()).extend(octets(h))
                if decoded is not None:
                    held[key, "decoded"] = decoded
            for n in node.values():
                walk(n, where)

    try:
        for packet in json.loads(text or "[]"):
            layers = packet["_source"]["layers"]
            tcp = layers.get("tcp", {})
            tcp = tcp[0] if isinstance(tcp, list) else tcp
            walk(layers.get("http2"), (tcp.get("tcp.stream"), tcp.get("tcp.srcport")))
    except json.JSONDecodeError:
        pass
    found["body"] += [bytes(d) for d in held.values() if d]


def ours(binary, path, log):
    command = [binary, "peel", "--json", path] + (["--keylog", log] if log else [])
    run = subprocess.run(command, capture_output=True, timeout=300)
    found = {"tls": collections.defaultdict(list), "quic": set(), "http": 0, "http3": 0, "body": set(), "rc": run.returncode}
    for line in run.stdout.decode("utf-8", "replace").splitlines():
        e = json.loads(line)
        if e["event"] == "bytes":
            found["body"].add(e["sha256"])
            outer = e["parent_path"].split("/")[-1]
            if outer == "tls":
                found["tls"][(e["flow"], e["node"])].append(e["sha256"])
            if outer == "quic":
                found["quic"].add(e["flow"])
        if e["event"] == "fact" and e["name"] == "http.method":
            found["http3" if e["path"].endswith("http3") else "http"] += 1
    return found


def sign(a, b):
    return "=" if a == b else "+" if a > b else "-"


def compare(binary, path, log):
    theirs, mine = peer(path, log), ours(binary, path, log)
    out, behind = [], False
    wanted = collections.Counter(tuple(d) for d in theirs["tls"].values() if d)
    have = collections.Counter()
    for digests in mine["tls"].values():
        have[tuple(sorted(digests))] += 1
    same = sum((wanted & have).values())
    # One connection may show several children: what follows a hole is another stream.
    opened = len({flow for flow, _ in mine["tls"]})
    mark = sign(opened, len(theirs["tls"]))
    shown = sum(wanted.values())
    out.append(f"tls {opened}{mark}{len(theirs['tls'])} ({same} of {shown} alike)")
    behind |= mark == "-" or same < shown
    for name, m, t in (("quic", len(mine["quic"]), len(theirs["quic"])), ("http", mine["http"], theirs["http"])):
        mark = sign(m, t)
        out.append(f"{name} {m}{mark}{t}")
        behind |= mark == "-"
    if mine["http3"]:
        out.append(f"http3 {mine['http3']}")
    missed = [d for d in theirs["body"] if digest(d) not in mine["body"]]
    bounded = [d for d in missed if len(d) > BOUND and digest(d[:BOUND]) in mine["body"]]
    missed = [d for d in missed if d not in bounded]
    alike = len(theirs["body"]) - len(missed)
    out.append(f"body {alike} of {len(theirs['body'])}" + (f" ({len(bounded)} up to the bound)" if bounded else ""))
    behind |= alike < len(theirs["body"])
    counts = collections.Counter({
        "tls": opened, "tls of tshark": len(theirs["tls"]), "tls shown by tshark": shown, "tls alike": same,
        "quic": len(mine["quic"]), "quic of tshark": len(theirs["quic"]),
        "http": mine["http"], "http of tshark": theirs["http"], "http3": mine["http3"],
        "bodies of tshark": len(theirs["body"]), "bodies alike": alike,
        "bodies alike up to the bound": len(bounded), "behind": int(behind), "files": 1})
    if "--bodies" in sys.argv:
        out += [f"\n       only tshark: {len(d)} bytes {d[:60]!r} ... {d[-20:]!r}" for d in missed]
    return "  ".join(out), behind, counts


def main():
    only = "--only-differences" in sys.argv
    words = [a for a in sys.argv[1:] if not a.startswith("--")]
    if len(words) < 2:
        sys.exit(__doc__)
    if not shutil.which("tshark"):
        print("tshark is not installed: nothing was compared")
        return
    binary, total, failed = words[0], collections.Counter(), False
    for folder in words[1:]:
        known = catalogue(folder)
        for base, folders, files in os.walk(folder):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(base, name)
                if not name.endswith(CAPTURES):
                    continue
                log = keylog_of(path, known)
                if not log and not carries_keys(path):
                    continue
                text, behind, counts = compare(binary, path, log)
                total += counts
                failed |= behind
                if behind or not only:
                    print(("BEHIND " if behind else "ok     ") + os.path.relpath(path, folder) + ": " + text, flush=True)
    print("total: " + ", ".join(f"{n} {total[n]}" for n in (
        "files", "behind", "tls", "tls of tshark", "tls shown by tshark", "tls alike", "quic", "quic of tshark", "http", "http of tshark",
        "http3", "bodies of tshark", "bodies alike", "bodies alike up to the bound")))
    sys.exit(1 if failed else 0)


main()
