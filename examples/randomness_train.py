#!/usr/bin/env python3
"""Fits src/evidence/randomness/model.bin on feature files that `examples/randomness.rs` writes.

    pip install lightgbm numpy
    python3 examples/randomness_train.py NAME[:WEIGHT] ... src/evidence/randomness/model.bin
    python3 examples/randomness_train.py --check NAME[:WEIGHT] ... PREDICTIONS.csv

Samples lie in three folds by the file that they come from. NAME.0.csv, NAME.1.csv and NAME.2.csv have the features of
the same folder under a `profiles.bin` that left out that fold (`randomness_profiles.py --leave`), and each sample's are
taken from the file of its own fold. With `--check` nothing is fitted for good: the samples of the last NAME are
predicted by models that saw nothing of their fold, in any folder, neither in the trees nor in the profiles, which
takes NAME.01.csv, NAME.02.csv and NAME.12.csv too; `randomness FOLDER --predictions PREDICTIONS.csv` scores them.
docs/randomness.md has the commands in their order.

Seven classes in the order of `Class::ALL`. model.bin: f32 what a step of a leaf is worth, u16 features and for
each u8 thresholds, f32 each; u16 trees and for each its root. A node is u8 feature, u8 rank (go right when more
thresholds than that lie below the value), the node to the left, the node to the right; or it is a leaf, 255 and i16
steps. Tree t adds to class t mod 7. Little-endian throughout.
"""
import hashlib, itertools, re, struct, sys
import lightgbm as lgb, numpy as np

TEXT = ('text:', 'code:', 'json', 'html', 'xml', 'log', 'http', 'legacy')
CODES = {'encoded': 2, 'compressed': 3, 'media': 4, 'weak': 5, 'random': 6}
# Sources that are made on the spot, where the name says nothing.
MADE = {'enc', 'ecb', 'cipher', 'text', 'json', 'compressed', 'media', 'json_chat', 'protobuf', 'cbor', 'msgpack', 'http', 'ints', 'f32', 'f64', 'lowent', 'sqlite', 'log'}
# With PARTS over one, `--check` holds back so many parts of each fold one by one in place of the whole fold.
FOLDS, PARTS, ROUNDS = 3, 1, 200
OPTIONS = dict(objective='multiclass', num_class=7, num_leaves=31, learning_rate=.08, min_data_in_leaf=60, feature_fraction=.25, bagging_fraction=.7, bagging_freq=1, lambda_l2=20, max_bin=127, num_threads=1, verbose=-1, seed=7)


def label(name, kind, detectable):
    if name == 'mixed': return -1
    if name == 'plain': return 0 if kind.startswith(TEXT) else 1
    return CODES[name] if detectable == '1' else 6


def origin(name, kind, source, at):
    """The file that a sample comes from, as both the corpus and other sets name it."""
    if '#' in source: return source
    source = re.sub(r'\.(mo|gz).*$', r'.\1', source.split('|')[0])
    return f'{source}#{at}' if source in MADE or name == 'random' or source == kind else source


def fold(source):
    return hashlib.md5(source.encode()).digest()[0] * FOLDS // 256


def part(source):
    """Parts of a fold, by source as well. Where one is held back, the trees may have the rest of its fold: the profiles of
    every figure left out the whole."""
    return hashlib.md5(f'part{source}'.encode()).digest()[0] % PARTS


def read(argument, held, wanted):
    """Features, classes, weights and lines of the samples of the wanted parts of folds, under profiles without the held
    folds and the sample's own."""
    path, _, weight = argument.partition(':')
    parts = []
    for own in range(FOLDS):
        x, y = [], []
        for at, line in enumerate(open(f"{path}.{''.join(map(str, sorted({own, *held})))}.csv")):
            name, kind, size, detectable, source, values = line.rstrip().split(',', 5)
            source = origin(name, kind, source, at)
            if fold(source) != own or not wanted(own, part(source)): continue
            x.append(np.fromstring(values, 'f4', sep=','))
            y.append((label(name, kind, detectable), float(weight or 1), at))
        if x: parts.append((np.vstack(x), *np.array(y).T))
    x, y, w, lines = (np.concatenate(each) for each in zip(*parts))
    order = np.argsort(lines)
    return x[order], y[order], w[order], lines[order]


def fit(names, held, wanted):
    x, y, w, _ = (np.concatenate(each) for each in zip(*(read(name, held, wanted) for name in names)))
    print(x.shape, np.bincount(y[y >= 0].astype(int)), flush=True)
    return lgb.train(OPTIONS, lgb.Dataset(x[y >= 0], y[y >= 0], weight=w[y >= 0]), ROUNDS)


def below(threshold):
    """The largest f32 that is no more than a threshold, so that f32 features fall on the same side."""
    value = np.float32(threshold)
    # As Python floats: NumPy 2 would round the threshold to f32 before it compares.
    return float(np.nextafter(value, np.float32('-inf')) if float(value) > threshold else value)


def nodes(tree):
    """The nodes of a tree in the order of the file: (feature, threshold) or (None, leaf)."""
    if 'split_feature' not in tree: return [(None, tree['leaf_value'])]
    return [(tree['split_feature'], below(tree['threshold']))] + nodes(tree['left_child']) + nodes(tree['right_child'])


def pack(trees, features, path):
    steps = [sorted({v for tree in trees for g, v in tree if g == f}) for f in range(features)]
    assert features < 255 and max(map(len, steps)) < 256 and min(map(len, trees)) > 1
    worth = max(abs(v) for tree in trees for f, v in tree if f is None) / 32767
    out = struct.pack('<fH', worth, features)
    for s in steps: out += struct.pack(f'<B{len(s)}f', len(s), *s)
    out += struct.pack('<H', len(trees))
    for tree in trees:
        for f, v in tree: out += struct.pack('<Bh', 255, round(v / worth)) if f is None else struct.pack('<BB', f, steps[f].index(v))
    open(path, 'wb').write(out)
    print(len(trees), 'trees', len(out), 'bytes; unused', [f for f, s in enumerate(steps) if not s])


def main():
    names, out = sys.argv[1:-1], sys.argv[-1]
    if names[0] != '--check':
        model = fit(names, set(), lambda own, at: True)
        return pack([nodes(t['tree_structure']) for t in model.dump_model()['tree_info']], model.num_feature(), out)
    found = {}
    for one in itertools.product(range(FOLDS), range(PARTS)):
        held = {one[0]}
        model = fit(names[1:], held, lambda *other: other != one)
        x, _, _, lines = read(names[-1], held, lambda *other: other == one)
        found.update(zip(lines, model.predict(x, num_threads=1)))
    np.savetxt(out, [row for _, row in sorted(found.items())], '%.6f', ',')


if __name__ == '__main__': main()
