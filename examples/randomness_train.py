#!/usr/bin/env python3
"""Fits src/evidence/randomness/model.bin on feature files that `examples/randomness.rs` writes.

    pip install lightgbm numpy
    python3 examples/randomness_train.py FEATURES.csv[:WEIGHT] ... [+ FEATURES.csv[:WEIGHT] ...] src/evidence/randomness/model.bin
    python3 examples/randomness_train.py --folds 3[:SEED] ... LAST.csv[:WEIGHT] PREDICTIONS.csv

Each group of files, parted by `+`, gets a model of its own, and the models have equal says: the mean of their
scores. With `--folds` nothing is fitted for good: the samples of the last feature file of each group, which must be
the same file, are predicted by models that saw no sample of the same source file, in any of the files; `randomness
FOLDER --predictions PREDICTIONS.csv` scores them. `profiles.bin` comes first (`randomness_profiles.py`), since
features rest on it. docs/randomness.md has the commands in their order.

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
# Rounds and options of the models, one for each group of files.
FITS = [(170, {}), (150, dict(min_data_in_leaf=40, lambda_l2=10))]
OPTIONS = dict(objective='multiclass', num_class=7, num_leaves=31, learning_rate=.09, min_data_in_leaf=60, feature_fraction=.2, bagging_fraction=.7, bagging_freq=1, lambda_l2=20, max_bin=127, num_threads=1, verbose=-1, seed=7)


def label(name, kind, detectable):
    if name == 'mixed': return -1
    if name == 'plain': return 0 if kind.startswith(TEXT) else 1
    return CODES[name] if detectable == '1' else 6


def origin(name, kind, source, at):
    """The file that a sample comes from, as both the corpus and other sets name it."""
    if '#' in source: return source
    source = re.sub(r'\.(mo|gz).*$', r'.\1', source.split('|')[0])
    return f'{source}#{at}' if source in MADE or name == 'random' or source == kind else source


def read(argument, folds, seed):
    path, _, weight = argument.partition(':')
    x, y, f = [], [], []
    for at, line in enumerate(open(path)):
        name, kind, size, detectable, source, values = line.rstrip().split(',', 5)
        x.append(np.fromstring(values, 'f4', sep=','))
        y.append(label(name, kind, detectable))
        f.append(hashlib.md5((origin(name, kind, source, at) + seed).encode()).digest()[0] * folds // 256)
    return np.vstack(x), np.array(y), np.array(f), np.full(len(y), float(weight or 1))


def fit(x, y, w, rounds, more):
    known = y >= 0
    return lgb.train({**OPTIONS, **more}, lgb.Dataset(x[known], y[known], weight=w[known]), rounds)


def below(threshold):
    """The largest f32 that is no more than a threshold, so that f32 features fall on the same side."""
    value = np.float32(threshold)
    # As Python floats: NumPy 2 would round the threshold to f32 before it compares.
    return float(np.nextafter(value, np.float32('-inf')) if float(value) > threshold else value)


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


def pack(trees, features, path):
    """Writes trees of (inner nodes, leaves)."""
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
    print(len(trees), 'trees', len(out), 'bytes; unused', [f for f, s in enumerate(steps) if not s])


def shared(models):
    """The trees of all models; each model has an equal part of the say."""
    trees = [flatten(t) for m in models for t in m.dump_model()['tree_info']]
    return [(inner, [v / len(models) for v in leaves]) for inner, leaves in trees]


def main():
    arguments = sys.argv[1:]
    folds, seed = 0, ''
    if arguments[0] == '--folds':
        count, _, seed = arguments[1].partition(':')
        folds, arguments = int(count), arguments[2:]
    groups = [[]]
    for argument in arguments[:-1]:
        if argument == '+': groups.append([])
        else: groups[-1].append(argument)
    models, scores = [], 0
    for names, (rounds, more) in zip(groups, FITS):
        files = [read(name, folds or 1, seed) for name in names]
        x, y, f, w = (np.concatenate(parts) for parts in zip(*files))
        print(x.shape, np.bincount(y[y >= 0]), flush=True)
        if not folds:
            models.append(fit(x, y, w, rounds, more))
            continue
        last = np.arange(len(y)) >= len(y) - len(files[-1][1])
        found = np.zeros((len(y), 7))
        for k in range(folds):
            held = last & (f == k)
            found[held] = fit(x[f != k], y[f != k], w[f != k], rounds, more).predict(x[held], raw_score=True, num_threads=1)
        scores = scores + found[last] / len(groups)
    if not folds: return pack(shared(models), x.shape[1], arguments[-1])
    raised = np.exp(scores - scores.max(1, keepdims=True))
    np.savetxt(arguments[-1], raised / raised.sum(1, keepdims=True), '%.6f', ',')


if __name__ == '__main__': main()
