#!/usr/bin/env python3
"""Counts src/evidence/randomness/profiles.bin: the habits of 24 families of formats, from labelled folders such as
`randomness_corpus.py` makes.

    pip install numpy lightgbm
    python3 examples/randomness_profiles.py FOLDER ... [--leave FOLDS] src/evidence/randomness/profiles.bin

With `--leave 02` the samples of folds 0 and 2 are left out; of several with commas between each is put for `{}`. A law that was counted on a sample knows it too well, so
the model is fitted on features under laws that left out the sample's fold (docs/randomness.md).

The file holds rows of 24 signed bytes, one for each family, in 24ths of a bit: log2 of how much likelier the
family makes what the row stands for than uniform bytes do. Rows, in this order: the newest bit of a window of
10 bits, then of 12, read least significant bit first; the same two, most significant first; a byte after the
upper half of the byte before it (half * 256 + byte); a byte at place 0..8 (place * 256 + byte); a single byte;
the XOR of a byte with one 2 to 12 places before it.
Every law leans on the law with less context, so that what was seldom seen says little.

Beside it blends.bin is written: for each family of `BLENDS`, first those that are read least significant bit first,
16 laws for a bit after the nine before it (as rows of 16 signed bytes: the weights of the laws, then what each gives
each window of ten bits; in 24ths of a bit, too). The laws are fitted to pieces of fragments by expectation and
maximization: what is given to a coder differs, and one law for all of its streams fits none.
"""
import csv, os, sys
import numpy as np
from randomness_train import FOLDS, fold, origin

FAMILIES = [
    ('text:*', 'mo-text'), ('text:en', 'code', 'html', 'log', 'xml', 'json', 'http', 'rot'), ('legacy',), ('elf', 'pyc', 'ttf', 'sqlite', 'misc', 'mo'), ('protobuf', 'msgpack', 'cbor'),
    ('ints', 'f32', 'f64', 'lowent'), ('encoded',), ('deflate', 'gzip', 'zlib', 'pmd', 'zip'), ('brotli',), ('zstd',), ('bz2',), ('lz4', 'snappy'), ('lzma', 'xz'), ('img:jpeg', 'img:jpg'),
    ('img:png', 'img:webp_ll', 'gif', 'img:gif', 'woff2'), ('img:webp', 'vid:vp8'), ('vid:h26', 'vid:mp4', 'vid:webm', 'img:avif', 'img:jpeg2000'), ('opus', 'aud:opus'), ('aud:mp3', 'aud:aac', 'aud:m4a'), ('aud:vorbis',),
    ('aud:amr',), ('aud:flac',), ('pcm16', 'aud:ulaw'), ('utf',),
]
CAP, STEPS = 4096, 24
# Name, least significant bit first, kinds.
BLENDS = [
    ('deflate', True, ('deflate', 'gzip', 'zlib', 'pmd', 'zip')), ('brotli', True, ('brotli',)), ('zstd', True, ('zstd',)), ('lossless', True, ('img:png', 'img:webp_ll', 'img:gif', 'gif', 'woff2')), ('vorbis', True, ('aud:vorbis',)),
    ('bz2', False, ('bz2',)), ('jpeg', False, ('img:jpeg', 'img:jpg')), ('webp', False, ('img:webp', 'vid:vp8')), ('video', False, ('vid:h26', 'vid:mp4', 'vid:webm', 'img:avif', 'img:jpeg2000')), ('opus', False, ('opus', 'aud:opus')), ('aac', False, ('aud:mp3', 'aud:aac', 'aud:m4a')),
]
LAWS, PIECE = 16, 1024


def family(label, kind):
    """The family with the longest name that the kind begins with."""
    if label in ('weak', 'random', 'mixed'): return None
    if label == 'encoded': return 23 if kind.startswith('utf') else 6
    if kind.startswith('text:') and kind != 'text:en': return 0
    best = max(((len(n), i) for i, names in enumerate(FAMILIES) for n in names if kind.startswith(n)), default=None)
    return best and best[1]


def windows(data, width, least):
    bits = np.unpackbits(np.frombuffer(data, 'u1'), bitorder='little' if least else 'big').astype('i8')
    out = np.zeros(len(bits) - width + 1, 'i8')
    for k in range(width): out = out * 2 + bits[k:len(bits) - width + 1 + k]
    return out


def lean(counts, levels, strength, axis_size):
    """log2 of P(symbol | context) / uniform: each context leans on the shorter one, the shortest on uniform."""
    law = np.full((1, axis_size), 1 / axis_size)
    for rows in levels:
        now = counts.reshape(-1, rows, axis_size).sum(0)
        law = np.tile(law, (rows // len(law), 1))
        law = (now + strength * law) / (now.sum(1, keepdims=True) + strength)
    return np.log2(law * axis_size)


def blend(kind):
    """The blend with the longest name that the kind begins with."""
    return max(((len(n), i) for i, (_, _, names) in enumerate(BLENDS) for n in names if kind.startswith(n)), default=(0, None))[1]


def laws_of(counts):
    """The same as `lean` for many tables of windows of ten bits at once."""
    law = np.full((len(counts), 1, 2), .5)
    for k in range(3, 10):
        now = counts.reshape(len(counts), -1, 1 << k, 2).sum(1)
        law = np.tile(law, (1, (1 << k) // law.shape[1], 1))
        law = (now + 40 * law) / (now.sum(2, keepdims=True) + 40)
    return np.log2(law * 2).reshape(len(counts), -1).astype('f4')


def mixed(pieces, rng):
    """Laws and the logarithms of their weights. A law leans on the law of all pieces as on 20,000 bits of it."""
    x = np.array(pieces, 'f4')
    common = x.sum(0) * (20000 / x.sum())
    share = rng.dirichlet(np.full(LAWS, .3), len(x)).astype('f4')
    for _ in range(20):
        laws, weights = laws_of(share.T @ x + common), np.log2(share.mean(0) + 1e-3)
        bits = x @ laws.T + weights
        share = np.exp2(np.maximum(bits - bits.max(1, keepdims=True), -60))
        share /= share.sum(1, keepdims=True)
    return laws, weights


def count(folders):
    """For each fold what the laws rest on."""
    G = len(FAMILIES)
    folds = [dict(bits={(w, o): np.zeros((G, 1 << w)) for o in (True, False) for w in (10, 12)}, pairs=np.zeros((G, 16, 256)), heads=np.zeros((G, 8, 256)), single=np.zeros((G, 256)), changes=np.zeros((G, 256)), pieces=[[] for _ in BLENDS]) for _ in range(FOLDS)]
    for folder in folders:
        blob = open(f'{folder}/blob.bin', 'rb').read()
        for line, row in enumerate(list(csv.reader(open(f'{folder}/index.csv')))[1:]):
            g = family(row[3], row[4])
            if g is None: continue
            t = folds[fold(origin(row[3], row[4], row[6], line))]
            data = blob[int(row[1]):int(row[1]) + min(int(row[2]), CAP)]
            v = np.frombuffer(data, 'u1')
            # A long sample counts no more than four of 256 bytes.
            weight = min(1, 1024 / len(v))
            for (w, o), table in t['bits'].items():
                table[g] += weight * np.bincount(windows(data, w, o), minlength=1 << w)
            t['pairs'][g] += weight * np.bincount((v[:-1] >> 4).astype(int) * 256 + v[1:], minlength=4096).reshape(16, 256)
            t['single'][g] += weight * np.bincount(v, minlength=256)
            for lag in (2, 3, 4, 5, 7, 8, 12):
                t['changes'][g] += weight * np.bincount(v[:-lag] ^ v[lag:], minlength=256)
            np.add.at(t['heads'][g], (np.arange(len(v[:8])), v[:8]), 1)
            b = blend(row[4])
            if b is not None and len(data) >= 120 and (row[7] == 'mid' or row[4] == 'opus_packets'):
                for at in range(0, max(1, len(data) - PIECE + 1), PIECE):
                    t['pieces'][b].append(np.bincount(windows(data[at:at + PIECE], 10, BLENDS[b][1]), minlength=1024).astype('u2'))
    return folds


def write(folds, path):
    G = len(FAMILIES)
    summed = lambda name: sum(t[name] for t in folds)
    bits = {key: sum(t['bits'][key] for t in folds) for key in folds[0]['bits']}
    pairs, heads, single, changes = map(summed, ('pairs', 'heads', 'single', 'changes'))
    out = {key: np.zeros((t.shape[1], G)) for key, t in bits.items()}
    pair_law, head_law, single_law, change_law = np.zeros((4096, G)), np.zeros((2048, G)), np.zeros((256, G)), np.zeros((256, G))
    for g in range(G):
        for (w, o), table in bits.items():
            # Contexts are the upper bits; the shortest that is kept has three.
            out[w, o][:, g] = lean(table[g], [1 << k for k in range(3, w)], 40, 2).reshape(-1)
        one = lean(single[g], [1], 60, 256)
        single_law[:, g] = one[0]
        change_law[:, g] = lean(changes[g], [1], 60, 256)[0]
        law = 2.0 ** one / 256
        pair_law[:, g] = np.log2((pairs[g] + 60 * law) / (pairs[g].sum(1, keepdims=True) + 60) * 256).reshape(-1)
        head_law[:, g] = np.log2((heads[g] + 60 * law) / (heads[g].sum(1, keepdims=True) + 60) * 256).reshape(-1)
    tables = [out[10, True], out[12, True], out[10, False], out[12, False], pair_law, head_law, single_law, change_law]
    with open(path, 'wb') as f:
        for t in tables: f.write(np.clip(np.round(t * STEPS), -127, 127).astype('i1').tobytes())
    pieces = [sum((t['pieces'][b] for t in folds), []) for b in range(len(BLENDS))]
    with open(os.path.join(os.path.dirname(path), 'blends.bin'), 'wb') as f:
        for some in pieces:
            laws, weights = mixed(some, np.random.default_rng(5))
            f.write(np.clip(np.round(np.vstack([weights, laws.T]) * STEPS), -127, 127).astype('i1').tobytes())
    print(path, [int(s.sum()) for s in single], [len(p) for p in pieces], flush=True)


def main():
    folders, path, left = sys.argv[1:-1], sys.argv[-1], ['']
    if '--leave' in folders:
        at = folders.index('--leave')
        left = folders[at + 1].split(',')
        del folders[at:at + 2]
    folds = count(folders)
    for some in left:
        to = path.replace('{}', some)
        os.makedirs(os.path.dirname(to) or '.', exist_ok=True)
        write([t for k, t in enumerate(folds) if str(k) not in some], to)


main()
