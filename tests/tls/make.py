#!/usr/bin/env python3
"""Records BITS uploads over TLS between OpenSSL and OpenSSL, GnuTLS, Go and rustls, and has tshark decrypt them.

    tests/tls/make.py FOLDER [NAME...]
    BITSLEUTH_TLS_CAPTURES=FOLDER cargo test --test all tls::

Without names it records every case; with names it adds to the folder, with the key that is there. The samples are made again by

    tests/tls/make.py samples/tls/peers $(basename -s .pcapng samples/tls/peers/*.pcapng)

Needs Debian's gcc, libgnutls28-dev, golang-go, tshark and openssl, and cargo. Nothing is captured: a proxy on the loopback
interface writes what it passes on as packets with made-up headers, so no rights are needed. Each NAME.pcapng has its key
log inside. `plaintext.tsv` says what tshark makes of it: name, length and SHA-256 of both directions, which must also
be what client and server sent.
"""

import hashlib, json, os, re, select, socket, ssl, struct, subprocess, sys, tempfile, threading, time
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILE = bytes(range(256)) * 12 + b"the end"
SESSION = "{7D3E5A10-0000-4000-8000-0000000000A1}"


def request(kind, body=b"", extra=()):
    lines = ["BITS_POST /up/file.bin HTTP/1.1", "Host: bits.example.test", "User-Agent: Microsoft BITS/7.8",
             f"BITS-Packet-Type: {kind}", f"Content-Length: {len(body)}", *extra]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def conversation():
    session = f"BITS-Session-Id: {SESSION}"
    protocols = "BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}"
    yield request("Create-Session", extra=[protocols, "Content-Name: file.bin"])
    for start in (0, 2000):
        part = FILE[start:start + 2000]
        last = start + len(part) - 1
        yield request("Fragment", part, [session, f"Content-Range: bytes {start}-{last}/{len(FILE)}"])
    yield request("Close-Session", extra=[session])


def answer(message):
    head = message.split(b"\r\n\r\n")[0].decode()
    kind = re.search("BITS-Packet-Type: (.*)", head)[1].strip()
    lines = ["HTTP/1.1 200 OK", "BITS-Packet-Type: Ack", "Content-Length: 0", f"BITS-Session-Id: {SESSION}"]
    if kind == "Create-Session":
        lines.append("BITS-Protocol: {7df0354d-249b-430f-820d-3d2a9bef4931}")
    if kind == "Fragment":
        last = int(re.search(r"bytes \d+-(\d+)/", head)[1])
        lines.append(f"BITS-Received-Content-Range: {last + 1}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def read_message(receive):
    data = b""
    while b"\r\n\r\n" not in data:
        more = receive(65536)
        if not more:
            return data
        data += more
    need = int(re.search(rb"Content-Length: (\d+)", data)[1]) + data.index(b"\r\n\r\n") + 4
    while len(data) < need:
        data += receive(65536)
    return data


def listen():
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, listener.getsockname()[1]


class Backend(threading.Thread):
    """Answers BITS requests in the clear."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener, self.port = listen()
        self.start()

    def run(self):
        while True:
            threading.Thread(target=self.serve, args=[self.listener.accept()[0]], daemon=True).start()

    def serve(self, conn):
        while message := read_message(conn.recv):
            conn.sendall(answer(message))
        conn.close()


class Recorder(threading.Thread):
    """Passes bytes on and keeps them as packets."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.listener, self.port = listen()
        self.target, self.packets, self.count, self.done = target, [], 0, []
        self.start()

    def run(self):
        while True:
            conn, _ = self.listener.accept()
            self.count += 1
            self.done.append(threading.Thread(target=self.serve, args=[conn, self.count], daemon=True))
            self.done[-1].start()

    def serve(self, client, number):
        server = socket.create_connection(("127.0.0.1", self.target))
        seq = {client: 1000, server: 5000}
        port = 40000 + number

        def packet(sender, flags, payload=b""):
            other = server if sender is client else client
            ports = (port, 443) if sender is client else (443, port)
            tcp = struct.pack(">HHIIBBHHH", *ports, seq[sender], seq[other] if flags & 16 else 0, 80, flags, 65535, 0, 0)
            ends = (b"\x0a\0\0\x05", b"\x0a\0\0\x09")
            ends = ends if sender is client else ends[::-1]
            ip = struct.pack(">BBHHHBBH4s4s", 69, 0, 40 + len(payload), 0, 0, 64, 6, 0, *ends)
            self.packets.append((time.time_ns(), ip + tcp + payload))
            seq[sender] += len(payload) + (1 if flags & 3 else 0)

        packet(client, 2)
        packet(server, 18)
        packet(client, 16)
        open_ends = [client, server]
        while open_ends:
            for end in select.select(open_ends, [], [])[0]:
                other = server if end is client else client
                try:
                    data = end.recv(65536)
                except ConnectionResetError:
                    data = b""
                if not data:
                    open_ends.remove(end)
                    packet(end, 17)
                    try:
                        other.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass
                    continue
                for at in range(0, len(data), 1400):
                    packet(end, 24, data[at:at + 1400])
                try:
                    other.sendall(data)
                except OSError:
                    pass
        client.close()
        server.close()


def create_session(host_id, before):
    """A session opened in the clear on another server, which sends the client on."""
    asked = next(conversation())
    told = answer(asked)[:-2] + f"BITS-Host-Id: {host_id}\r\nBITS-Host-Id-Fallback-Timeout: 60\r\n\r\n".encode()
    steps = [(0, 2, b""), (1, 18, b""), (0, 16, b""), (0, 24, asked), (1, 24, told), (0, 17, b""), (1, 17, b"")]
    seq, packets = [1000, 5000], []
    for number, (side, flags, payload) in enumerate(steps):
        ports, ends = ((39999, 80), (80, 39999))[side], (b"\x0a\0\0\x05", b"\x0a\0\0\x08")
        ends = ends[::-1] if side else ends
        tcp = struct.pack(">HHIIBBHHH", *ports, seq[side], seq[1 - side] if flags & 16 else 0, 80, flags, 65535, 0, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 69, 0, 40 + len(payload), 0, 0, 64, 6, 0, *ends)
        packets.append((before - (len(steps) - number) * 1_000_000, ip + tcp + payload))
        seq[side] += len(payload) + (1 if flags & 3 else 0)
    return packets


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def write_pcapng(path, packets, keys, keys_last=False):
    secrets = block(10, struct.pack("<II", 0x544C534B, len(keys)) + keys) if keys else b""
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack("<HHI", 101, 0, 262144) + struct.pack("<HHBxxx", 9, 1, 9) + struct.pack("<HH", 0, 0))
    out += b"" if keys_last else secrets
    for time_ns, data in packets:
        head = struct.pack("<IIIII", 0, time_ns >> 32, time_ns & 0xFFFFFFFF, len(data), len(data))
        out += block(6, head + data)
    path.write_bytes(out + (secrets if keys_last else b""))


class Inside:
    """TLS inside what another connection carries."""

    def __init__(self, context, outer, host):
        self.outer, self.incoming, self.outgoing = outer, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=host)
        self.until_done(self.tls.do_handshake)

    def until_done(self, act, *arguments):
        while True:
            try:
                return act(*arguments)
            except ssl.SSLWantReadError:
                pass
            finally:
                self.outer.sendall(self.outgoing.read())
            self.incoming.write(self.outer.recv(65536))

    def sendall(self, data):
        self.until_done(self.tls.write, data)

    def recv(self, size):
        return self.until_done(self.tls.read, size)


def behind_proxy(context, outer, host):
    """What a client says to an HTTPS proxy: CONNECT (RFC 9110 9.3.6), and then TLS with the server."""
    outer.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\nContent-Length: 0\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += outer.recv(65536)
    return Inside(context, outer, host)


# What a client does: run as `make.py client JSON` for the sake of its own OPENSSL_CONF.
def client(spec):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if spec.get("verify"):
        context.check_hostname, context.verify_mode = True, ssl.CERT_REQUIRED
    if spec.get("verify") == "all":
        context.load_verify_locations(spec["authority"])
    context.keylog_filename = spec["keylog"]
    context.options |= spec.get("options", 0)
    context.set_alpn_protocols(["http/1.1"])
    version = {"12": ssl.TLSVersion.TLSv1_2, "13": ssl.TLSVersion.TLSv1_3}[spec["version"]]
    context.minimum_version = context.maximum_version = version
    if spec.get("ciphers"):
        context.set_ciphers(spec["ciphers"] + ":@SECLEVEL=0")
    if spec.get("cert"):
        context.load_cert_chain(spec["cert"], spec["key"])
    said, heard, session, resumed = b"", b"", None, []
    messages = list(conversation())
    splits = [messages] if not spec.get("resume") else [messages[:1], messages[1:]]
    for part in splits:
        raw = socket.create_connection(("127.0.0.1", spec["port"]))
        conn = context.wrap_socket(raw, server_hostname=spec.get("host", "bits.example.test"), session=session)
        carrier = behind_proxy(context, conn, "bits.example.test") if spec["peer"] == "proxy" else conn
        for message in part:
            carrier.sendall(message)
            said += message
            heard += read_message(carrier.recv)
        session = conn.session
        resumed.append(conn.session_reused)
        cipher = conn.cipher()[0]
        try:
            conn.unwrap()
        except (OSError, ssl.SSLError):
            pass
        conn.close()
        time.sleep(0.05)
    print(json.dumps({"said": said.hex(), "heard": heard.hex(), "resumed": resumed, "cipher": cipher}))


def openssl_server(work, case, backend):
    """OpenSSL by way of Python's ssl."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(work / "cert.pem", work / "key.pem")
    context.set_ciphers(case.get("server_ciphers", "ALL") + ":@SECLEVEL=0")
    context.load_dh_params(work / "dh.pem")
    context.options |= case.get("options", 0)
    if case.get("curve"):
        context.set_ecdh_curve(case["curve"])
    if case.get("ask"):
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(work / "cert.pem")
    context.set_alpn_protocols(["http/1.1"])
    listener, port = listen()

    def serve(raw):
        try:
            conn = context.wrap_socket(raw, server_side=True)
            plain = socket.create_connection(("127.0.0.1", backend))
            while message := read_message(conn.recv):
                plain.sendall(message)
                conn.sendall(read_message(plain.recv))
            conn.unwrap()
        except (OSError, ssl.SSLError):
            pass
        raw.close()

    def run():
        while True:
            threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    return port, None


def proxy(work, case, backend):
    """An HTTPS proxy in front of OpenSSL."""
    origin, _ = openssl_server(work, case, backend)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(work / "cert.pem", work / "key.pem")
    listener, port = listen()

    def serve(raw):
        try:
            conn = context.wrap_socket(raw, server_side=True)
            read_message(conn.recv)
            ahead = socket.create_connection(("127.0.0.1", origin))
            conn.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            while True:
                for end in [conn] if conn.pending() else select.select([conn, ahead], [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        ahead.close()
                        conn.unwrap()
                    (ahead if end is conn else conn).sendall(data)
        except (OSError, ssl.SSLError):
            pass
        raw.close()

    def run():
        while True:
            threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    return port, None


def program(*arguments):
    listener, port = listen()
    listener.close()
    process = subprocess.Popen([arguments[0], str(port), *map(str, arguments[1:])], stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            # A connection without a handshake, which the servers survive.
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.05)
    return port, process


def start(work, case, backend):
    pems = (work / "cert.pem", work / "key.pem")
    match case["peer"]:
        case "openssl":
            return openssl_server(work, case, backend)
        case "proxy":
            return proxy(work, case, backend)
        case "gnutls":
            return program(work / "gnutls", backend, *pems, case["priority"], case.get("flags", "-"))
        case "go":
            return program(work / "go", backend, *pems, case["version"], case.get("suite", "any"), case.get("flags", "-"))
        case "rustls":
            return program(work / "rustls", backend, *pems, case["suite"], case.get("flags", "-"))


class Talker:
    """OpenSSL's own client or server, which says what it is given and gives what it hears."""

    def __init__(self, name, *arguments):
        command = ["openssl", name, "-quiet", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def say(self, message):
        self.process.stdin.write(message)
        self.process.stdin.flush()

    def hear(self):
        return read_message(lambda size: os.read(self.process.stdout.fileno(), size))

    def end(self):
        self.process.stdin.close()
        self.process.wait(5)


def s_server(work):
    """A server that takes early data; what it hears of it comes first."""
    listener, port = listen()
    listener.close()
    server = Talker("s_server", "-accept", port, "-cert", work / "cert.pem", "-key", work / "key.pem", "-tls1_3", "-early_data")
    time.sleep(0.5)
    return port, server


def with_early_data(work, port, server, keylog):
    """Two connections; the second resumes the first, and its first request is early data (RFC 8446 2.3)."""
    messages, ticket, early = list(conversation()), work / "ticket", work / "early"
    said, heard = b"", b""

    def exchange(client, message):
        nonlocal said, heard
        if client:
            client.say(message)
        asked = server.hear()
        server.say(answer(asked))
        said += asked
        return asked == message

    common = ["s_client", "-connect", f"127.0.0.1:{port}", "-tls1_3", "-keylogfile", keylog, "-servername", "bits.example.test", "-no_ign_eof"]
    client = Talker(*common, "-sess_out", ticket)
    exchange(client, messages[0])
    heard += client.hear()
    client.end()
    early.write_bytes(messages[1])
    client = Talker(*common, "-sess_in", ticket, "-early_data", early)
    for message in messages[1:]:
        exchange(None if message is messages[1] else client, message)
        heard += client.hear()
    client.end()
    return {"said": said.hex(), "heard": heard.hex(), "cipher": "TLS_AES_256_GCM_SHA384"}


NO_ETM, NO_EMS, NO_TICKET = 1 << 19, 1 << 0, ssl.OP_NO_TICKET

# OpenSSL's names: key exchange, cipher.
SUITES12 = {
    "rsa-gcm128": "AES128-GCM-SHA256", "rsa-gcm256": "AES256-GCM-SHA384", "rsa-cbc-sha": "AES128-SHA",
    "rsa-cbc256-sha": "AES256-SHA", "rsa-cbc-sha256": "AES128-SHA256", "rsa-cbc256-sha256": "AES256-SHA256",
    "dhe-gcm128": "DHE-RSA-AES128-GCM-SHA256", "dhe-gcm256": "DHE-RSA-AES256-GCM-SHA384",
    "dhe-cbc-sha": "DHE-RSA-AES128-SHA", "dhe-cbc256-sha256": "DHE-RSA-AES256-SHA256", "dhe-chacha": "DHE-RSA-CHACHA20-POLY1305",
    "ecdhe-gcm128": "ECDHE-RSA-AES128-GCM-SHA256", "ecdhe-gcm256": "ECDHE-RSA-AES256-GCM-SHA384",
    "ecdhe-cbc-sha": "ECDHE-RSA-AES128-SHA", "ecdhe-cbc256-sha": "ECDHE-RSA-AES256-SHA",
    "ecdhe-cbc-sha256": "ECDHE-RSA-AES128-SHA256", "ecdhe-cbc256-sha384": "ECDHE-RSA-AES256-SHA384",
    "ecdhe-chacha": "ECDHE-RSA-CHACHA20-POLY1305",
}
SUITES13 = {"gcm128": "TLS_AES_128_GCM_SHA256", "gcm256": "TLS_AES_256_GCM_SHA384", "chacha": "TLS_CHACHA20_POLY1305_SHA256"}
GO12 = ["rsa-gcm128", "rsa-gcm256", "rsa-cbc-sha", "rsa-cbc256-sha", "rsa-cbc-sha256", "ecdhe-gcm128", "ecdhe-gcm256",
        "ecdhe-cbc-sha", "ecdhe-cbc256-sha", "ecdhe-cbc-sha256", "ecdhe-chacha"]
RUSTLS12 = {"ecdhe-gcm128": "ECDHE_RSA_WITH_AES_128_GCM", "ecdhe-gcm256": "ECDHE_RSA_WITH_AES_256_GCM",
            "ecdhe-chacha": "ECDHE_RSA_WITH_CHACHA20"}
PRIORITY = ("NORMAL:+RSA:+DHE-RSA:+ECDHE-RSA:+AES-128-CBC:+AES-256-CBC:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
            "+SHA1:+SHA256:+SHA384:%NO_TICKETS_TLS12")


def cases():
    for name, suite in SUITES12.items():
        yield {"name": f"openssl-12-{name}", "peer": "openssl", "version": "12", "ciphers": suite}
        yield {"name": f"gnutls-12-{name}", "peer": "gnutls", "version": "12", "ciphers": suite, "priority": PRIORITY}
        if name in GO12:
            yield {"name": f"go-12-{name}", "peer": "go", "version": "12", "ciphers": suite, "suite": "all"}
        if name in RUSTLS12:
            yield {"name": f"rustls-12-{name}", "peer": "rustls", "version": "12", "ciphers": suite, "suite": RUSTLS12[name]}
        if "cbc" in name:
            for peer in ("openssl", "gnutls"):
                yield {"name": f"{peer}-12-{name}-no-etm", "peer": peer, "version": "12", "ciphers": suite,
                       "options": NO_ETM, "priority": PRIORITY + ":%NO_ETM"}
    for name, suite in SUITES13.items():
        common = {"version": "13", "suite13": suite}
        yield {"name": f"openssl-13-{name}", "peer": "openssl", **common}
        yield {"name": f"gnutls-13-{name}", "peer": "gnutls", "priority": "NORMAL", **common}
        yield {"name": f"go-13-{name}", "peer": "go", **common}
        yield {"name": f"rustls-13-{name}", "peer": "rustls", "suite": "TLS13", **common}
    for name in ("rsa-gcm256", "rsa-cbc-sha"):
        yield {"name": f"openssl-12-{name}-no-ems", "peer": "openssl", "version": "12", "ciphers": SUITES12[name], "options": NO_EMS}
    both = {"version": "12", "ciphers": SUITES12["rsa-gcm128"], "resume": True}
    yield {"name": "openssl-12-resume-id", "peer": "openssl", "options": NO_TICKET, **both}
    yield {"name": "openssl-12-resume-ticket", "peer": "openssl", **both}
    yield {"name": "gnutls-12-resume-id", "peer": "gnutls", "priority": PRIORITY, "flags": "cache", **both}
    yield {"name": "gnutls-12-resume-ticket", "peer": "gnutls", "priority": PRIORITY.replace(":%NO_TICKETS_TLS12", ""), "flags": "tickets", **both}
    yield {"name": "go-12-resume-ticket", "peer": "go", **both}
    for peer in ("openssl", "gnutls", "go", "rustls"):
        yield {"name": f"{peer}-13-resume-psk", "peer": peer, "version": "13", "suite": "TLS13", "priority": "NORMAL", "flags": "tickets", "resume": True}
    yield {"name": "openssl-13-resume-early", "peer": "s_server", "version": "13"}
    # tshark follows the outer connection only.
    yield {"name": "openssl-13-inside-13", "peer": "proxy", "version": "13", "alone": True}
    yield {"name": "openssl-13-hello-retry", "peer": "openssl", "version": "13", "curve": "secp384r1"}
    yield {"name": "gnutls-13-hello-retry", "peer": "gnutls", "version": "13", "priority": "NORMAL:-GROUP-ALL:+GROUP-SECP384R1"}
    yield {"name": "gnutls-13-key-update", "peer": "gnutls", "version": "13", "priority": "NORMAL", "flags": "keyupdate"}
    yield {"name": "rustls-13-key-update", "peer": "rustls", "version": "13", "suite": "TLS13", "flags": "keyupdate"}
    for name in ("rsa-gcm128", "rsa-cbc-sha", "ecdhe-gcm256"):
        yield {"name": f"gnutls-12-renegotiation-{name}", "peer": "gnutls", "version": "12", "ciphers": SUITES12[name], "priority": PRIORITY, "flags": "rehandshake"}
    yield {"name": "gnutls-12-renegotiation-client-cert", "peer": "gnutls", "version": "12", "ciphers": SUITES12["ecdhe-gcm128"], "priority": PRIORITY, "flags": "reauth", "cert": True}
    yield {"name": "openssl-12-client-cert", "peer": "openssl", "version": "12", "ciphers": SUITES12["rsa-gcm128"], "ask": True, "cert": True}
    yield {"name": "openssl-13-client-cert", "peer": "openssl", "version": "13", "ask": True, "cert": True}
    yield {"name": "go-13-client-cert-refused", "peer": "go", "version": "13", "flags": "ask", "fails": True}
    yield {"name": "go-12-client-cert-refused", "peer": "go", "version": "12", "ciphers": SUITES12["ecdhe-gcm128"], "flags": "ask", "fails": True}
    # Handshakes that fail.
    yield {"name": "openssl-12-no-common-suite", "peer": "openssl", "version": "12", "ciphers": SUITES12["rsa-cbc-sha"], "server_ciphers": "ECDHE+AESGCM", "fails": True}
    yield {"name": "gnutls-12-no-common-version", "peer": "gnutls", "version": "12", "priority": "NORMAL:-VERS-ALL:+VERS-TLS1.3", "fails": True}
    yield {"name": "openssl-13-unknown-authority", "peer": "openssl", "version": "13", "verify": "nobody", "fails": True}
    yield {"name": "openssl-12-host-id-name", "peer": "openssl", "version": "12", "verify": "all", "host": "node2.example.test", "host_id": True, "fails": True}
    yield {"name": "openssl-13-keys-last", "peer": "openssl", "version": "13", "keys_last": True}


def record_early(work, case, folder):
    port, server = s_server(work)
    recorder = Recorder(port)
    keylog = work / f"{case['name']}.keys"
    try:
        truth = with_early_data(work, recorder.port, server, keylog)
    finally:
        server.process.kill()
    for thread in recorder.done:
        thread.join(2)
    path = folder / f"{case['name']}.pcapng"
    write_pcapng(path, recorder.packets, keylog.read_bytes())
    return compare(case, path, truth)


def record(work, case, folder):
    if case["peer"] == "s_server":
        return record_early(work, case, folder)
    backend = Backend()
    port, process = start(work, case, backend.port)
    recorder = Recorder(port)
    keylog = work / f"{case['name']}.keys"
    spec = {**case, "port": recorder.port, "keylog": str(keylog), "authority": str(work / "cert.pem")}
    if case.get("cert"):
        spec |= {"cert": str(work / "cert.pem"), "key": str(work / "key.pem")}
    conf = work / "openssl.cnf"
    suite13 = f"Ciphersuites = {case['suite13']}\n" if case.get("suite13") else ""
    conf.write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n" + suite13 + "CipherString = ALL:@SECLEVEL=0\n")
    env = {**os.environ, "OPENSSL_CONF": str(conf)}
    command = [sys.executable, __file__, "client", json.dumps(spec)]
    try:
        run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
    except subprocess.TimeoutExpired:
        return f"{case['name']}: the client got no answer"
    finally:
        if process:
            process.kill()
    for thread in recorder.done:
        thread.join(2)
    if run.returncode and not case.get("fails"):
        return f"{case['name']}: {run.stderr.strip().splitlines()[-1]}"
    packets = recorder.packets
    if case.get("host_id"):
        packets = create_session(case["host"], packets[0][0]) + packets
    keys = keylog.read_bytes() if keylog.exists() else b""
    if case.get("resume") and case["version"] == "12" and "rsa" not in case["name"]:
        # The line of the second handshake is left out: the first one's secret must do.
        lines = [line for line in keys.splitlines(True) if line.startswith(b"CLIENT_RANDOM")]
        keys = b"".join(lines[:1])
    path = folder / f"{case['name']}.pcapng"
    write_pcapng(path, packets, keys, case.get("keys_last"))
    if case.get("fails") or case.get("alone"):
        return None
    truth = json.loads(run.stdout)
    if case.get("resume") and truth["resumed"] != [False, True]:
        return f"{case['name']}: not resumed"
    if case.get("keys_last"):
        # tshark wants the keys first.
        first = work / path.name
        write_pcapng(first, packets, keys)
    return compare(case, first if case.get("keys_last") else path, truth)


def compare(case, path, truth):
    """What both sides sent, if tshark says the same."""
    told = by_tshark(path)
    sent = (bytes.fromhex(truth["said"]), bytes.fromhex(truth["heard"]))
    if told != sent:
        return f"{case['name']}: tshark has {[len(x) for x in told]} bytes of {[len(x) for x in sent]}"
    return [case["name"], truth["cipher"], *(word for side in told for word in (len(side), hashlib.sha256(side).hexdigest()))]


def by_tshark(path):
    """The plaintext of both directions as tshark decrypts it."""
    sides = (b"", b"")
    for stream in range(2):
        command = ["tshark", "-2", "-r", path, "-q", "-z", f"follow,tls,raw,{stream}"]
        out = subprocess.run(command, capture_output=True, text=True).stdout
        # Node 0 is who sent the first data, be it a session ticket.
        swapped = "Node 0: 10.0.0.9" in out
        for line in out.splitlines():
            if re.fullmatch(r"\t?([0-9a-f]{2})+", line):
                side = int(line.startswith("\t") != swapped)
                sides = tuple(old + (bytes.fromhex(line.strip()) if at == side else b"") for at, old in enumerate(sides))
    return sides


def build(work, peers, key):
    if "gnutls" in peers:
        subprocess.run(["gcc", "-O", "-o", work / "gnutls", HERE / "gnutls.c", "-lgnutls"], check=True)
    if "go" in peers:
        subprocess.run(["go", "build", "-o", work / "go", HERE / "peer.go"], check=True)
    if "rustls" in peers:
        subprocess.run(["cargo", "build", "-q", "--release", "--target-dir", work / "target"], cwd=HERE / "rustls", check=True)
        (work / "rustls").symlink_to(work / "target/release/rustls-peer")
    if key.exists():
        (work / "key.pem").write_bytes(key.read_bytes())
    else:
        subprocess.run(["openssl", "genrsa", "-out", work / "key.pem", "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "req", "-x509", "-key", work / "key.pem", "-out", work / "cert.pem",
                    "-days", "3650", "-subj", "/CN=bits.example.test", "-addext", "subjectAltName=DNS:bits.example.test,IP:10.0.0.9"],
                   check=True, capture_output=True)
    subprocess.run(["openssl", "dhparam", "-dsaparam", "-out", work / "dh.pem", "2048"], check=True, capture_output=True)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        wanted = [case for case in cases() if not sys.argv[2:] or case["name"] in sys.argv[2:]]
        build(work, {case["peer"] for case in wanted}, folder / "server.key")
        table = folder / "plaintext.tsv"
        rows = {row.split("\t")[0]: row for row in table.read_text().splitlines(True)} if table.exists() else {}
        failed = []
        for case in wanted:
            row = record(work, case, folder)
            if isinstance(row, str):
                failed.append(row)
                print(row, flush=True)
            elif row:
                rows[case["name"]] = "\t".join(map(str, row)) + "\n"
        table.write_text("".join(rows.values()))
        (folder / "server.key").write_bytes((work / "key.pem").read_bytes())
        print(f"{len(rows)} captures in the table agree with tshark, {len(failed)} do not")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1] == "client":
        client(json.loads(sys.argv[2]))
    else:
        sys.exit(main())
