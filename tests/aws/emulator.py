"""AWS on loopback: moto in one process per test, with a log of every call and faults on demand.

    [unshare --net] python emulator.py

Importing moto takes a second, so that happens once. This process prints the path of a socket and forks an emulator
for every connection to it: an emulator lives as long as its connection, and nothing of it longer than standard input
is open. The first line that an emulator writes says where it listens: {"port": 40123}. After that each line it reads
is a command, and each line it writes is the answer (`Emulator.control`). A socket in the file system is reached from
outside of a network namespace, and not by the scripts under test, which know HTTP only.
"""

import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
import tempfile
import threading
import traceback
from io import BytesIO
from xml.sax.saxutils import escape

from moto.dynamodb import urls as _dynamodb  # noqa: F401  imported before the fork, as the next ones
from moto.ecr import urls as _ecr  # noqa: F401
from moto.ecs import urls as _ecs  # noqa: F401
from moto.eks import urls as _eks  # noqa: F401
from moto.iam import urls as _iam  # noqa: F401
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3 import urls as _s3  # noqa: F401
from moto.s3.models import s3_backends
from werkzeug.serving import make_server
from werkzeug.test import Client

import actions
import authorisation
import ecr  # noqa: F401
import ecs
import eks
import tokens


class Handler(MotoRequestHandler):
    def log(self, *_arguments):
        """Says nothing: the log of calls is asked for."""


class Emulator:
    """moto as a WSGI application, and what happens around a call."""

    def __init__(self):
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.lock = threading.Condition()
        self.calls = []
        self.requests = 0
        self.failures = []  # (action, how) pairs, each used once
        self.kill_in = None  # after how many requests the script dies
        self.group = None  # the process group of the script that runs
        self.enforced = False  # whether the policies of roles count
        self.job = None  # the claims of the job that runs, where it may ask for a token
        self.lifecycles = {}  # of buckets, as they were put

    # --- what a test asks for ---

    def control(self, command):
        with self.lock:
            match command.pop("do"):
                case "calls":
                    return self.calls
                case "forget_calls":
                    self.calls = []
                case "fail_next":
                    self.failures.append((command["action"], command["how"]))
                case "kill_at":
                    self.kill_in = command["request"]
                case "runs":
                    self.group = command["group"]
                    if self.group is None:
                        self.kill_in = None
                    self.lock.notify_all()
                case "enforce":
                    self.enforced = True
                case "job":
                    self.job = command["claims"]
                    return tokens.BEARER
                case "token":
                    return tokens.token(command["claims"], "sts.amazonaws.com")
                case "request":
                    return self.request(**command)
                case "next_rollout":
                    ecs.plans.append((command["end"], command["looks"]))
                case "kubernetes":
                    return eks.control(command)
                case "foreign_bucket":
                    s3_backends["999999999999"]["aws"].create_bucket(command["name"], "us-east-1")
                case unknown:
                    raise ValueError(unknown)
        return None

    def request(self, service, key, method="POST", path="/", form=None, target=None):
        """A request without a client. moto reads of a signature who made it, and does not verify it."""
        scope = f"{key}/20260101/us-east-1/{service}/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"} if key else {}
        if target:
            headers |= {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        answer = Client(self).open(path, method=method, data=form, headers=headers)
        return {"status": answer.status_code, "body": answer.text}

    # --- what a caller sees ---

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/_actions/token":
            return tokens.endpoint(environ, self.job)(environ, start_response)
        body = self.body(environ)
        request = actions.read(environ, body)
        if request is None:
            return self.moto(environ, start_response)
        with self.lock:
            self.requests += 1
            number = self.requests
            last = False
            if self.kill_in is not None:
                self.kill_in -= 1
                last = self.kill_in == 0
            how = self.failure(request)
        if how == "drop":
            self.log(number, request, 0)
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError
        reason = (how, None, "refused on demand of the test") if how else self.refused(request)
        status, headers, answer = refusal(request, *reason) if reason else self.lifecycle(request, *self.answer(environ))
        if status.startswith("404") and self.enforced and authorisation.hides_absence(request):
            reason = 403, "AccessDenied", "Access Denied"
            status, headers, answer = refusal(request, *reason)
        self.log(number, request, reason[0] if reason else int(status.split()[0]))
        if last:
            self.kill()
            gone(environ["werkzeug.socket"])
        start_response(status, headers)
        return [answer]

    def refused(self, request):
        """Why AWS would say no where moto says yes."""
        if request.operation == "AssumeRoleWithWebIdentity":
            return tokens.not_assumable(request.parameters)
        return (
            authorisation.foreign(request)
            or (authorisation.refused(request) if self.enforced else None)
            or tokens.not_writable(request)
        )

    def answer(self, environ):
        """What moto answers, whole: the caller may have to die before it sees any of it."""
        started = []
        try:
            parts = self.moto(environ, lambda status, headers, _info=None: started.append((status, headers)))
            answer = b"".join(parts)
        except Exception:
            traceback.print_exc()
            return "500 Internal Server Error", [], b""
        return *started[-1], answer

    def lifecycle(self, request, status, headers, answer):
        """moto forgets how many versions a rule keeps: what was put is what is given back."""
        bucket = request.parameters.get("Bucket")
        if status.startswith("200") and request.operation == "PutBucketLifecycleConfiguration":
            self.lifecycles[bucket] = request.body
        if status.startswith("200") and request.operation == "GetBucketLifecycleConfiguration":
            answer = self.lifecycles[bucket]
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
            headers.append(("Content-Length", str(len(answer))))
        return status, headers, answer

    @staticmethod
    def body(environ):
        """The body, which stays readable for moto."""
        length = environ.get("CONTENT_LENGTH")
        stream = environ["wsgi.input"]
        body = stream.read(int(length)) if length else stream.read() if environ.get("wsgi.input_terminated") else b""
        environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return body

    def failure(self, request):
        for index, (action, how) in enumerate(self.failures):
            if action == "*" or any(action == asked for asked, _ in request.asks):
                del self.failures[index]
                return how
        return None

    def log(self, number, request, status):
        with self.lock:
            for action, resource in request.asks:
                self.calls.append(
                    {
                        "request": number,
                        "service": request.service,
                        "operation": request.operation,
                        "action": action,
                        "resource": resource,
                        "status": status,
                        "principal": authorisation.principal(request),
                    }
                )

    def kill(self):
        """Ends the script: the call has taken effect, and nobody hears of it."""
        with self.lock:
            self.kill_in = None
            if self.lock.wait_for(lambda: self.group is not None, timeout=30):
                os.killpg(self.group, signal.SIGKILL)


def gone(caller):
    """Waits until nobody is there to hear the answer. The CLI of a script that is killed lives a moment longer than the
    script, and would go on with what it hears."""
    caller.settimeout(30)
    try:
        caller.recv(1)
    except OSError:
        pass
    raise ConnectionAbortedError


def refusal(request, status, code, message):
    """An error in the service's own format."""
    code = code or {403: "AccessDenied", 404: "NotFound", 503: "SlowDown"}.get(status, "InternalError")
    message = escape(message)
    head = []
    if request.operation == "DeleteObjects" and code == "AccessDenied":
        # S3 answers for each key. Here a batch is refused as a whole.
        keys = "".join(
            f"<Error><Key>{escape(resource.partition('/')[2])}</Key><Code>{code}</Code><Message>{message}</Message></Error>"
            for _, resource in request.asks
        )
        status, text, kind = 200, f"<DeleteResult>{keys}</DeleteResult>", "application/xml"
    elif request.service == "s3":
        text, kind = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>", "application/xml"
    elif "Action" in request.parameters:
        error = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
        text, kind = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>", "text/xml"
    else:
        # JSON services say AccessDeniedException.
        name = f"{code}Exception" if code == "AccessDenied" else code
        text, kind = json.dumps({"__type": name, "message": message}), "application/x-amz-json-1.0"
        head.append(("x-amzn-ErrorType", name))
    body = b"" if request.operation.startswith("Head") else text.encode()
    return f"{status} Error", [*head, ("Content-Type", kind), ("Content-Length", str(len(body)))], body


def serve(connection):
    """One emulator, until its connection ends."""
    emulator = Emulator()
    server = make_server("127.0.0.1", 0, emulator, threaded=True, request_handler=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    lines = connection.makefile("rw", encoding="utf-8")
    answer = {"port": server.port}
    while True:
        lines.write(json.dumps(answer) + "\n")
        lines.flush()
        line = lines.readline()
        if not line:
            return
        answer = emulator.control(json.loads(line))


def bring_up_loopback():
    """In a new network namespace it is down; elsewhere nothing may be changed, and nothing has to."""
    interface = struct.pack("16sh14x", b"lo", 0)
    with socket.socket() as any_socket:
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, 0x8913, interface))[1]  # SIOCGIFFLAGS
        if not flags & 1:
            fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))  # SIOCSIFFLAGS, IFF_UP


def main():
    bring_up_loopback()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # the directory goes first
    # Read here, inherited by every emulator: the routes of the services that most tests use.
    for service in ("dynamodb", "iam", "s3", "sts"):
        actions.get_service_router(service)
    with tempfile.TemporaryDirectory(prefix="aws-") as directory, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{directory}/socket")
        listener.listen(64)
        print(f"{directory}/socket", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connection, _ = listener.accept()
            if os.fork() == 0:
                try:
                    listener.close()
                    serve(connection)
                finally:
                    os._exit(0)
            connection.close()


if __name__ == "__main__":
    main()
