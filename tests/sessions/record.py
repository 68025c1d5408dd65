#!/usr/bin/env python3
"""Records the sessions in this folder anew: openssl and gnutls clients and servers on loopback with a
relay between them that writes down what either side sent. Needs openssl, gnutls-cli and gnutls-serv.

    python3 tests/sessions/record.py [NAME...]

A file holds `k` lines (key log), `rsa FILE` and `psk HEX` (other keys that open it). `flow` starts a
connection between the same hosts, `>` and `<` are bytes of client and server in hexadecimal, and `want` is a
text that the client sent and that must come out.
"""
import os, re, socket, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = tempfile.mkdtemp()
TEXT = "see you at six under the bridge"
PSK = "00112233445566778899aabbccddeeff"
QUIT = [TEXT, "Q"]
PORT = 47000


def sh(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


def certificates():
    """Small ones: every byte is committed."""
    rsa = os.path.join(HERE, "server-rsa.pem")
    if not os.path.exists(rsa):
        sh("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa)
    ec = os.path.join(WORK, "ec.key")
    sh("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", ec)
    for name, key in (("rsa", rsa), ("ec", ec)):
        sh("openssl", "req", "-x509", "-new", "-key", key, "-subj", "/CN=t", "-days", "30000",
           "-out", os.path.join(WORK, name + ".crt"))
    return {"rsa": (os.path.join(WORK, "rsa.crt"), rsa), "ec": (os.path.join(WORK, "ec.crt"), ec)}


class Relay(threading.Thread):
    def __init__(self, listen, to):
        super().__init__(daemon=True)
        self.to, self.flows = to, []
        self.socket = socket.create_server(("127.0.0.1", listen))

    def run(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            turns, lock = [], threading.Lock()
            self.flows.append(turns)
            for a, b, mark in ((client, server, ">"), (server, client, "<")):
                threading.Thread(target=self.pump, args=(a, b, mark, turns, lock), daemon=True).start()

    @staticmethod
    def pump(a, b, mark, turns, lock):
        while True:
            try:
                data = a.recv(65536)
            except OSError:
                data = b""
            if not data:
                try:
                    b.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                return
            with lock:
                if turns and turns[-1][0] == mark:
                    turns[-1][1].extend(data)
                else:
                    turns.append((mark, bytearray(data)))
                b.sendall(data)


def record(name, server, clients, keep=lambda lines: lines, extra=(), text=TEXT):
    global PORT
    PORT += 2
    log = os.path.join(WORK, name + ".log")
    env = dict(os.environ, SSLKEYLOGFILE=log)
    relay = Relay(PORT, PORT + 1)
    process = subprocess.Popen([w.format(port=PORT + 1) for w in server], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", PORT + 1)).close()
            break
        except OSError:
            time.sleep(0.05)
    relay.start()
    try:
        for client in clients:
            c = subprocess.Popen([w.format(port=PORT, log=log, work=WORK) for w in client], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
            time.sleep(0.5)
            for line in text if isinstance(text, list) else [text]:
                try:
                    c.stdin.write((line + "\n").encode()); c.stdin.flush()
                except OSError:
                    break
                time.sleep(0.4)
            try:
                c.stdin.close(); c.wait(3)
            except (OSError, subprocess.TimeoutExpired):
                c.terminate()
            said = c.stdout.read().decode("latin-1")
            time.sleep(0.2)
    finally:
        process.terminate(); process.wait(); relay.socket.close()
    lines = []
    if os.path.exists(log):
        lines = [l for l in open(log).read().splitlines() if l and not l.startswith("#")]
    used = re.compile("(CLIENT_RANDOM|_SECRET)")
    lines = [l for l in lines if used.search(l.split()[0]) and not l.startswith("EXPORTER")]
    total = sum(len(d) for f in relay.flows for m, d in f)
    if not any(m == "<" for f in relay.flows for m, d in f) or total < 500:
        print("NOT RECORDED", name, said[-400:])
        return
    with open(os.path.join(HERE, name + ".txt"), "w") as out:
        out.write(f"# {name}: recorded by record.py\n")
        for line in keep(lines):
            out.write(f"k {line}\n")
        for line in extra:
            out.write(line + "\n")
        for flow in relay.flows:
            out.write("flow\n")
            for mark, data in flow:
                out.write(f"{mark} {bytes(data).hex()}\n")
        out.write(f"want {TEXT}\n")
    print(name, total, "bytes,", len(lines), "keys")


def openssl(cert, suite, *more, client=(), version="-tls1_2", log=True):
    crt, key = CERTS[cert] if cert else (None, None)
    level = suite + ":@SECLEVEL=0"
    server = ["openssl", "s_server", "-accept", "{port}", "-quiet", version, "-cipher", level]
    server += ["-cert", crt, "-key", key] if cert else ["-nocert"]
    server += list(more)
    c = ["openssl", "s_client", "-connect", "127.0.0.1:{port}", "-quiet", version, "-cipher", level]
    c += ["-keylogfile", "{log}"] if log else []
    return server, c + list(client)


def gnutls(cert, priority, server=(), client=()):
    crt, key = CERTS[cert] if cert else (None, None)
    s = ["gnutls-serv", "-p", "{port}", "--echo", "-q", "--priority", priority]
    s += ["--x509certfile", crt, "--x509keyfile", key] if cert else []
    c = ["gnutls-cli", "-p", "{port}", "127.0.0.1", "--insecure", "--priority", priority]
    return s + list(server), c + list(client)


def none(_):
    return []


def first(lines):
    return lines[:1]


ALL = {}


def plan():
    def one(name, pair, **more):
        ALL[name] = lambda: record(name, pair[0], [pair[1]], **more)

    ssl = [
        ("ecdhe-aes128-cbc-sha256-etm", "ec", "ECDHE-ECDSA-AES128-SHA256", {}),
        ("ecdhe-aes256-cbc-sha384-etm", "ec", "ECDHE-ECDSA-AES256-SHA384", {}),
        ("dhe-aes128-cbc-sha", "rsa", "DHE-RSA-AES128-SHA", {}),
        ("tls10-ecdhe-aes256-cbc", "ec", "ECDHE-ECDSA-AES256-SHA", {"version": "-tls1"}),
        ("tls11-ecdhe-aes128-cbc", "ec", "ECDHE-ECDSA-AES128-SHA", {"version": "-tls1_1"}),
        ("ecdhe-aes128-gcm", "ec", "ECDHE-ECDSA-AES128-GCM-SHA256", {}),
        ("ecdhe-aes256-gcm", "ec", "ECDHE-ECDSA-AES256-GCM-SHA384", {}),
        ("ecdhe-aes128-ccm", "ec", "ECDHE-ECDSA-AES128-CCM", {}),
        ("ecdhe-aes256-ccm8", "ec", "ECDHE-ECDSA-AES256-CCM8", {}),
        ("ecdhe-chacha20", "ec", "ECDHE-ECDSA-CHACHA20-POLY1305", {}),
        ("ecdhe-camellia256-cbc", "ec", "ECDHE-ECDSA-CAMELLIA256-SHA384", {}),
        ("ecdhe-aria256-gcm", "ec", "ECDHE-ECDSA-ARIA256-GCM-SHA384", {}),
        ("ecdhe-null-sha", "ec", "ECDHE-ECDSA-NULL-SHA", {}),
        ("anon-dh-aes128-cbc", None, "ADH-AES128-SHA", {}),
        ("anon-ecdh-aes128-cbc", None, "AECDH-AES128-SHA", {}),
    ]
    for name, cert, suite, more in ssl:
        one(name, openssl(cert, suite, **more))
    # CBC with the MAC inside the encryption.
    one("ecdhe-aes128-cbc-sha256-mte", gnutls("ec", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:%NO_ETM"))
    one("ecdhe-camellia128-gcm", gnutls("ec", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CAMELLIA-128-GCM"))
    one("ecdhe-3des", gnutls("ec", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+3DES-CBC"))
    one("ecdhe-rc4", gnutls("ec", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+ARCFOUR-128"))
    # Client certificate.
    one("client-certificate", openssl("ec", "ECDHE-ECDSA-AES128-GCM-SHA256", "-Verify", "1",
        client=["-cert", CERTS["ec"][0], "-key", CERTS["ec"][1]]))
    one("tls13-client-certificate", openssl("ec", "ALL", "-Verify", "1", version="-tls1_3",
        client=["-cert", CERTS["ec"][0], "-key", CERTS["ec"][1]]))
    one("tls13-padded", openssl("ec", "ALL", "-record_padding", "256", version="-tls1_3",
        client=["-record_padding", "256"]))
    # The RSA private key opens these, with and without the extended master secret.
    rsa = ["rsa server-rsa.pem"]
    one("rsa-aes128-gcm", openssl("rsa", "AES128-GCM-SHA256"), keep=none, extra=rsa)
    one("rsa-aes256-cbc-sha", openssl("rsa", "AES256-SHA"), keep=none, extra=rsa)
    one("rsa-tls11-aes128-cbc", openssl("rsa", "AES128-SHA", version="-tls1_1"), keep=none, extra=rsa)
    one("rsa-aes256-gcm-no-ems", gnutls("rsa",
        "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:-CIPHER-ALL:+AES-256-GCM:%NO_SESSION_HASH"), keep=none, extra=rsa)
    one("rsa-tls10-3des-no-ems", gnutls("rsa",
        "NORMAL:-VERS-ALL:+VERS-TLS1.0:-KX-ALL:+RSA:-CIPHER-ALL:+3DES-CBC:%NO_SESSION_HASH"), keep=none, extra=rsa)
    one("rsa-rc4", gnutls("rsa", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:-CIPHER-ALL:+ARCFOUR-128"),
        keep=none, extra=rsa)
    # Pre-shared keys; the last two need the key log, for the key alone does not open them.
    psk = [f"psk {PSK}"]
    p = ["-psk", PSK, "-psk_identity", "me"]
    one("psk-aes128-gcm", openssl(None, "PSK-AES128-GCM-SHA256", *p, client=p), keep=none, extra=psk)
    one("psk-aes256-cbc-sha384", openssl(None, "PSK-AES256-CBC-SHA384", *p, client=p), keep=none, extra=psk)
    one("rsa-psk-chacha20", openssl("rsa", "RSA-PSK-CHACHA20-POLY1305", *p, client=p), keep=none, extra=psk + rsa)
    one("dhe-psk-aes128-gcm", openssl(None, "DHE-PSK-AES128-GCM-SHA256", *p, client=p))
    one("ecdhe-psk-aes256-cbc-sha", openssl(None, "ECDHE-PSK-AES256-CBC-SHA384", *p, client=p))
    passwd = os.path.join(WORK, "psk.txt")
    open(passwd, "w").write(f"me:{PSK}\n")
    ke = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+PSK"
    pair = gnutls(None, ke, server=["--pskpasswd", passwd], client=["--pskusername", "me", "--pskkey", PSK])
    one("tls13-psk-ke", pair, keep=none, extra=psk)
    retry = openssl(None, "ALL", *p, "-allow_no_dhe_kex", "-groups", "P-256", version="-tls1_3",
        client=p + ["-allow_no_dhe_kex", "-groups", "X25519"])
    one("tls13-psk-ke-no-common-group", retry, keep=none, extra=psk)
    # Early data under a pre-shared key that is used alone. openssl takes such a key as a session, so one is made
    # first; its secret is the key.
    def early(name):
        made, said = os.path.join(WORK, "early.pem"), os.path.join(WORK, "early.txt")
        crt, key = CERTS["ec"]
        only = ["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"]
        accept = ["openssl", "s_server", "-cert", crt, "-key", key, "-quiet", "-early_data", *only]
        server = subprocess.Popen(accept + ["-accept", "46998"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        subprocess.run(["sh", "-c", f"sleep 1 | openssl s_client -connect 127.0.0.1:46998 -sess_out {made} {' '.join(only)}"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server.terminate(); server.wait()
        told = subprocess.run(["openssl", "sess_id", "-in", made, "-noout", "-text"], capture_output=True, text=True).stdout
        secret = re.search(r"Resumption PSK: ([0-9A-F]+)", told)[1].lower()
        open(said, "w").write(TEXT + "\n")
        alone = ["-psk_session", made, "-allow_no_dhe_kex"]
        client = ["openssl", "s_client", "-connect", "127.0.0.1:{port}", "-early_data", said, *only, *alone, "-groups", "X25519"]
        record(name, accept + ["-accept", "{port}", *alone, "-groups", "P-256"], [client], keep=none,
               extra=[f"psk {secret}"], text=["and what follows it", "Q"])
    ALL["tls13-psk-ke-early-data"] = lambda: early("tls13-psk-ke-early-data")
    # A server forgets sessions that end without a goodbye, which `Q` says. A second connection that resumes the first; only the first one's line is kept.
    def resumed(name, more, client_more, version):
        server, client = openssl("ec", "ECDHE-ECDSA-AES128-GCM-SHA256", *more, version=version)
        save, use = ["-sess_out", "{work}/" + name], ["-sess_in", "{work}/" + name]
        client = [w for w in client if w != "-quiet"] + client_more
        ALL[name] = lambda: record(name, server, [client + save, client + use], keep=first, text=QUIT)
    resumed("resumed-ticket", [], [], "-tls1_2")
    resumed("resumed-id", ["-no_ticket"], ["-no_ticket"], "-tls1_2")
    s, c = openssl("ec", "ECDHE-ECDSA-AES128-SHA", "-no_ticket", version="-tls1")
    c = [w for w in c if w != "-quiet"]
    ALL["resumed-tls10-id"] = lambda: record("resumed-tls10-id", s, [
        c + ["-no_ticket", "-sess_out", "{work}/r10"], c + ["-no_ticket", "-sess_in", "{work}/r10"]], keep=first, text=QUIT)
    s2, c2 = openssl("rsa", "AES128-GCM-SHA256")
    c2 = [w for w in c2 if w != "-quiet"]
    ALL["resumed-rsa-key"] = lambda: record("resumed-rsa-key", s2, [
        c2 + ["-sess_out", "{work}/rk"], c2 + ["-sess_in", "{work}/rk"]], keep=none, extra=rsa, text=QUIT)
    # The client renegotiates; the RSA key opens both handshakes.
    s3, c3 = openssl("rsa", "AES128-GCM-SHA256", "-client_renegotiation")
    c3 = [w for w in c3 if w != "-quiet"]
    ALL["renegotiated-rsa-key"] = lambda: record("renegotiated-rsa-key", s3, [c3], keep=none, extra=rsa,
        text=["before", "R", TEXT])


CERTS = certificates()
plan()
for name in sys.argv[1:] or list(ALL):
    ALL[name]()
