"""Parses a multipart body with Python's own email package.

Usage: multipart_email.py CONTENT-TYPE < BODY; prints one JSON object a part.
"""
import base64
import email
import email.policy
import json
import sys

head = f"Content-Type: {sys.argv[1]}\r\n\r\n".encode()
# The default policy's line ends are rewritten on output only; HTTP's does not touch them either way.
message = email.message_from_bytes(head + sys.stdin.buffer.read(), policy=email.policy.HTTP)
if message.defects or not message.is_multipart():
    sys.exit(f"not multipart: {message.defects}")
for part in message.iter_parts():
    if part.defects:
        sys.exit(f"defects: {part.defects}")
    print(json.dumps({
        "name": part.get_param("name", header="content-disposition"),
        "filename": part.get_filename(),
        "type": part.get_content_type(),
        "bytes": base64.b64encode(part.get_payload(decode=True)).decode(),
    }))
