#!/usr/bin/env python3
"""Makes the corpus that `examples/randomness_train.py` fits the randomness model on.

    pip install numpy Pillow av brotli zstandard lz4 cramjam fonttools
    python3 examples/randomness_corpus.py OUT [SCALE] [SEED]

Everything comes from files that a Debian machine has anyway (manual pages, translations, headers,
programs, fonts, icons), from synthetic messages, sounds and pictures, and from the usual encoders.
OUT gets blob.bin and index.csv: id,offset,length,class,subclass,size,source,where,rand_frac,detectable.
"""
import base64, bz2, csv, fnmatch, glob, gzip, io, json, lzma, math, os, quopri, random, re, sqlite3, struct, subprocess, sys, urllib.parse, uuid, zipfile, zlib
import av, brotli, cramjam, lz4.block, lz4.frame, numpy as np, zstandard
from PIL import Image, ImageDraw, ImageFilter, ImageFont

OUT = sys.argv[1]
SCALE = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
R = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
NP = np.random.default_rng(R.randrange(1 << 30))
SIZES = {16: 9000, 32: 9000, 64: 9000, 128: 9000, 256: 9000, 512: 9000, 1024: 9000, 4096: 5000, 16384: 1800, 65536: 600}
MIX = [('plain', 15), ('encoded', 12), ('compressed', 20), ('media', 17), ('weak', 13), ('random', 21)]


def rb(n):
    return R.randbytes(n)


# ---------------------------------------------------------------- sources
def listing(*patterns, limit=400, lo=300):
    found = []
    for p in patterns:
        base, deep, name = p.partition('/**/')
        if not deep:
            found += glob.glob(p)
            continue
        name = name.replace('[to]tf', '?tf').replace('p[lm]', 'p?').replace('**/', '').replace('*/', '')
        for start in glob.glob(base):
            # Not glob's own `**`: it follows links, and /usr/bin/X11 leads back to /usr/bin.
            for folder, _, names in os.walk(start):
                found += [os.path.join(folder, f) for f in fnmatch.filter(names, name)]
    found = [f for f in found if os.path.isfile(f) and not os.path.islink(f)]
    found = sorted(set(found))
    R.shuffle(found)
    return [f for f in found if os.path.getsize(f) >= lo][:limit]


def load(path, cap=1 << 20):
    try:
        with open(path, 'rb') as f:
            data = f.read(cap * 2)
        if path.endswith('.gz'):
            data = gzip.decompress(open(path, 'rb').read())
        return data[:cap]
    except Exception:
        return b''


def catalogue(path):
    """The translated strings of a compiled gettext catalogue."""
    data = load(path)
    if len(data) < 28 or data[:4] != b'\xde\x12\x04\x95':
        return b''
    count, _, table = struct.unpack_from('<3I', data, 8)
    out = []
    for i in range(min(count, 4000)):
        n, at = struct.unpack_from('<2I', data, table + 8 * i)
        out.append(data[at:at + n].replace(b'\0', b' '))
    return b'\n'.join(out)


POOL = {}


def pool(kind, items):
    kept = [(s, d) for s, d in items if len(d) >= 200]
    if kept: POOL.setdefault(kind, []).extend(kept)


def build_pool():
    man = '/usr/share/man/'
    pool('text:en', [(os.path.basename(f), load(f)) for f in listing(man + 'man*/*.gz', '/usr/share/doc/**/*.txt', '/usr/share/doc/**/README*', '/usr/share/doc/**/changelog*.gz', '/usr/share/common-licenses/*', limit=500)])
    for lang in sorted(os.listdir(man)):
        if not lang.startswith('man'):
            pool('text:' + lang, [(os.path.basename(f), load(f)) for f in listing(man + lang + '/**/*.gz', limit=25)])
    for lang in sorted(os.listdir('/usr/share/locale')):
        files = listing(f'/usr/share/locale/{lang}/LC_MESSAGES/*.mo', limit=6, lo=3000)
        pool('text:' + lang, [(os.path.basename(f) + lang, catalogue(f)) for f in files])
        pool('mo', [(os.path.basename(f) + lang, load(f)) for f in files[:2]])
    py = os.path.dirname(os.__file__)
    pool('code:py', [(os.path.basename(f), load(f)) for f in listing(py + '/*.py', py + '/*/*.py', limit=150)])
    # Help pages of desktop programs, as they are and as the text in them.
    for folder in sorted(glob.glob('/usr/share/help/*')):
        pages = [(os.path.basename(f) + os.path.basename(folder), load(f)) for f in listing(folder + '/**/*.page', limit=8, lo=1500)]
        pool('xml', pages[:4])
        pool('text:' + os.path.basename(folder), [(s, re.sub(rb'\s*\n\s*', b'\n', re.sub(rb'<[^>]*>', b'', d))) for s, d in pages[2:]])
    pool('code:c', [(os.path.basename(f), load(f)) for f in listing('/usr/include/**/*.h', limit=150)])
    pool('code:pl', [(os.path.basename(f), load(f)) for f in listing('/usr/share/perl*/**/*.p[lm]', limit=150)])
    pool('code:rs', [(os.path.basename(f), load(f)) for f in listing(os.path.expanduser('~/.cargo/registry/src/*/*/src/**/*.rs'), limit=150)])
    pool('code:js', [(os.path.basename(f), load(f)) for f in listing('/usr/lib/node_modules/**/*.js', '/usr/share/javascript/**/*.js', limit=150)])
    pool('json', [(os.path.basename(f), load(f)) for f in listing('/usr/share/**/*.json', '/usr/lib/node_modules/**/*.json', limit=150)])
    pool('xml', [(os.path.basename(f), load(f)) for f in listing('/usr/share/**/*.xml', '/usr/share/icons/**/*.svg', limit=200)])
    pool('html', [(os.path.basename(f), load(f)) for f in listing('/usr/share/doc/**/*.html', os.path.expanduser('~/.rustup/toolchains/*/share/doc/rust/html/std/**/*.html'), limit=200)])
    pool('elf', [(os.path.basename(f), load(f)) for f in listing('/usr/bin/*', '/usr/lib/x86_64-linux-gnu/*.so*', limit=150, lo=9000) if load(f, 4)[:4] == b'\x7fELF'])
    pool('pyc', [(os.path.basename(f), load(f)) for f in listing(py + '/**/*.pyc', limit=80)])
    pool('ttf', [(os.path.basename(f), load(f)) for f in listing('/usr/share/fonts/**/*.[to]tf', limit=60)])
    pool('misc', [(os.path.basename(f), load(f)) for f in listing('/usr/share/zoneinfo/**/*', '/usr/share/terminfo/**/*', '/usr/share/X11/**/*', '/usr/share/mime/*.*', '/usr/share/perl/**/*.pod', '/usr/lib/**/*.o', '/usr/lib/**/*.a', limit=150)])
    logs = [(os.path.basename(f), load(f)) for f in listing('/var/log/**/*.log', limit=20)]
    for k in range(12):
        rows = [f'2026-{R.randint(1,12):02}-{R.randint(1,28):02}T{R.randint(0,23):02}:{R.randint(0,59):02}:{R.randint(0,59):02}.{R.randint(0,999):03}Z host{k} {R.choice(["sshd", "kernel", "nginx", "cron"])}[{R.randint(100,9999)}]: {sentence()}' for _ in range(400)]
        logs.append((f'log{k}', '\n'.join(rows).encode()))
    pool('log', logs)
    for k in range(6):
        path = f'{OUT}/t{k}.db'
        db = sqlite3.connect(path)
        db.execute('create table m(id integer primary key, who text, body text, at real, raw blob)')
        db.executemany('insert into m(who,body,at,raw) values(?,?,?,?)', [(R.choice(NAMES), sentence(), 1.7e9 + R.random() * 1e7, rb(R.choice([0, 8, 32]))) for _ in range(700)])
        db.commit(), db.close()
        pool('sqlite', [(f'sqlite{k}', load(path))]), os.remove(path)
    legacy = []
    for lang, charset in [('de', 'latin-1'), ('fr', 'latin-1'), ('es', 'latin-1'), ('pl', 'iso8859-2'), ('cs', 'iso8859-2'), ('hu', 'cp1250'), ('ru', 'koi8-r'), ('ru', 'cp1251'), ('uk', 'cp1251'), ('ja', 'shift-jis'), ('ja', 'euc-jp'), ('zh_CN', 'gb2312'), ('zh_TW', 'big5'), ('ko', 'euc-kr'), ('el', 'iso8859-7'), ('tr', 'iso8859-9'), ('ar', 'cp1256'), ('he', 'cp1255')]:
        for s, d in POOL.get('text:' + lang, [])[:6]:
            legacy.append((s + charset, d.decode('utf-8', 'ignore').encode(charset, 'ignore')))
    pool('legacy', legacy)


NAMES = ['Anna', 'Boris', 'Chloé', 'Dmitri', 'Ewa', 'Farid', 'Grace', 'Hana', 'Iñigo', 'Jürgen', 'Kofi', 'Lin', 'Mateo', 'Noor', 'Olga', 'Priya', '李雷', 'さくら', 'Мария', 'Øyvind']
CHAT = 'hey are you coming tonight ok see you at eight bring the keys please where is the meeting i will call later sounds good thanks lol no idea maybe tomorrow the train was late again happy birthday can you send the file running behind love it what time does it start on my way home dinner is ready'.split()
EMOJI = ['😀', '👍', '❤️', '😂', '🎉', '🙏', '🤔', '']


def sentence():
    if R.random() < .5 and any(k.startswith('text:') for k in POOL):
        kind = R.choice([k for k in POOL if k.startswith('text:')])
        text = R.choice(POOL[kind])[1]
        at = R.randrange(max(1, len(text) - 120))
        return text[at:at + R.randint(8, 110)].decode('utf-8', 'ignore').replace('\n', ' ')
    return ' '.join(R.choice(CHAT) for _ in range(R.randint(1, 16))) + R.choice(EMOJI)


def message():
    kind = R.randrange(6)
    who, when = R.choice(NAMES), R.randint(1_500_000_000, 1_800_000_000)
    if kind == 0:
        return {'type': 'message', 'from': who, 'to': R.choice(NAMES), 'body': sentence(), 'ts': when * 1000 + R.randint(0, 999)}
    if kind == 1:
        return {'id': str(uuid.UUID(bytes=rb(16))), 'sender_id': R.randint(1, 1 << 40), 'text': sentence(), 'reply_to': R.choice([None, R.randint(1, 99999)]), 'read': R.random() < .5}
    if kind == 2:
        return {'event_id': '$' + base64.urlsafe_b64encode(rb(24)).decode(), 'content': {'msgtype': 'm.text', 'body': sentence()}, 'origin_server_ts': when * 1000, 'sender': '@' + who + ':example.org'}
    if kind == 3:
        return {'ok': True, 'items': [{'n': R.randint(0, 500), 'u': who, 't': sentence()} for _ in range(R.randint(1, 5))], 'cursor': hex(R.getrandbits(48))}
    if kind == 4:
        return {'op': R.choice(['typing', 'presence', 'receipt', 'ack']), 'user': R.randint(1, 9999999), 'at': when, 'lat': R.random() * 180 - 90, 'lon': R.random() * 360 - 180}
    return {'channel': rb(R.choice([4, 8])).hex(), 'author': {'name': who, 'avatar': rb(16).hex()}, 'content': sentence(), 'mentions': [], 'attachments': [], 'nonce': str(R.getrandbits(60))}


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def protobuf(v, depth=0):
    out, number = b'', 0
    for x in (v.values() if isinstance(v, dict) else v):
        number += R.choice([1, 1, 1, 2])
        if isinstance(x, bool) or x is None:
            out += varint(number << 3) + varint(int(bool(x)))
        elif isinstance(x, int):
            out += varint(number << 3) + varint(x) if R.random() < .8 else varint(number << 3 | 1) + struct.pack('<Q', x & (1 << 64) - 1)
        elif isinstance(x, float):
            out += varint(number << 3 | 1) + struct.pack('<d', x)
        elif isinstance(x, str):
            try:
                raw = bytes.fromhex(x) if len(x) % 2 == 0 and len(x) >= 8 and R.random() < .5 else x.encode()
            except ValueError:
                raw = x.encode()
            out += varint(number << 3 | 2) + varint(len(raw)) + raw
        elif isinstance(x, (dict, list)):
            raw = protobuf(x, depth + 1)
            out += varint(number << 3 | 2) + varint(len(raw)) + raw
    return out


def msgpack(v):
    if v is None: return b'\xc0'
    if v is True: return b'\xc3'
    if v is False: return b'\xc2'
    if isinstance(v, int):
        if 0 <= v < 128: return bytes([v])
        for code, f, top in ((0xcc, '>B', 1 << 8), (0xcd, '>H', 1 << 16), (0xce, '>I', 1 << 32), (0xcf, '>Q', 1 << 64)):
            if 0 <= v < top: return bytes([code]) + struct.pack(f, v)
    if isinstance(v, float): return b'\xcb' + struct.pack('>d', v)
    if isinstance(v, str):
        raw = v.encode()
        n = len(raw)
        return (bytes([0xa0 | n]) if n < 32 else b'\xd9' + bytes([n]) if n < 256 else b'\xda' + struct.pack('>H', n)) + raw
    if isinstance(v, list): return (bytes([0x90 | len(v)]) if len(v) < 16 else b'\xdc' + struct.pack('>H', len(v))) + b''.join(map(msgpack, v))
    return (bytes([0x80 | len(v)]) if len(v) < 16 else b'\xde' + struct.pack('>H', len(v))) + b''.join(msgpack(k) + msgpack(x) for k, x in v.items())


def cbor(v):
    def head(major, n):
        if n < 24: return bytes([major << 5 | n])
        if n < 256: return bytes([major << 5 | 24, n])
        if n < 65536: return bytes([major << 5 | 25]) + struct.pack('>H', n)
        if n < 1 << 32: return bytes([major << 5 | 26]) + struct.pack('>I', n)
        return bytes([major << 5 | 27]) + struct.pack('>Q', n)
    if v is None: return b'\xf6'
    if v is True: return b'\xf5'
    if v is False: return b'\xf4'
    if isinstance(v, int): return head(0, v)
    if isinstance(v, float): return b'\xfb' + struct.pack('>d', v)
    if isinstance(v, str): return head(3, len(v.encode())) + v.encode()
    if isinstance(v, list): return head(4, len(v)) + b''.join(map(cbor, v))
    return head(5, len(v)) + b''.join(cbor(k) + cbor(x) for k, x in v.items())


def messages_of(encode, n):
    """Whole messages that fill `n` bytes exactly where that can be had, else a trimmed run of them."""
    best = b''
    for _ in range(60 if n <= 256 else 4):
        v = message()
        if n < 96:
            keys = R.sample(list(v), R.randint(1, min(3, len(v))))
            v = {k: (x[:R.randint(2, 24)] if isinstance(x, str) else x) for k, x in v.items() if k in keys}
        raw, run = encode(v), [v]
        while len(raw) < n and n > 200:
            run += [message() for _ in range(1 + (n - len(raw)) // 300)]
            raw = encode(run)
        if len(raw) == n: return raw
        if len(raw) > n: best = raw
    return best[:n] if best else None


def request(n):
    path = '/' + '/'.join(R.choice(['api', 'v1', 'v2', 'messages', 'users', 'send', 'sync', rb(4).hex()]) for _ in range(R.randint(1, 4)))
    head = f'{R.choice(["GET", "POST", "PUT"])} {path} HTTP/1.1\r\nHost: {R.choice(["api", "chat", "www"])}.example.{R.choice(["com", "org", "net"])}\r\nUser-Agent: app/{R.randint(1,9)}.{R.randint(0,9)}\r\nAccept: */*\r\nContent-Type: application/json\r\n\r\n'
    if R.random() < .5:
        head = f'HTTP/1.1 {R.choice(["200 OK", "404 Not Found", "201 Created"])}\r\nServer: nginx\r\nDate: Mon, {R.randint(1,28)} Jan 2026 10:{R.randint(10,59)}:00 GMT\r\nContent-Length: {R.randint(1,9999)}\r\nConnection: keep-alive\r\n\r\n'
    return (head + json.dumps([message() for _ in range(n // 150 + 1)])).encode()[:n]


MADE = ('protobuf', 'json_chat', 'cbor', 'msgpack', 'http', 'ints', 'f32', 'f64', 'lowent', 'text:*')
PLAIN = [('protobuf', 8), ('json_chat', 8), ('elf', 7), ('text:en', 7), ('json', 5), ('html', 5), ('log', 4), ('xml', 4), ('ttf', 3), ('misc', 3), ('legacy', 3), ('http', 3), ('ints', 3), ('mo', 3), ('cbor', 3), ('msgpack', 3), ('code:rs', 2), ('f64', 2), ('lowent', 2), ('code:py', 2), ('code:pl', 2), ('code:c', 2), ('f32', 2), ('pyc', 2), ('code:js', 2), ('sqlite', 1), ('text:*', 16)]


def pick(table):
    return R.choices([k for k, _ in table], [w for _, w in table])[0]


def window(data, n):
    if len(data) < n: return None
    at = R.randrange(len(data) - n + 1)
    return data[at:at + n]


def numbers(kind, n):
    count = n // 4 + 4
    base = np.cumsum(NP.normal(0, R.choice([.01, 1, 30]), count)) + R.choice([0, 1, 1000])
    if kind == 'f32': raw = base.astype('<f4' if R.random() < .7 else '>f4').tobytes()
    elif kind == 'f64': raw = base.astype('<f8').tobytes()
    elif R.random() < .5: raw = np.cumsum(NP.integers(0, R.choice([2, 10, 300]), count)).astype(R.choice(['<u4', '>u4', '<u8', '<u2'])).tobytes()
    else: raw = NP.integers(0, R.choice([10, 200, 5000, 100000]), count).astype(R.choice(['<u4', '>u4', '<u2', '>u2', '<u8'])).tobytes()
    return raw[:n] if len(raw) >= n else None


def low(n):
    kind = R.randrange(4)
    if kind == 0: return bytes(n)
    if kind == 1: return (rb(R.randint(1, 8)) * n)[:n]
    if kind == 2: return bytes(R.choice([0, 0, 0, 0, 1, 255]) for _ in range(n))
    return bytes((i * R.choice([1, 1, 2]) + 7) & 255 for i in range(n))


def plain(n, kind=None):
    kind = kind or pick([p for p in PLAIN if p[0] in POOL or p[0] in MADE])
    if kind == 'text:*': kind = R.choice([k for k in POOL if k.startswith('text:')])
    if kind == 'protobuf': return kind, kind, 'whole', messages_of(protobuf, n)
    if kind == 'json_chat': return kind, kind, 'whole', messages_of(lambda v: json.dumps(v, ensure_ascii=R.random() < .3, separators=R.choice([(',', ':'), (', ', ': ')])).encode(), n)
    if kind == 'cbor': return kind, kind, 'whole', messages_of(cbor, n)
    if kind == 'msgpack': return kind, kind, 'whole', messages_of(msgpack, n)
    if kind == 'http': return kind, kind, 'whole', request(n)
    if kind in ('ints', 'f32', 'f64'): return kind, kind, 'mid', numbers(kind, n)
    if kind == 'lowent': return kind, kind, 'mid', low(n)
    source, data = R.choice(POOL[kind])
    return kind, source, 'mid', window(data, n)


def any_plain(n):
    for _ in range(40):
        kind, source, where, data = plain(n)
        if data is not None and len(data) == n and kind != 'lowent': return source, data
    return 'en', window(max((d for _, d in POOL['text:en']), key=len) * 8, n)


# ---------------------------------------------------------------- compression
def deflater(wbits):
    def run(d):
        c = zlib.compressobj(R.choice([1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 7, 9, 9]), zlib.DEFLATED, wbits, R.choice([8, 8, 8, 8, 9, 5]))
        return c.compress(d) + c.flush()
    return run


def pmd(d):
    c = zlib.compressobj(R.choice([1, 6, 6, 9]), zlib.DEFLATED, -R.choice([15, 15, 12]))
    out = c.compress(d) + c.flush(zlib.Z_SYNC_FLUSH)
    return out[:-4]


def gz(d):
    return b'\x1f\x8b\x08\0' + struct.pack('<I', R.choice([0, R.randint(1_500_000_000, 1_800_000_000)])) + bytes([R.choice([0, 2, 4]), R.choice([3, 255, 0])]) + deflater(-15)(d) + struct.pack('<II', zlib.crc32(d), len(d))


def zipped(d):
    f = io.BytesIO()
    with zipfile.ZipFile(f, 'w', zipfile.ZIP_DEFLATED) as z:
        z.writestr(R.choice(['a.txt', 'word/document.xml', 'META-INF/MANIFEST.MF', 'data.json']), d)
    return f.getvalue()


def raw_of(x):
    return bytes(x)


CODECS = {
    'deflate': (deflater(-15), 13), 'gzip': (gz, 10), 'zlib': (deflater(15), 6), 'pmd': (pmd, 9),
    'brotli': (lambda d: brotli.compress(d, quality=R.choice([0, 1, 2, 3, 4, 4, 5, 5, 6, 7, 9, 11, 11]) if len(d) < 12000 else R.choice([1, 4, 5, 5, 6, 9]), lgwin=R.choice([22, 22, 22, 18, 16])), 11),
    'zstd': (lambda d: zstandard.ZstdCompressor(level=R.choice([1, 2, 3, 3, 3, 6, 9, 15, 19]) if len(d) < 12000 else R.choice([1, 3, 3, 5]), write_checksum=R.random() < .3, write_content_size=R.random() < .8).compress(d), 10),
    'xz': (lambda d: lzma.compress(d, preset=R.choice([0, 6, 6, 9]) if len(d) < 30000 else 0), 6), 'lzma': (lambda d: lzma.compress(d, format=lzma.FORMAT_ALONE, preset=R.choice([0, 6]) if len(d) < 30000 else 0), 5.5),
    'bz2': (lambda d: bz2.compress(d, R.choice([1, 6, 9])), 5.5), 'lz4f': (lambda d: lz4.frame.compress(d, compression_level=R.choice([0, 0, 9])), 6), 'lz4b': (lambda d: lz4.block.compress(d, store_size=False), 6.5),
    'snappy': (lambda d: raw_of(cramjam.snappy.compress_raw(d)), 5), 'snappyf': (lambda d: raw_of(cramjam.snappy.compress(d)), 3), 'zip': (zipped, 4.5),
}


def bulk(n):
    """Plain material of `n` bytes or fewer from one source."""
    for _ in range(20):
        kind = pick([p for p in PLAIN if p[0] in POOL or p[0] in MADE])
        if kind in ('lowent',): continue
        if kind == 'text:*': kind = R.choice([k for k in POOL if k.startswith('text:')])
        if kind in POOL:
            source, data = R.choice(POOL[kind])
            at = R.randrange(max(1, len(data) - n))
            return source, data[at:at + n]
        if kind in ('protobuf', 'json_chat', 'cbor', 'msgpack'):
            enc = {'protobuf': lambda v: protobuf([v]), 'cbor': cbor, 'msgpack': msgpack}.get(kind, lambda v: json.dumps(v, ensure_ascii=False).encode())
            out = b''
            while len(out) < n: out += enc(message())
            return kind, out[:n]
        data = numbers(kind, n) if kind != 'http' else request(n)
        if data: return kind, data
    return 'en', POOL['text:en'][0][1][:n]


def compressed(n):
    name = R.choices(list(CODECS), [w for _, w in CODECS.values()])[0]
    run = CODECS[name][0]
    if R.random() < .5 and name != 'zip' and n <= 4200:
        source, data = bulk(int(n * 8) + 300)
        low_, high = 1, len(data)
        state = R.getstate()
        def size(k):
            R.setstate(state)
            return run(data[:k])
        while low_ < high:
            mid = (low_ + high) // 2
            if len(size(mid)) < n: low_ = mid + 1
            else: high = mid
        for k in range(max(1, low_ - 4), min(len(data), low_ + 24)):
            z = size(k)
            if len(z) == n: return name + '_whole', source, 'whole', z
        z = size(min(len(data), low_ * 2 + 200))
        return (name + '_head', source, 'head', z[:n]) if len(z) >= n else None
    source, data = bulk(min(max(n * 10, R.choice([3000, 10000, 20000, 60000])), 1 << 20))
    z = run(data)
    if len(z) < n + 200: return None
    if name == 'zip' and R.random() < .4 or R.random() < .06: return name + '_head', source, 'head', z[:n]
    at = R.randrange(min(100, len(z) - n), len(z) - n + 1)
    return name + '_mid', source, 'mid', z[at:at + n]


# ---------------------------------------------------------------- media
def fractal(w, h):
    out = np.zeros((h, w))
    for k in range(1, 8):
        size = 2 ** k
        grid = NP.random((min(size, h) + 1, min(size, w) + 1))
        layer = np.asarray(Image.fromarray((grid * 255).astype('u1')).resize((w, h), Image.BICUBIC), float) / 255
        out += layer / size ** R.uniform(.5, 1.1)
    return (out - out.min()) / (np.ptp(out) + 1e-9)


def photo(w, h):
    """A photograph, or two or three over each other: what is cut out of its surroundings lies on the next."""
    back = Image.new('RGBA', (w, h), tuple(rb(3)) + (255,))
    for path in R.sample(PHOTOS, R.randint(1, 3)):
        img = Image.open(path).convert('RGBA')
        scale = max(w / img.width, h / img.height) * R.uniform(.8, 1.6)
        img = img.resize((max(1, int(img.width * scale)), max(1, int(img.height * scale))), Image.LANCZOS)
        back.alpha_composite(img.crop([x := R.randint(0, max(0, img.width - w)), y := R.randint(0, max(0, img.height - h)), x + w, y + h]))
    return back.convert('RGB')


def picture():
    w, h = R.choice([(160, 120), (320, 240), (480, 320), (640, 480), (800, 600), (600, 800)])
    if PHOTOS and R.random() < .5: return photo(w, h)
    if ICONS and R.random() < .35:
        img = Image.open(R.choice(ICONS)).convert('RGBA')
        back = Image.new('RGBA', img.size, tuple(rb(3)) + (255,))
        img = Image.alpha_composite(back, img).convert('RGB').resize((w, h), Image.LANCZOS)
        if R.random() < .5: return img
        base = np.asarray(img, float) + NP.normal(0, R.choice([2, 8]), (h, w, 1))
        return Image.fromarray(base.clip(0, 255).astype('u1'))
    hue = [NP.random(3) * 255 for _ in range(3)]
    f, g = fractal(w, h)[..., None], fractal(w, h)[..., None]
    base = (hue[0] * f + hue[1] * (1 - f)) * g + hue[2] * (1 - g)
    base += NP.normal(0, R.choice([0, 1, 3, 8]), (h, w, 3 if R.random() < .5 else 1))
    img = Image.fromarray(base.clip(0, 255).astype('u1'))
    draw = ImageDraw.Draw(img)
    for _ in range(R.randint(0, 12)):
        x, y = R.randrange(w), R.randrange(h)
        box = [x, y, x + R.randint(5, w // 2), y + R.randint(5, h // 2)]
        [draw.ellipse, draw.rectangle][R.randrange(2)](box, fill=tuple(rb(3)), outline=tuple(rb(3)))
    if FONTS and R.random() < .4:
        font = ImageFont.truetype(R.choice(FONTS), R.randint(10, 30))
        for k in range(R.randint(1, 9)): draw.text((R.randrange(w // 2), 5 + k * 30), sentence()[:50], fill=tuple(rb(3)), font=font)
    if R.random() < .4: img = img.filter(ImageFilter.GaussianBlur(R.choice([.5, 1.2])))
    return img


def save(img, form, **kw):
    f = io.BytesIO()
    img.save(f, form, **kw)
    return f.getvalue()


IMAGE = {
    'jpeg': lambda i: save(i, 'JPEG', quality=R.choice([50, 60, 70, 75, 75, 80, 85, 90, 92, 95]), optimize=R.random() < .3, subsampling=R.choice([0, 2])),
    'jpeg_prog': lambda i: save(i, 'JPEG', quality=R.choice([50, 60, 70, 75, 80, 85, 90]), progressive=True), 'png': lambda i: save(i, 'PNG', compress_level=R.choice([1, 6, 9])),
    'webp': lambda i: save(i, 'WEBP', quality=R.choice([40, 50, 60, 75, 75, 80, 90])), 'webp_ll': lambda i: save(i, 'WEBP', lossless=True), 'avif': lambda i: save(i, 'AVIF', quality=R.choice([40, 50, 65, 75]), speed=8),
    'jpeg2000': lambda i: save(i, 'JPEG2000', quality_mode='rates', quality_layers=[R.choice([10, 20])]), 'gif': lambda i: save(i.quantize(R.choice([64, 256])), 'GIF'),
}


def decoded(path, rate):
    resampler, out = av.AudioResampler('s16', 'mono', rate), []
    with av.open(path) as c:
        for frame in c.decode(audio=0): out += [f.to_ndarray().reshape(-1) for f in resampler.resample(frame)]
    return np.concatenate(out) if out else np.zeros(0, '<i2')


def spoken(seconds, rate):
    """Speech: of a person, or of a synthesizer that reads a text of the language."""
    out = np.zeros(0, '<i2')
    while len(out) < seconds * rate:
        if R.random() < .65:
            part = decoded(R.choice(VOICES), rate)
        else:
            lang = R.choice([k for k in POOL if k in ('text:de', 'text:en', 'text:fr', 'text:it', 'text:ru', 'text:sv', 'text:pt', 'text:cs')])
            text = R.choice(POOL[lang])[1]
            at, path = R.randrange(max(1, len(text) - 200)), f'{OUT}/voice.wav'
            subprocess.run(['espeak-ng', '-v', lang[5:], '-s', str(R.randint(120, 200)), '-w', path, '--', text[at:at + 160].decode('utf-8', 'ignore')], check=True, timeout=20)
            part = decoded(path, rate)
            os.remove(path)
        out = np.concatenate([out, part[:rate * 3].astype('<i2')])
    return out[:int(seconds * rate)]


def sound(seconds, rate):
    """Something between speech and music: voiced stretches through moving formants, breath, pauses, chords."""
    if VOICES and R.random() < .65: return spoken(seconds, rate)
    n = int(seconds * rate)
    t = np.arange(n) / rate
    out = np.zeros(n)
    at = 0
    while at < n:
        size = min(n - at, int(rate * R.uniform(.05, .35)))
        seg = t[:size]
        kind = R.random()
        if kind < .55:
            f0 = R.uniform(80, 260) * (1 + .1 * np.sin(2 * np.pi * R.uniform(1, 6) * seg))
            phase = 2 * np.pi * np.cumsum(f0) / rate
            formants = [R.uniform(250, 800), R.uniform(900, 2300), R.uniform(2400, 3500)]
            voice = np.zeros(size)
            for k in range(1, 24):
                f = k * f0.mean()
                if f > rate / 2: break
                voice += sum(1 / (1 + ((f - m) / 120) ** 2) for m in formants) * np.sin(k * phase) / k ** .3
            out[at:at + size] = voice * np.hanning(size) * .3
        elif kind < .75:
            out[at:at + size] = np.convolve(NP.normal(0, .1, size), NP.normal(0, 1, 9), 'same') * np.hanning(size)
        elif kind < .9:
            for _ in range(3): out[at:at + size] += .1 * np.sin(2 * np.pi * 110 * 2 ** (R.randint(0, 36) / 12) * seg) * np.exp(-3 * seg)
        at += size
    out += NP.normal(0, R.choice([.0003, .003]), n)
    peak = R.choice([.1, .4, .8, .8])
    return (out / (abs(out).max() + 1e-9) * 32767 * peak).astype('<i2')


def encode_audio(form, codec, rate, pcm, bit_rate=None, packets=False):
    f = io.BytesIO()
    c = av.open(f, 'w', format=form)
    s = c.add_stream(codec, rate=rate, layout='mono')
    if bit_rate: s.bit_rate = bit_rate
    if codec == 'vorbis': s.codec_context.options = {'strict': '-2'}; s.layout = 'stereo'
    out = []
    frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format='s16', layout='mono')
    frame.rate = rate
    for p in list(s.encode(frame)) + list(s.encode(None)):
        out.append(bytes(p))
        c.mux(p)
    c.close()
    return out if packets else f.getvalue()


def audio(kind):
    if kind in ('amr', 'ulaw', 'pcm16') or kind.startswith('opus') and R.random() < .3:
        rate = 8000
    else:
        rate = R.choice([16000, 24000, 48000]) if kind.startswith('opus') else R.choice([22050, 44100])
    pcm = sound(R.choice([3, 6]), rate)
    if kind == 'pcm16': return pcm.tobytes()
    if kind == 'ulaw': return encode_audio('mulaw', 'pcm_mulaw', 8000, pcm)
    if kind == 'amr': return encode_audio('amr', 'libopencore_amrnb', 8000, pcm, R.choice([4750, 7950, 12200]))
    if kind == 'opus_ogg': return encode_audio('ogg', 'libopus', rate, pcm, R.choice([12000, 24000, 32000]))
    if kind == 'opus_packets': return encode_audio('ogg', 'libopus', rate, pcm, R.choice([9000, 16000, 24000, 32000, 64000]), packets=True)
    if kind == 'vorbis': return encode_audio('ogg', 'vorbis', rate, pcm)
    if kind == 'mp3': return encode_audio('mp3', 'libmp3lame', rate, pcm, R.choice([32000, 64000, 128000]))
    if kind == 'aac_adts': return encode_audio('adts', 'aac', rate, pcm, R.choice([32000, 64000]))
    if kind == 'm4a': return encode_audio('ipod', 'aac', rate, pcm, R.choice([32000, 64000]))
    return encode_audio('flac', 'flac', rate, pcm)


def video(kind):
    form, codec = {'h264': ('h264', 'libx264'), 'mp4': ('mp4', 'libx264'), 'h265': ('hevc', 'libx265'), 'vp8': ('ivf', 'libvpx'), 'webm9': ('webm', 'libvpx-vp9')}[kind]
    w, h = R.choice([(192, 144), (320, 240)])
    first, second = picture().resize((w * 2, h * 2)), picture().resize((w // 3, h // 3))
    f = io.BytesIO()
    c = av.open(f, 'w', format=form)
    s = c.add_stream(codec, rate=25)
    s.width, s.height, s.pix_fmt, s.bit_rate = w, h, 'yuv420p', R.choice([200_000, 600_000, 1_500_000])
    s.options = {'libx264': {'preset': R.choice(['veryfast', 'medium']), 'profile': R.choice(['high', 'baseline'])}, 'libx265': {'preset': 'ultrafast', 'x265-params': 'log-level=none'}}.get(codec, {'deadline': 'realtime', 'cpu-used': '8'})
    for k in range(40):
        img = first.crop((k * 2, k, k * 2 + w, k + h)).copy()
        img.paste(second, (int(w / 2 + w / 3 * math.sin(k / 5)) - w // 6, h // 3))
        frame = np.asarray(img, int) + NP.normal(0, 2, (h, w, 1)).astype(int)
        for p in s.encode(av.VideoFrame.from_ndarray(frame.clip(0, 255).astype('u1'), format='rgb24')): c.mux(p)
    for p in s.encode(None): c.mux(p)
    c.close()
    return f.getvalue()


def woff2(path):
    from fontTools.ttLib import TTFont
    font = TTFont(path)
    font.flavor = 'woff2'
    f = io.BytesIO()
    font.save(f)
    return f.getvalue()


MEDIA = [('opus_packets', 12), ('img:png', 8), ('img:webp', 7), ('pcm16', 4.2), ('vid:mp4', 3.5), ('img:jpeg', 7), ('vid:webm9', 3.4), ('img:avif', 3.5), ('woff2', 3.3), ('aud:vorbis', 3.8), ('aud:opus_ogg', 3.8), ('aud:amr', 3.7), ('vid:h264', 3), ('img:webp_ll', 4), ('vid:vp8', 3.4), ('aud:mp3', 3.5), ('aud:m4a', 2.8), ('aud:flac', 2.5), ('vid:h265', 2.6), ('img:jpeg2000', 3.3), ('aud:ulaw', 3.1), ('aud:aac_adts', 3.2), ('img:jpeg_prog', 2.7), ('img:gif', 2.6)]
BANK, ICONS, FONTS, PHOTOS, VOICES = {}, [], [], [], []


def build_media():
    ICONS.extend(listing('/usr/share/icons/**/*.png', '/usr/share/doc/**/*.png', '/usr/share/pixmaps/*.png', limit=150, lo=4000))
    FONTS.extend(f for f in listing('/usr/share/fonts/**/*.ttf', limit=30))
    PHOTOS.extend(listing('/usr/share/tuxpaint/stamps/**/*.png', '/usr/share/games/**/*.jpg', '/usr/share/foobillardplus/**/*.png', limit=500, lo=20000))
    VOICES.extend(listing('/usr/share/asterisk/sounds/**/*.wav', '/usr/share/tuxpaint/stamps/**/*.ogg', limit=1500, lo=8000))
    made = max(6, int(50 * min(1, SCALE * 1.5)))
    for kind, _ in MEDIA:
        BANK[kind] = []
        count = made * 2 if kind == 'opus_packets' or kind.startswith('img') else made if not kind.startswith('vid') else made
        for k in range(count):
            try:
                if kind == 'woff2': data = woff2(R.choice(FONTS))
                elif kind.startswith('img'): data = IMAGE[kind[4:]](picture())
                elif kind.startswith('vid'): data = video(kind[4:])
                else: data = audio(kind.replace('aud:', ''))
                BANK[kind].append((f'{kind}-{k}', data))
            except Exception as error:
                if k == 0: print('no', kind, error, file=sys.stderr)
        print(kind, len(BANK[kind]), [len(d) for _, d in BANK[kind][:6]], file=sys.stderr, flush=True)


def media(n):
    kind = pick([m for m in MEDIA if BANK[m[0]]])
    source, data = R.choice(BANK[kind])
    if kind == 'opus_packets':
        at = R.randrange(len(data))
        big = [p for p in data if len(p) >= n]
        if big: return kind, source, 'head', R.choice(big)[:n]
        # Packets in a row have their lengths before them as a rule (RFC 4571 section 2).
        run = data[at:] + data
        if R.random() < .75: run = [len(p).to_bytes(2, 'big') + p for p in run]
        return kind, source, 'head', b''.join(run)[:n] if sum(map(len, run)) >= n else None
    if len(data) < n + 700:
        return (kind + '_head', source, 'head', data[:n]) if len(data) >= n and R.random() < .4 else None
    if kind == 'pcm16' or R.random() < .65:
        at = R.randrange(600, len(data) - n + 1)
        return kind + '_mid', source, 'mid', data[at:at + n]
    return kind + '_head', source, 'head', data[:n]


# ---------------------------------------------------------------- encodings
def uu(d):
    return b''.join(__import__('binascii').b2a_uu(d[i:i + 45]) for i in range(0, len(d), 45))


B58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
Z85 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'


def b58(d):
    out = ''
    for i in range(0, len(d), 32):
        v = int.from_bytes(d[i:i + 32], 'big')
        while v:
            v, r = divmod(v, 58)
            out += B58[r]
    return out.encode()


def z85(d):
    out = ''
    for i in range(0, len(d) - 3, 4):
        v = int.from_bytes(d[i:i + 4], 'big')
        out += ''.join(Z85[v // 85 ** k % 85] for k in (4, 3, 2, 1, 0))
    return out.encode()


def jwt(d):
    part = lambda x: base64.urlsafe_b64encode(x).rstrip(b'=')
    head = json.dumps({'alg': R.choice(['HS256', 'RS256', 'ES256']), 'typ': 'JWT'}).encode()
    body = json.dumps({'sub': R.randint(1, 99999), 'name': R.choice(NAMES), 'iat': R.randint(1_500_000_000, 1_800_000_000), 'scope': sentence()}).encode()
    return part(head) + b'.' + part(body) + b'.' + part(rb(R.choice([32, 64, 256]))) + part(d)


ENC = {
    'hex': (lambda d: d.hex().encode(), 10), 'HEX': (lambda d: d.hex().upper().encode(), 4), 'b64': (base64.b64encode, 15), 'b64url': (base64.urlsafe_b64encode, 10), 'b64mime': (base64.encodebytes, 5.6),
    'b32': (base64.b32encode, 5.3), 'b85': (base64.b85encode, 4.5), 'b58': (b58, 3.5), 'hexsp': (lambda d: d.hex(R.choice([' ', ':', '-'])).encode(), 3.2), 'z85': (z85, 2.2), 'uu': (uu, 2.5), 'jwt': (jwt, 2.2),
    'pgparmor': (lambda d: b'-----BEGIN PGP ' + R.choice([b'MESSAGE', b'PUBLIC KEY BLOCK', b'SIGNATURE']) + b'-----\n\n' + base64.encodebytes(d), 3),
    'datauri': (lambda d: b'data:' + R.choice([b'image/png', b'image/jpeg', b'audio/ogg', b'application/json']) + b';base64,' + base64.b64encode(d), 2), 'b64off': (lambda d: base64.b64encode(d)[R.randint(1, 3):], 2.5),
    'qp': (quopri.encodestring, 6.5), 'url': (lambda d: urllib.parse.quote(d).encode(), 5.6),
    'utf16le': (lambda d: d.decode('utf-8', 'ignore').encode('utf-16-le'), 7.6), 'utf16be': (lambda d: d.decode('utf-8', 'ignore').encode('utf-16-be'), 3), 'utf32': (lambda d: d.decode('utf-8', 'ignore').encode('utf-32-le'), 2),
}
TEXTUAL = ('qp', 'url', 'utf16le', 'utf16be', 'utf32')


def encoded(n):
    name = R.choices(list(ENC), [w for _, w in ENC.values()])[0]
    run = ENC[name][0]
    if name in TEXTUAL:
        kind = R.choice([k for k in POOL if k.startswith('text:')]) if R.random() < .75 else R.choice(['json', 'xml', 'code:py'])
        source, data = R.choice(POOL[kind])
        at = R.randrange(max(1, len(data) - 4 * n))
        z = run(data[at:at + 4 * n + 64])
        if len(z) < n + 8: return None
        at = R.randrange((len(z) - n) // 4 + 1) * (4 if name == 'utf32' else 2 if name.startswith('utf') else 1)
        return (name, source, 'mid', z[at:at + n]) if at + n <= len(z) else None
    roll = R.random()
    inner = rb(n) if roll < .5 else any_plain(n)[1] if roll < .65 else None
    if inner is None:
        got = compressed(n) if roll < .85 else media(n)
        if not got or got[3] is None: return None
        inner = got[3]
    if n <= 1100 and R.random() < .4 and name in ('b64', 'b64url', 'hex', 'HEX', 'b32', 'b58'):
        for k in range(max(1, n // 2 - 2), n):
            z = run(inner[:k])
            if name == 'b64url' and R.random() < .7: z = z.rstrip(b'=')
            if len(z) == n: return name, 'enc', 'whole', z
            if len(z) > n: break
    z = run(inner)
    return (name, 'enc', 'head', z[:n]) if len(z) >= n else None


# ---------------------------------------------------------------- weak obfuscation and ciphers
def aes_ecb(data, block):
    """A random permutation of blocks, which is what a block cipher in ECB mode is."""
    table = {}
    out = b''
    for i in range(0, len(data), block):
        piece = data[i:i + block].ljust(block, b'\0')
        out += table.setdefault(piece, rb(block))
    return out[:len(data)]


def ecb(n, block):
    at = R.random()
    if at < .4:
        data = (bytes([R.choice([0, 0, 255])]) * n if R.random() < .4 else any_plain(n)[1][:n // 2] + bytes(n))[:n]
    elif at < .7:
        data = (any_plain(max(1, R.choice([16, 32, 48])))[1] * n)[:n]
    else:
        data = any_plain(n)[1]
    blocks = [data[i:i + block] for i in range(0, n - block + 1, block)]
    return aes_ecb(data, block), len(set(blocks)) < len(blocks)


WEAK = [('xor1', 18), ('ecb16', 20), ('ecb8', 6), ('add', 8), ('xorroll', 6.5), ('rot', 5.5), ('xork4', 5), ('subst', 4), ('xork16', 4.4), ('xork8', 4), ('xork5', 2.6), ('xork10', 2.4), ('xork2', 2.3), ('xork13', 2.1), ('xork12', 2), ('xork7', 2), ('xork6', 2), ('xork32', 2.6), ('xork3', 1), ('xork24', .8), ('not_rev', 1.8)]


def weak(n):
    kind = pick(WEAK)
    if kind.startswith('ecb'):
        data, again = ecb(n, int(kind[3:]))
        return kind + ('_rep' if again else '_norep'), 'ecb', 'mid', data, int(again)
    source, data = any_plain(n)
    if kind == 'xor1': out = bytes(b ^ k for k in [R.randint(1, 255)] for b in data)
    elif kind == 'add': out = bytes(b + k & 255 for k in [R.randint(1, 255)] for b in data)
    elif kind == 'xorroll': out = bytes(b ^ (k + i * s & 255) for k, s in [(R.randrange(256), R.choice([1, 3, R.randrange(1, 256), R.randrange(1, 256)]))] for i, b in enumerate(data))
    elif kind == 'rot':
        k = R.choice([13, 13, R.randint(1, 25)])
        source, data = R.choice(POOL['text:en'])
        data = window(data, n)
        if data is None: return None
        out = bytes((b - 65 + k) % 26 + 65 if 65 <= b <= 90 else (b - 97 + k) % 26 + 97 if 97 <= b <= 122 else b for b in data)
    elif kind == 'subst':
        table = list(range(256))
        R.shuffle(table)
        out = bytes(table[b] for b in data)
    elif kind == 'not_rev': out = bytes(b ^ 255 for b in data) if R.random() < .5 else bytes(int(f'{b:08b}'[::-1], 2) for b in data)
    else:
        period = int(kind[4:])
        key = rb(period)
        out = bytes(b ^ key[i % period] for i, b in enumerate(data))
        if period >= n: return kind, source, 'mid', out, 0
    return kind, source, 'mid', out, 1


def curve_key():
    return b'\x05' + rb(31) + bytes([R.randrange(128)])


def framed(name, n):
    def body(head, tail=b''):
        return (head + rb(max(0, n - len(head) - len(tail))) + tail)[:n]
    small = lambda: varint(R.choice([R.randrange(20), R.randrange(200), R.randrange(5000)]))
    if name == 'signal':
        head = R.choice([b'\x33', b'\x33', b'\x44']) + b'\x0a\x21' + curve_key() + b'\x10' + small() + b'\x18' + small()
        return body(head + b'\x22' + varint(max(0, n - len(head) - 11)))
    if name == 'signal_prekey':
        return body(R.choice([b'\x33', b'\x44']) + (b'\x08' + varint(R.getrandbits(24)) if R.random() < .7 else b'') + b'\x12\x21' + curve_key() + b'\x1a\x21' + curve_key() + b'\x22' + varint(max(0, n - 90))) if R.random() < .5 else body(b'\x33\x28' + varint(R.getrandbits(12)) + b'\x08' + varint(R.getrandbits(24)) + b'\x30' + varint(R.getrandbits(24)) + b'\x12\x21' + curve_key() + b'\x1a\x21' + curve_key() + b'\x22' + varint(max(0, n - 90)))
    if name == 'olm': return body(b'\x03\x0a\x20' + rb(32) + b'\x10' + small() + b'\x22' + varint(max(0, n - 46)))
    if name == 'megolm': return body(b'\x03\x08' + small() + b'\x12' + varint(max(0, n - 78)))
    if name == 'mls': return body(b'\x00\x01\x00\x02' + (lambda k: bytes([k]) + rb(k))(R.choice([8, 16, 32])) + struct.pack('>Q', R.choice([0, 1, R.randrange(300)])) + bytes([R.choice([1, 2, 3])]) + b'\x00' + bytes([R.choice([0x1c, 0x10])]))
    if name == 'pgp': return body((b'\xd2' if R.random() < .6 else b'\xc1') + (bytes([n - 2]) if n - 2 < 192 else bytes([(n - 3 - 192 >> 8) + 192 & 255, n - 3 - 192 & 255]) if n < 8384 else b'\xff' + struct.pack('>I', n - 6)) + (b'\x01' if R.random() < .7 else b'\x02\x09\x02\x10'))
    if name == 'tls_record': return body(bytes([23, 3, 3]) + struct.pack('>H', n - 5 & 65535))
    if name == 'mtproto': return (lambda k: (k + rb(n))[:n])(rb(8) + rb(16))
    if name == 'noise_frame': return body(R.choice([struct.pack('>H', n - 2 & 65535), b'\0' + struct.pack('>H', n - 3 & 65535), struct.pack('>I', n - 4)]))
    if name == 'fernet': return body(b'\x80' + struct.pack('>Q', R.randint(1_500_000_000, 1_800_000_000)))
    return body(bytes([R.choice([0x80, 0x90, 0x80]), R.choice([96, 97, 111, 120, 224, 239])]) + rb(2) + rb(8))


def digests(n):
    kind = R.choice(['uuid4', 'x25519', 'uniform', 'counter'])
    out = b''
    while len(out) < n:
        if kind == 'uuid4': out += uuid.UUID(bytes=rb(16), version=4).bytes
        elif kind == 'x25519': out += curve_key()[1:]
        elif kind == 'counter': out = out + rb(4) + struct.pack('>Q', R.randrange(100000)) + rb(n)
        else: out += rb(32)
    return 'key_' + kind, out[:n]


FRAMES = [('noise_frame', 15), ('srtp', 15), ('mtproto', 14), ('pgp', 13), ('fernet', 11), ('tls_record', 10), ('megolm', 7), ('olm', 7), ('signal', 6), ('mls', 4), ('signal_prekey', 4)]


def uniform(n):
    roll = R.random()
    if roll < .69: return 'cipher', 'cipher', 'whole', rb(n)
    if roll < .97:
        name = pick(FRAMES)
        return 'hdr_' + name, name, 'whole', framed(name, n)
    kind, data = digests(n)
    return kind, kind, 'whole', data


def main():
    os.makedirs(OUT, exist_ok=True)
    build_pool()
    print({k: len(v) for k, v in POOL.items() if ':' not in k or not k.startswith('text')}, sum(k.startswith('text') for k in POOL), file=sys.stderr, flush=True)
    build_media()
    makers = {'plain': plain, 'encoded': encoded, 'compressed': compressed, 'media': media, 'weak': weak, 'random': uniform}
    plan = []
    for size, count in SIZES.items():
        for _ in range(int(count * SCALE)):
            # A third off the grid, so that nothing learns the powers of two.
            plan.append(size if R.random() < .67 else max(12, int(size * 2 ** R.uniform(-.5, .5))))
    R.shuffle(plan)
    offset = 0
    with open(f'{OUT}/blob.bin', 'wb') as blob, open(f'{OUT}/index.csv', 'w', newline='') as index:
        rows = csv.writer(index, lineterminator='\n')
        rows.writerow('id offset length class subclass size source where rand_frac detectable'.split())
        for k, n in enumerate(plan):
            label = pick(MIX)
            made = None
            for _ in range(50):
                try:
                    made = makers[label](n)
                except (ValueError, IndexError, struct.error):
                    made = None
                if made and made[3] is not None and len(made[3]) == n: break
                made = None
            if not made: continue
            kind, source, where, data = made[:4]
            detectable = made[4] if len(made) > 4 else 1
            rows.writerow([k, offset, n, label, kind, n, str(source).replace(',', '_'), where, 1.0 if label == 'random' else 0.0, detectable])
            blob.write(data)
            offset += n
            if k % 1000 == 0: print(k, len(plan), offset, file=sys.stderr, flush=True)


if __name__ == '__main__': main()
