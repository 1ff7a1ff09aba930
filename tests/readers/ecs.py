"""The part of Elastic Common Schema 8.17 that is in use: field names, types and allowed values, nothing else allowed
but `bits`. After the field reference at www.elastic.co/docs/reference/ecs."""


def fields(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False,
            "minProperties": 1}


def words(*allowed):
    return {"type": "array", "items": {"enum": list(allowed)}, "minItems": 1}


KEYWORD = {"type": "string", "minLength": 1}
KEYWORDS = {"type": "array", "items": KEYWORD, "minItems": 1}
LONG = {"type": "integer", "minimum": 0}
PORT = {"type": "integer", "minimum": 0, "maximum": 65535}
DATE = {"type": "string", "format": "date-time"}
IP = {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
END = fields(required=["ip", "port"], ip=IP, port=PORT, address=KEYWORD, domain=KEYWORD)

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["@timestamp", "ecs", "event"],
    "additionalProperties": False,
    "properties": {
        "@timestamp": DATE,
        "message": KEYWORD,
        "ecs": fields(required=["version"], version={"const": "8.17.0"}),
        "event": fields(
            required=["kind", "category", "type", "dataset"],
            kind={"enum": ["alert", "event"]},
            category=words("network"),
            type=words("access", "allowed", "connection", "denied", "end", "info", "protocol", "start"),
            dataset=KEYWORD, module=KEYWORD, action=KEYWORD, reason=KEYWORD,
            outcome={"enum": ["success", "failure", "unknown"]},
            start=DATE, end=DATE, duration=LONG, severity=LONG,
        ),
        "source": END, "destination": END, "client": END, "server": END,
        "network": fields(transport={"const": "tcp"}, protocol={"const": "http"}, type={"enum": ["ipv4", "ipv6"]},
                          community_id={"type": "string", "pattern": "^1:[A-Za-z0-9+/]{27}=$"}),
        "http": fields(
            version={"enum": ["1.0", "1.1"]},
            request=fields(method=KEYWORD, body=fields(bytes=LONG)),
            response=fields(status_code={"type": "integer"}, mime_type=KEYWORD, body=fields(bytes=LONG)),
        ),
        "url": fields(full=KEYWORD, scheme={"enum": ["http", "https"]}, domain=KEYWORD, port=PORT, path=KEYWORD),
        "user_agent": fields(original=KEYWORD),
        "file": fields(name=KEYWORD, size=LONG,
                       hash=fields(sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"})),
        "tls": fields(established={"type": "boolean"}),
        "log": fields(level=KEYWORD, file=fields(path=KEYWORD)),
        "related": fields(ip={"type": "array", "items": IP, "minItems": 1}),
        "rule": fields(required=["id"], id=KEYWORD, name=KEYWORD, category=KEYWORD, reference=KEYWORD),
        "threat": fields(framework=KEYWORD, technique=fields(id=KEYWORDS, name=KEYWORDS, reference=KEYWORDS)),
        "bits": {"type": "object", "minProperties": 1},
    },
}
