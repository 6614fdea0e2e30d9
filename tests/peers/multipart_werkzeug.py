"""Parses a multipart body with werkzeug, as a Flask application would.

Usage: multipart_werkzeug.py CONTENT-TYPE < BODY; prints one JSON object a part.
"""
import base64
import io
import json
import sys

from werkzeug.formparser import parse_form_data

body = sys.stdin.buffer.read()
environ = {
    "REQUEST_METHOD": "POST",
    "CONTENT_TYPE": sys.argv[1],
    "CONTENT_LENGTH": str(len(body)),
    "wsgi.input": io.BytesIO(body),
}
_, form, files = parse_form_data(environ, silent=False)


def tell(name, filename, kind, content):
    print(json.dumps({
        "name": name,
        "filename": filename,
        "type": kind,
        "bytes": base64.b64encode(content).decode(),
    }))


for name, value in form.items(multi=True):
    tell(name, None, "application/json", value.encode())
for name, file in files.items(multi=True):
    tell(name, file.filename, file.content_type, file.read())
