#!/usr/bin/env python3
"""Fits src/evidence/randomness/model.bin on feature files that `examples/randomness.rs` writes.

    pip install lightgbm numpy
    python3 examples/randomness_corpus.py OUT 1.5 31
    cargo run --release --example randomness -- OUT --features OUT/features.csv
    python3 examples/randomness_train.py OUT/features.csv[:WEIGHT] [MORE.csv[:WEIGHT] ...] src/evidence/randomness/model.bin
    python3 examples/randomness_train.py --folds 5 OUT/features.csv LAST.csv:2 PREDICTIONS.csv

With `--folds` nothing is fitted for good: the samples of the last feature file are predicted by models that
saw no sample of the same source file, in any of the files; `randomness FOLDER --predictions PREDICTIONS.csv`
scores them. `profiles.bin` comes first (`randomness_profiles.py`), since features rest on it.

Seven classes in the order of `Class::ALL`. model.bin: f32 what a step of a leaf is worth, u16 features and for
each u8 thresholds, f32 each; u16 trees and for each u8 inner nodes, the inner nodes (u8 feature, u8 rank: go
right when more thresholds than that lie below the value; i8 left, i8 right, a negative child is leaf -1 - i),
i16 leaves in steps. Tree t adds to class t mod 7. Little-endian throughout.
"""
import hashlib, re, struct, sys
import lightgbm as lgb, numpy as np

TEXT = ('text:', 'code:', 'json', 'html', 'xml', 'log', 'http', 'legacy')
CODES = {'encoded': 2, 'compressed': 3, 'media': 4, 'weak': 5, 'random': 6}
# Sources that are made on the spot, where the name says nothing.
MADE = {'enc', 'ecb', 'cipher', 'text', 'json', 'compressed', 'media', 'json_chat', 'protobuf', 'cbor', 'msgpack', 'http', 'ints', 'f32', 'f64', 'lowent', 'sqlite', 'log'}
ROUNDS = 170
OPTIONS = dict(objective='multiclass', num_class=7, num_leaves=31, learning_rate=.09, min_data_in_leaf=60, feature_fraction=.2, bagging_fraction=.7, bagging_freq=1, lambda_l2=20, max_bin=127, num_threads=1, verbose=-1, seed=7)


def label(name, kind, detectable):
    if name == 'mixed': return -1
    if name == 'plain': return 0 if kind.startswith(TEXT) else 1
    return CODES[name] if detectable == '1' else 6


def origin(name, kind, source, at):
    """The file that a sample comes from, as both the corpus and other sets name it."""
    source = re.sub(r'\.(mo|gz).*$', r'.\1', source.split('|')[0])
    return f'{source}#{at}' if source in MADE or name == 'random' or source == kind else source


def read(argument, folds):
    path, _, weight = argument.partition(':')
    x, y, f = [], [], []
    for at, line in enumerate(open(path)):
        name, kind, size, detectable, source, *values = line.rstrip().split(',')
        x.append(np.array(values, 'f4'))
        y.append(label(name, kind, detectable))
        f.append(hashlib.md5(origin(name, kind, source, f'{path}{at}').encode()).digest()[0] * folds // 256)
    return np.vstack(x), np.array(y), np.array(f), np.full(len(y), float(weight or 1))


def fit(x, y, w):
    known = y >= 0
    return lgb.train(OPTIONS, lgb.Dataset(x[known], y[known], weight=w[known]), ROUNDS)


def below(threshold):
    """The largest f32 that is no more than a threshold, so that f32 features fall on the same side."""
    value = np.float32(threshold)
    return float(np.nextafter(value, np.float32('-inf')) if value > threshold else value)


def flatten(tree):
    inner, leaves = [], []

    def walk(node):
        if 'split_feature' not in node:
            leaves.append(node['leaf_value'])
            return -len(leaves)
        at = len(inner)
        inner.append(None)
        inner[at] = [node['split_feature'], below(node['threshold']), walk(node['left_child']), walk(node['right_child'])]
        return at

    walk(tree['tree_structure'])
    return inner, leaves


def write(model, features, path):
    trees = [flatten(t) for t in model.dump_model()['tree_info']]
    steps = [sorted({n[1] for inner, _ in trees for n in inner if n[0] == f}) for f in range(features)]
    assert max(map(len, steps)) < 256
    worth = max(abs(v) for _, leaves in trees for v in leaves) / 32767
    out = struct.pack('<fH', worth, features)
    for s in steps: out += struct.pack(f'<B{len(s)}f', len(s), *s)
    out += struct.pack('<H', len(trees))
    for inner, leaves in trees:
        out += struct.pack('<B', len(inner))
        for f, t, left, right in inner: out += struct.pack('<BBbb', f, steps[f].index(t), left, right)
        out += struct.pack(f'<{len(leaves)}h', *(round(v / worth) for v in leaves))
    open(path, 'wb').write(out)
    gain = model.feature_importance('gain')
    print(len(trees), 'trees', len(out), 'bytes; strongest features', np.argsort(-gain)[:20].tolist(), 'unused', [f for f, s in enumerate(steps) if not s])


def main():
    arguments = sys.argv[1:]
    folds = int(arguments.pop(1)) if arguments[0] == '--folds' and arguments.pop(0) else 0
    files = [read(a, folds or 1) for a in arguments[:-1]]
    x, y, f, w = (np.concatenate(parts) for parts in zip(*files))
    print(x.shape, np.bincount(y[y >= 0]))
    if not folds: return write(fit(x, y, w), x.shape[1], arguments[-1])
    last = np.arange(len(y)) >= len(y) - len(files[-1][1])
    found = np.zeros((len(y), 7))
    for k in range(folds):
        held = last & (f == k)
        found[held] = fit(x[f != k], y[f != k], w[f != k]).predict(x[held], num_threads=1)
    np.savetxt(arguments[-1], found[last], '%.6f', ',')


main()
