#!/usr/bin/env python3
"""Fits src/evidence/randomness/model.bin on the corpus of `randomness_corpus.py`.

    pip install lightgbm numpy
    python3 examples/randomness_corpus.py OUT 1.5 31
    cargo run --release --example randomness -- OUT --features OUT/features.csv
    python3 examples/randomness_train.py OUT/features.csv [MORE.csv ...] src/evidence/randomness/model.bin

Seven classes in the order of `Class::ALL`. The file: u32 trees, then for each tree u8 inner nodes, the
inner nodes (u8 feature, f32 threshold, i8 left, i8 right; a negative child is leaf -1 - i), f32 leaves.
Tree t adds to class t mod 7. Little-endian throughout.
"""
import hashlib, struct, sys
import lightgbm as lgb, numpy as np

TEXT = ('text:', 'code:', 'json', 'html', 'xml', 'log', 'http', 'legacy')
CODES = {'encoded': 2, 'compressed': 3, 'media': 4, 'weak': 5, 'random': 6}


def label(name, kind, detectable):
    if name == 'plain': return 0 if kind.startswith(TEXT) else 1
    return CODES[name] if detectable == '1' else 6


rows, labels, folds = [], [], []
for line in (line for path in sys.argv[1:-1] for line in open(path)):
    name, kind, size, detectable, source, *values = line.rstrip().split(',')
    rows.append(np.array(values, 'f4'))
    labels.append(label(name, kind, detectable))
    # Sources are held out whole; samples without one (keys, ciphers) by row.
    key = source if source not in ('enc', 'ecb', 'cipher') else f'{source}{len(rows)}'
    folds.append(hashlib.md5(key.encode()).digest()[0] < 20)
x, y, held = np.vstack(rows), np.array(labels), np.array(folds)
print(x.shape, np.bincount(y), held.mean())
options = dict(objective='multiclass', num_class=7, num_leaves=31, learning_rate=.07, min_data_in_leaf=40, feature_fraction=.3, bagging_fraction=.7, bagging_freq=1, lambda_l2=5, max_bin=127, num_threads=1, verbose=-1, seed=7)
train = lgb.Dataset(x[~held], y[~held])
model = lgb.train(options, train, 340, valid_sets=[lgb.Dataset(x[held], y[held], reference=train)], callbacks=[lgb.early_stopping(30), lgb.log_evaluation(40)])
p = model.predict(x[held])
print('held-out accuracy', (p.argmax(1) == y[held]).mean())
trees = model.dump_model(num_iteration=model.best_iteration)['tree_info']
out = struct.pack('<I', len(trees))
for tree in trees:
    inner, leaves = [], []

    def walk(node):
        if 'split_feature' not in node:
            leaves.append(node['leaf_value'])
            return -len(leaves)
        at = len(inner)
        inner.append(None)
        inner[at] = (node['split_feature'], node['threshold'], walk(node['left_child']), walk(node['right_child']))
        return at

    walk(tree['tree_structure'])
    out += struct.pack('<B', len(inner)) + b''.join(struct.pack('<Bfbb', *n) for n in inner) + struct.pack(f'<{len(leaves)}f', *leaves)
open(sys.argv[-1], 'wb').write(out)
print(len(trees), 'trees', len(out), 'bytes')
gain = model.feature_importance('gain')
print('strongest features', np.argsort(-gain)[:20].tolist())
