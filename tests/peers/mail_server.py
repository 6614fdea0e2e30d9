"""A mail server that takes mail only after STARTTLS and a password, on aiosmtpd, as a company's own does.

Usage: mail_server.py FOLDER < PIPE; makes a certificate authority and a certificate in FOLDER by openssl (ca.pem is for
the client), prints {"port": …}, then one JSON object for each mail, as Python's email reads it. Ends with its input.
"""

import asyncio
import email
import email.policy
import json
import pathlib
import ssl
import subprocess
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

USER, PASSWORD = b"renkei@example.jp", "pässwört 連携".encode()


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def certificates(folder):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca, ca_key, leaf, leaf_key = (folder / name for name in ("ca.pem", "ca.key", "cert.pem", "cert.key"))
    openssl("req", "-x509", *key, "-subj", "/CN=test authority", "-days", 2, "-keyout", ca_key, "-out", ca)
    openssl("req", "-new", *key, "-subj", "/CN=127.0.0.1", "-keyout", leaf_key, "-out", folder / "csr.pem")
    names = folder / "names.cnf"
    names.write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", folder / "csr.pem", "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", 2,
            "-extfile", names, "-out", leaf)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf, leaf_key)
    return context


def say(thing):
    print(json.dumps(thing), flush=True)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say({
            "tls": session.ssl is not None and session.ssl.get("cipher") is not None,
            "authenticated": session.authenticated,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "subject": mail["subject"],
            "message_id": mail["message-id"],
            "auto_submitted": mail["auto-submitted"],
            "text": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
            "defects": [str(defect) for part in mail.walk() for defect in part.defects],
        })
        return "250 taken"


def check(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == USER and data.password == PASSWORD
    return AuthResult(success=good, handled=good)


async def serve(folder):
    context = certificates(folder)

    def session():
        return SMTP(Handler(), require_starttls=True, tls_context=context, auth_required=True,
                    auth_require_tls=True, authenticator=check, hostname="mail.example.jp")

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0)
    say({"port": server.sockets[0].getsockname()[1]})
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(serve(pathlib.Path(sys.argv[1])))
