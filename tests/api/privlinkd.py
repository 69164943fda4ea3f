# SPDX-License-Identifier: Apache-2.0
"""What the tests of privlinkd as a process share: the daemon with directories of its own, and requests signed by hand."""
import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
import uuid

BUILD = os.environ["BUILD"]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VERSION = "2026-11-01"

count = bad = 0


def ok(passed, name, *notes):
    global count, bad
    count += 1
    bad += not passed
    print(f"{'ok' if passed else 'not ok'} {count} - {name}", flush=True)
    if not passed:
        for text in notes:
            for line in str(text).splitlines():
                print(f"# {line}", flush=True)
    return passed


def is_equal(got, want, name):
    return ok(got == want, name, f"got:  {got}", f"want: {want}")


def done():
    print(f"1..{count}", flush=True)
    return 1 if bad else 0


def wait_for(condition, seconds=60):
    """Until it holds. The bound is for what never comes: no case rests on how fast something is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


claims = []  # as long as this process lives


def claim_port(port):
    """Whether nobody has it, and no other test may take it from now on."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0privlink-test-port-{port}")
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", port))
    except OSError:
        claim.close()
        return False
    claims.append(claim)
    return True


def free_port():
    """One that is still free when privlinkd starts again: none of those that the kernel gives to whoever asks for any."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        first = int(f.read().split()[0])
    return next(port for port in random.sample(range(first // 2, first), 200) if claim_port(port))


class Daemon:
    """One privlinkd. Options that a test wants beside the usual ones are in `more`."""

    def __init__(self, *more):
        self.dir = tempfile.mkdtemp(prefix="privlinkd-")
        os.chmod(self.dir, 0o755)
        self.state, self.run, self.log = (os.path.join(self.dir, n) for n in ("state", "run", "log"))
        self.port = free_port()
        self.more = list(more)
        self.rates = ["--no-rate-limits"]
        self.environment = dict(os.environ)
        self.process = None

    def command(self):
        return [f"{BUILD}/src/cmd/privlinkd", "--state-dir", self.state, "--run-dir", self.run, "--user", "nobody",
                "--http", f"127.0.0.1:{self.port}", "--catalogue", f"{SOURCE}/data/catalogue.json", *self.rates,
                *self.more]

    def start(self, wait=True):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stderr=log, stdout=log, env=self.environment)
        if wait and not (wait_for(lambda: self.has_ended() or self.serves()) and not self.has_ended()):
            raise RuntimeError(f"privlinkd does not start:\n{self.said()}")

    def has_ended(self):
        return self.process.poll() is not None

    def serves(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            connection.request("GET", "/x")
            return connection.getresponse().status == 404
        except (OSError, http.client.HTTPException):
            return False

    def said(self):
        with open(self.log) as log:
            return log.read()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(60)

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        self.start()

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def key(self):
        with open(os.path.join(self.state, "admin.env")) as f:
            values = dict(line.strip().split("=", 1) for line in f)
        return values["PRIVLINK_ACCESS_KEY_ID"], values["PRIVLINK_ACCESS_KEY_SECRET"]

    def send(self, raw):
        """Bytes as they are; the status and the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as s:
            s.sendall(raw)
            answer = http.client.HTTPResponse(s)
            answer.begin()
            return answer.status, json.loads(answer.read())

    def call(self, action, **parameters):
        return self.send(acs3(self.key(), action, parameters))


def make_certificate(directory, name, days=(-1, 365), names="DNS:localhost,IP:127.0.0.1", key=None):
    """A certificate that signed itself, valid from and to so many days from now; the paths of it and its key."""
    certificate, key_path = (os.path.join(directory, f"{name}.{kind}") for kind in ("crt", "key"))
    config = os.path.join(directory, f"{name}.cnf")
    if key:
        shutil.copyfile(key, key_path)
    else:
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key_path],
                       check=True, capture_output=True)
    os.chmod(key_path, 0o600)
    with open(config, "w") as f:
        f.write(f"[ca]\ndefault_ca = d\n[d]\nnew_certs_dir = {directory}\ndatabase = {config}.index\nrand_serial = yes\n"
                f"default_md = default\npolicy = p\nx509_extensions = e\nunique_subject = no\n[p]\ncommonName = supplied\n"
                f"[req]\ndistinguished_name = n\n[n]\n[e]\nsubjectAltName = {names}\nbasicConstraints = critical,CA:TRUE\n")
    open(f"{config}.index", "w").close()
    begin, end = (stamp(d * 86400).translate(str.maketrans("", "", "-:T")) for d in days)
    request = os.path.join(directory, f"{name}.csr")
    subprocess.run(["openssl", "req", "-new", "-config", config, "-key", key_path, "-subj", f"/CN={name}", "-out", request],
                   check=True, capture_output=True)
    subprocess.run(["openssl", "ca", "-batch", "-config", config, "-selfsign", "-keyfile", key_path, "-in", request,
                    "-startdate", begin, "-enddate", end, "-notext", "-out", certificate], check=True, capture_output=True)
    return certificate, key_path


def stamp(offset_s=0):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset_s)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def percent(text):
    return urllib.parse.quote(text, safe="-_.~")


def canonical(parameters):
    return "&".join(f"{percent(k)}={percent(v)}" for k, v in sorted(parameters.items()))


def raw(method, target, headers, body=""):
    lines = [f"{method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + f"\r\ncontent-length: {len(body)}\r\n\r\n{body}").encode()


def v1(key, action, parameters, offset_s=0, method="POST", version=VERSION):
    """HMAC-SHA1 over the parameters: in the query (GET) or the form (POST)."""
    everything = {
        **parameters, "Action": action, "Version": version, "Format": "JSON", "AccessKeyId": key[0],
        "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": str(uuid.uuid4()),
        "Timestamp": stamp(offset_s),
    }
    to_sign = f"{method}&%2F&{percent(canonical(everything))}"
    code = hmac.new(f"{key[1]}&".encode(), to_sign.encode(), hashlib.sha1).digest()
    everything["Signature"] = base64.b64encode(code).decode()
    text = canonical(everything)
    if method == "GET":
        return raw("GET", f"/?{text}", {"host": "localhost"})
    return raw("POST", "/", {"host": "localhost", "content-type": "application/x-www-form-urlencoded"}, text)


def acs3(key, action, parameters, offset_s=0):
    """HMAC-SHA256 over headers, query and body."""
    query, body = canonical(parameters), ""
    digest = hashlib.sha256(body.encode()).hexdigest()
    headers = {
        "host": "localhost", "x-acs-action": action, "x-acs-content-sha256": digest, "x-acs-date": stamp(offset_s),
        "x-acs-signature-nonce": str(uuid.uuid4()), "x-acs-version": VERSION,
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n{query}\n{lines}\n{names}\n{digest}"
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(request.encode()).hexdigest()}"
    code = hmac.new(key[1].encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = f"ACS3-HMAC-SHA256 Credential={key[0]},SignedHeaders={names},Signature={code}"
    return raw("POST", f"/?{query}" if query else "/", headers)


def roa(key, action, parameters, offset_s=0):
    """The scheme of products with paths of their own."""
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset_s)
    headers = {
        "host": "localhost", "date": now.strftime("%a, %d %b %Y %H:%M:%S GMT"), "accept": "application/json",
        "x-acs-signature-method": "HMAC-SHA1", "x-acs-signature-version": "1.0",
        "x-acs-signature-nonce": str(uuid.uuid4()), "x-acs-version": VERSION, "x-acs-action": action,
    }
    query = "&".join(f"{k}={v}" for k, v in sorted(parameters.items()))
    lines = "".join(f"{k}:{v}\n" for k, v in sorted(headers.items()) if k.startswith("x-acs-"))
    to_sign = f"POST\n{headers['accept']}\n\n\n{headers['date']}\n{lines}/?{query}"
    code = base64.b64encode(hmac.new(key[1].encode(), to_sign.encode(), hashlib.sha1).digest()).decode()
    headers["authorization"] = f"acs {key[0]}:{code}"
    return raw("POST", f"/?{query}", headers)
