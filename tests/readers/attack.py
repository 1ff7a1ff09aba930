"""A capture of one upload whose every field is markup, and one of many uploads."""

import socket
import struct

MARKUP = "</title></script></style></pre>--><img src=x onerror=alert(1)><script>alert(1)</script>\"'><svg onload=alert(1)>"


def frame(client, server, seq, ack, flags, payload=b""):
    tcp = struct.pack("!HHIIBBHHH", client[1], server[1], seq, ack, 5 << 4, flags, 64240, 0, 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0,
                     socket.inet_aton(client[0]), socket.inet_aton(server[0]))
    return ip + tcp


def pcap(conversations):
    """Each conversation is a list of requests and responses in turn, on a connection of its own."""
    out, time = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)], 1_767_225_600_000_000
    def put(data):
        nonlocal time
        time += 200
        out.append(struct.pack("<IIII", time // 1_000_000, time % 1_000_000, len(data), len(data)) + data)
    for number, messages in enumerate(conversations):
        client, server = (f"10.{number >> 8 & 255}.{number & 255}.5", 49200), ("192.0.2.80", 80)
        seq = [1000, 5000]
        put(frame(client, server, seq[0] - 1, 0, 2))
        put(frame(server, client, seq[1] - 1, seq[0], 18))
        put(frame(client, server, *seq, 16))
        for turn, message in enumerate(messages):
            ends = (client, server) if turn % 2 == 0 else (server, client)
            own, other = seq[turn % 2], seq[1 - turn % 2]
            put(frame(*ends, own, other, 24, message))
            seq[turn % 2] += len(message)
    return b"".join(out)


def message(start, **fields):
    body = fields.pop("body", b"")
    lines = [start] + [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines + [f"Content-Length: {len(body)}", "", ""]).encode() + body


def upload(path, session, host="files.example", name="a.bin", extra="x", agent="Microsoft BITS/7.8", body=b"abcd"):
    ask = dict(Host=host, User_Agent=agent, Content_Name=name, X_Extra=extra, Via=extra)
    answer = dict(BITS_Packet_Type="Ack", BITS_Session_Id=session, Server=extra, Via=extra, X_Extra=extra)
    target = f"BITS_POST {path} HTTP/1.1"
    guid = "{7df0354d-249b-430f-820d-3d2a9bef4931}"
    return [
        message(target, BITS_Packet_Type="Create-Session", BITS_Supported_Protocols=f"{guid} {extra}", **ask),
        message("HTTP/1.1 200 OK", BITS_Protocol=guid, BITS_Host_Id=host, BITS_Reply_URL=extra, **answer),
        message(target, BITS_Packet_Type="Fragment", BITS_Session_Id=session, body=body,
                Content_Range=f"bytes 0-{len(body) - 1}/{len(body)}", **ask),
        message("HTTP/1.1 200 OK", BITS_Received_Content_Range=len(body), **answer),
        message(target, BITS_Packet_Type="Close-Session", BITS_Session_Id=session, **ask),
        message(f"HTTP/1.1 500 {extra}", BITS_Error=extra, BITS_Error_Context=extra, Location=extra,
                Content_Type=extra, **answer),
    ]


def hostile():
    path = "/" + MARKUP.replace(" ", "/")
    return pcap([upload(path, MARKUP, MARKUP, MARKUP, MARKUP, MARKUP, MARKUP.encode())])


def crowd(count):
    one = lambda n: upload(f"/in/{n}.bin", f"{{{n:08x}-0000-4000-8000-00000000beef}}")
    return pcap(one(n)[:6 if n % 10 == 0 else 4] for n in range(count))
