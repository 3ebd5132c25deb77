"""The pinned AWS CLI, imported once.

    [nsenter ...] python cli.py

Most of what a call of `aws` takes is its start. This process starts once, prints the path of an `aws` that it has
written, and forks for every call of that: the arguments, the environment, the working directory, the mode mask and
the three open files are the caller's. It ends with its standard input.
"""

import array
import gc
import json
import os
import select
import signal
import socket
import sys
import tempfile
import threading

from awscli.clidriver import create_clidriver

CLIENT = """#!{python} -ISB
import array, json, os, socket, sys

mask = os.umask(0)
os.umask(mask)
call = {{"arguments": sys.argv[1:], "environment": dict(os.environ), "directory": os.getcwd(), "mask": mask}}
with socket.socket(socket.AF_UNIX) as server:
    server.connect("{socket}")
    data = json.dumps(call).encode() + b"\\n"
    sent = server.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
    server.sendall(data[sent:])
    code = server.recv(1)
os._exit(code[0] if code else 1)
"""

loader = None  # reads and keeps the descriptions of the services


def driver():
    """A CLI that nobody has used yet. It asks the environment when it is used."""
    global loader
    made = create_clidriver()
    if loader is None:
        loader = made.session.get_component("data_loader")
    else:
        made.session.register_component("data_loader", loader)
    return made


def warm_up():
    """Calls that fail, but read what every call reads."""
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ |= {**nowhere, "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_CONFIG_FILE": os.devnull}
    with open(os.devnull, "w") as nothing:
        errors, sys.stderr = sys.stderr, nothing
        for words in ("s3api get-bucket-location --bucket any", "dynamodb list-tables", "sts get-caller-identity", "ecr describe-repositories", "ecs list-clusters", "eks list-clusters"):
            driver().main(words.split())
        sys.stderr = errors
    unused = driver()
    gc.collect()
    gc.freeze()  # so that the children share it
    return unused


def serve(connection, unused):
    data, ancillary, _, _ = connection.recvmsg(1 << 16, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    while not data.endswith(b"\n"):
        more = connection.recv(1 << 16)
        if not more:
            return  # The caller was killed before it had said what it wants.
        data += more
    call = json.loads(data)
    files = array.array("i")
    files.frombytes(ancillary[0][2])
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ |= call["environment"]
    os.chdir(call["directory"])
    os.umask(call["mask"])

    def end_with_the_caller():
        connection.recv(1)
        os._exit(1)

    threading.Thread(target=end_with_the_caller, daemon=True).start()
    try:
        code = unused.main(call["arguments"])
    except SystemExit as error:
        code = error.code
    sys.stdout.flush()
    sys.stderr.flush()
    # Some commands of the CLI's own end without a code.
    connection.sendall(bytes([code or 0]))


def main():
    unused = warm_up()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with tempfile.TemporaryDirectory(prefix="aws-") as directory, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{directory}/socket")
        listener.listen(64)
        with open(f"{directory}/aws", "w") as client:
            client.write(CLIENT.format(python=os.path.realpath(sys.executable), socket=f"{directory}/socket"))
        os.chmod(f"{directory}/aws", 0o755)
        print(f"{directory}/aws", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connection, _ = listener.accept()
            if os.fork() == 0:
                try:
                    listener.close()
                    serve(connection, unused)
                finally:
                    os._exit(1)
            connection.close()


if __name__ == "__main__":
    main()
