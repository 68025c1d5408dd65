#!/usr/bin/env python3
"""Makes more samples from a labelled folder: cuts of its longer samples, and its texts and records anew under
other keys, encodings and compressors.

    pip install numpy lightgbm Pillow av brotli zstandard lz4 cramjam fonttools
    python3 examples/randomness_again.py OUT SCALE SEED FOLDER

A labelled folder holds few samples of any one kind and length, yet each long one holds many short ones. What is
made keeps its parent's source (with the parent's line where the source is made on the spot), so that by-source
folds keep them together. OUT gets blob.bin and index.csv as `randomness_corpus.py` writes them.
"""
import csv, glob, io, os, random, re, sys, zipfile
from collections import namedtuple
import randomness_corpus as made
from randomness_train import origin

R, rb = made.R, made.rb
SIZES = {16: 7000, 32: 7000, 64: 7000, 128: 7000, 256: 7000, 512: 7000, 1024: 7000, 4096: 4500, 16384: 1600, 65536: 300}
Parent = namedtuple('Parent', 'kind source where data')
# Samples by class; the same, each as often as it is drawn.
PARENTS, DRAWN = {}, {}
# What archives are made of, and the archives with their names.
TREES, ARCHIVES = ['/usr/lib/python3/dist-packages/*', os.path.dirname(os.__file__) + '/*', '/usr/lib/node_modules/*/*', '/usr/share/help/*/*', '/usr/share/perl/*/*', '/usr/share/vim/*/*'], []
# Short fields have packets as they are, longer ones have their lengths before them. What is drawn for them is drawn
# apart, so that all else is made as it would be without.
RUN, CHANCE = 400, random.Random(7)
# Sources that the sample being made has used.
used = set()
original = {'weak': made.weak, 'compressed': made.compressed, 'encoded': made.encoded}


def load(folder):
    blob = open(f'{folder}/blob.bin', 'rb').read()
    for at, row in enumerate(list(csv.reader(open(f'{folder}/index.csv')))[1:]):
        name, kind, source, where = row[3], row[4], row[6], row[7]
        if name == 'mixed' or row[9] != '1': continue
        data = blob[int(row[1]):int(row[1]) + int(row[2])]
        p = Parent(kind, origin(name, kind, source, at), where, data)
        PARENTS.setdefault(name, []).append(p)
        if name == 'plain': made.POOL.setdefault(kind, []).append((p.source, data))


def longer(name, n):
    """A parent longer than `n` bytes; the longer ones, which have more to give, are few and come more often."""
    for _ in range(300):
        p = R.choice(DRAWN[name])
        if len(p.data) > n:
            used.add(p.source)
            return p


def stem(kind):
    """The kind without its place."""
    return re.sub('_(mid|head|whole)$', '', kind)


def packets(run, n):
    """`n` bytes of a run of packets with lengths before them, from any packet on; of anything else the first bytes."""
    parts, at = [], 0
    while at + 2 < len(run):
        size = int.from_bytes(run[at:at + 2], 'big')
        if not 0 < size < 1500: return run[:n]
        parts.append(run[at + 2:at + 2 + size])
        at += 2 + size
    parts = parts[CHANCE.randrange(len(parts)):]
    if n >= RUN or CHANCE.random() < .1: parts = [len(p).to_bytes(2, 'big') + p for p in parts]
    out = b''.join(parts)
    return out[:n] if len(out) >= n else run[:n]


def cut(name, n):
    """`n` bytes of a longer sample, and what they are: a head, or from the middle."""
    p = longer(name, n)
    if not p: return None
    kind, source, where, data = p
    # Packets and archives have no kind of their own for a fragment.
    if name in ('compressed', 'media') and kind not in ('pcm16', 'opus_packets', 'zip'):
        if where != 'mid' and (R.random() < .5 or len(data) < n + 600): return stem(kind) + '_head', source, 'head', data[:n]
        least = 0 if where == 'mid' else 600 if name == 'media' else 100
        if len(data) - n < least: return None
        at = R.randrange(least, len(data) - n + 1)
        return stem(kind) + '_mid', source, 'mid', data[at:at + n]
    if kind == 'opus_packets': return kind, source, 'head', packets(data, n)
    if kind == 'zip' or where != 'mid' and R.random() < .7: return kind, source, 'head', data[:n]
    step = 4 if kind == 'utf32' else 2 if kind.startswith('utf') else 16 if kind.startswith('ecb16') else 8 if kind.startswith('ecb8') else 1
    at = R.randrange((len(data) - n) // step + 1) * step
    return kind, source, 'mid', data[at:at + n]


def plain(n, kind=None):
    """A window of a text or record of the folder, in the place of the corpus' own."""
    for _ in range(60):
        k = kind or made.pick([p for p in made.PLAIN if p[0] in made.POOL or p[0] == 'text:*'])
        if k == 'text:*': k = R.choice([t for t in made.POOL if t.startswith('text:')])
        # The folder goes from short to long, so the last are the longest.
        source, data = R.choice([p for p in made.POOL[k][-40:] + R.choices(made.POOL[k], k=20) if len(p[1]) >= n] or [('', b'')])
        if not data: continue
        used.add(source)
        # Messages are cut at the end, as a rule: their heads are what tells them.
        at = 0 if k in ('protobuf', 'cbor', 'msgpack', 'json_chat', 'http') and R.random() < .8 else R.randrange(len(data) - n + 1)
        return k, source, 'mid', data[at:at + n]
    raise ValueError(n)


def any_plain(n):
    for _ in range(40):
        kind, source, where, data = plain(n)
        if kind != 'lowent': return source, data
        used.discard(source)
    raise ValueError(n)


def bulk(n):
    for _ in range(20):
        kind, source, where, data = plain(min(n, R.choice([1024, 4096, 16384, 65536])))
        if kind != 'lowent': return source, data
    raise ValueError(n)


def weak(n):
    if R.random() < .4:
        got = cut('weak', n)
        # A shorter cut of repeated blocks may repeat none, and then nothing can tell it.
        if not got or not got[0].startswith('ecb'): return got
        size = 16 if got[0].startswith('ecb16') else 8
        blocks = [got[3][i:i + size] for i in range(0, n - size + 1, size)]
        return (*got, int(len(set(blocks)) < len(blocks)))
    return original['weak'](n)


def archive():
    """A ZIP archive of some files of this machine that lie together, as packages of programs are."""
    if not ARCHIVES:
        folders = [f for top in TREES for f in sorted(glob.glob(top))]
        for k, folder in enumerate(R.sample(folders, min(len(folders), 120))):
            f = io.BytesIO()
            files = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in sorted(names)]
            files = [p for p in files if os.path.isfile(p) and os.path.getsize(p) < 200000]
            with zipfile.ZipFile(f, 'w', zipfile.ZIP_DEFLATED, compresslevel=R.choice([6, 6, 9])) as z:
                for path in R.sample(files, min(len(files), R.choice([4, 10, 40]))): z.write(path, os.path.relpath(path, os.path.dirname(folder)))
            if len(f.getvalue()) > 2000: ARCHIVES.append((f'archive-{k}', f.getvalue()))
    return R.choice(ARCHIVES)


def compressed(n):
    if R.random() < .05:
        source, data = archive()
        if len(data) < n: return None
        at = 0 if R.random() < .3 else R.randrange(len(data) - n + 1)
        return 'zip', source, 'mid' if at else 'head', data[at:at + n]
    return cut('compressed', n) if n >= 16384 or R.random() < .55 else original['compressed'](n)


def encoded(n):
    return cut('encoded', n) if R.random() < .5 else original['encoded'](n)


def media(n):
    return cut('media', n)


def uniform(n):
    """Fresh noise, or an envelope whose head is kept and whose body is drawn again."""
    if n < 100 and R.random() < .02: return 'key_nonce_ctr', 'cipher', 'whole', rb(n - 4) + R.randrange(200).to_bytes(4, R.choice(['big', 'big', 'little']))
    if R.random() < .7: return 'cipher', 'cipher', 'whole', rb(n)
    p = R.choice([p for p in PARENTS['random'] if len(p.data) == n and p.kind.startswith(('hdr_', 'key_'))] or [None])
    if not p: return None
    used.add(p.source)
    head = {'hdr_signal_prekey': 128, 'hdr_signal': 64, 'hdr_olm': 56, 'hdr_mls': 56}.get(p.kind, 24)
    return p.kind, p.source, 'whole', p.data if p.kind.startswith('key_') else p.data[:head] + rb(max(0, n - head))


def main():
    scale, folder = made.SCALE, sys.argv[4]
    load(folder)
    for name, parents in PARENTS.items():
        DRAWN[name] = [p for p in parents for _ in range(max(1, min(24, len(p.data) // 256)))]
    for name, run in dict(plain=plain, any_plain=any_plain, bulk=bulk, compressed=compressed, media=media).items():
        setattr(made, name, run)
    makers = {'plain': plain, 'encoded': encoded, 'compressed': compressed, 'media': media, 'weak': weak, 'random': uniform}
    # LZMA is slow, and a fragment of it shows nothing; cuts are there besides.
    for name in ('xz', 'lzma'): made.CODECS[name] = (made.CODECS[name][0], 1)
    plan = [size if R.random() < .75 else max(12, int(size * 2 ** R.uniform(-.5, 0 if size > 60000 else .5))) for size, count in SIZES.items() for _ in range(int(count * scale))]
    R.shuffle(plan)
    os.makedirs(made.OUT, exist_ok=True)
    offset, line = 0, 0
    with open(f'{made.OUT}/blob.bin', 'wb') as blob, open(f'{made.OUT}/index.csv', 'w', newline='') as index:
        rows = csv.writer(index, lineterminator='\n')
        rows.writerow('id offset length class subclass size source where rand_frac detectable'.split())
        for n in plan:
            label, got = made.pick(made.MIX), None
            for _ in range(30):
                used.clear()
                try:
                    got = makers[label](n)
                except (ValueError, IndexError):
                    got = None
                # Two parents could lie in two folds.
                if got and got[3] is not None and len(got[3]) == n and len(used) < 2: break
                got = None
            if not got: continue
            kind, source, where, data = got[:4]
            if used: source = min(used)
            rows.writerow([line, offset, n, label, kind, n, source, where, 1.0 if label == 'random' else 0.0, got[4] if len(got) > 4 else 1])
            blob.write(data)
            offset, line = offset + n, line + 1


main()
