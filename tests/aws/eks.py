"""A Kubernetes cluster on EKS, as far as kubectl needs one: moto's clusters answer nothing.

Every cluster's endpoint is one API server of this process, over TLS, with a certificate that the cluster's description
carries. Who asks is told from the bearer token that `aws eks get-token` makes, and may do what the access entry of their
role says: nothing, `view`, `edit` (everything in the namespace but the namespace itself), `admin`.

Nothing happens by the clock. A Deployment or StatefulSet is ready as soon as it is written, unless a test has named its
image, or a part of it, as broken: then it never is. A template that a Deployment did not have yet makes a ReplicaSet of
the next revision; one that it had makes that the newest, under the next number, as the controller does.
"""

import base64
import copy
import datetime
import ipaddress
import json
import ssl
import tempfile
import threading
import time
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from moto.eks.models import EKSBackend

import authorisation

# group/version: {resource: (kind, namespaced)}
RESOURCES = {
    "v1": {
        "namespaces": ("Namespace", False),
        "configmaps": ("ConfigMap", True),
        "secrets": ("Secret", True),
        "services": ("Service", True),
        "pods": ("Pod", True),
        "events": ("Event", True),
    },
    "apps/v1": {"deployments": ("Deployment", True), "statefulsets": ("StatefulSet", True), "replicasets": ("ReplicaSet", True)},
    "networking.k8s.io/v1": {"ingresses": ("Ingress", True), "networkpolicies": ("NetworkPolicy", True)},
    "authorization.k8s.io/v1": {"selfsubjectaccessreviews": ("SelfSubjectAccessReview", False)},
}
READS = ("get", "list", "watch")
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"


class Refused(Exception):
    def __init__(self, code, reason, message):
        super().__init__(message)
        self.answer = code, {
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
        }  # fmt: skip


class Cluster:
    """Everything that all clusters of one emulator hold: a test has one."""

    def __init__(self):
        self.lock = threading.RLock()
        self.objects = {}  # (resource, namespace, name): object
        self.applied = {}  # the same: what each field manager applied last
        self.journal = []  # what was asked, in order
        self.broken = []  # parts of images that never become ready
        self.administrator = "admin"  # what a script without a role may do
        self.access = {}  # role name: view, edit or admin
        self.version = 0

    # --- who asks ---

    def authenticate(self, header):
        """The name of the role, and its right; the administrator may everything."""
        url = base64.urlsafe_b64decode((header or "").removeprefix("Bearer k8s-aws-v1.") + "===").decode("utf-8", "replace")
        credential = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query).get("X-Amz-Credential", [""])[0]
        if not credential:
            raise Refused(401, "Unauthorized", "Unauthorized")
        role = authorisation.session(credential.split("/")[0])
        if role is None and self.administrator != "none":
            return authorisation.ADMINISTRATOR, self.administrator
        if role is None:
            raise Refused(401, "Unauthorized", "Unauthorized")
        name = role.role_arn.rpartition("/")[2]
        if name not in self.access:
            raise Refused(401, "Unauthorized", "Unauthorized")
        return name, self.access[name]

    @staticmethod
    def may(right, verb, resource):
        if right == "admin":
            return True
        if resource == "secrets":
            return right == "edit"
        return verb in READS or (right == "edit" and resource != "namespaces")

    # --- what is kept ---

    def find(self, resource, namespace, name):
        found = self.objects.get((resource, namespace, name))
        if found is None:
            raise Refused(404, "NotFound", f'{resource} "{name}" not found')
        return found

    def write(self, resource, namespace, name, wanted):
        """Keeps an object, and lets the controllers do theirs."""
        self.version += 1
        meta = wanted.setdefault("metadata", {})
        before = self.objects.get((resource, namespace, name))
        meta |= {"name": name, "uid": before["metadata"]["uid"] if before else str(uuid.uuid4()), "resourceVersion": str(self.version)}
        meta.setdefault("creationTimestamp", f"2026-11-21T10:{self.version // 60 % 60:02}:{self.version % 60:02}Z")
        if namespace:
            meta["namespace"] = namespace
        meta["generation"] = generation(before, wanted)
        self.objects[resource, namespace, name] = wanted
        if resource in ("deployments", "statefulsets"):
            self.control(resource, namespace, wanted)
        if resource == "services" and wanted.get("spec", {}).get("type") == "LoadBalancer":
            wanted["status"] = {"loadBalancer": {"ingress": [{"hostname": f"{name}.elb.example.com"}]}}
        return wanted

    def control(self, resource, namespace, workload):
        spec, meta = workload["spec"], workload["metadata"]
        images = [own["image"] for own in spec["template"]["spec"]["containers"]]
        ready = not any(part in image for part in self.broken for image in images)
        wanted = spec["replicas"]
        if resource == "deployments":
            self.revise(namespace, workload)
        old = workload.get("status", {}).get("availableReplicas", 0) if not ready else 0
        workload["status"] = {
            "observedGeneration": meta["generation"], "replicas": wanted + old, "updatedReplicas": wanted if ready else 1,
            "readyReplicas": wanted if ready else old, "availableReplicas": wanted if ready else old,
            "currentRevision": "r1", "updateRevision": "r1" if ready else "r2",
            "conditions": [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}],
        }  # fmt: skip
        self.pod(namespace, workload, ready)

    def revise(self, namespace, deployment):
        """The ReplicaSet of the template becomes the newest."""
        meta = deployment["metadata"]
        notes = meta.setdefault("annotations", {})
        own = [
            one for (resource, place, _), one in self.objects.items()
            if resource == "replicasets" and place == namespace and one["metadata"]["ownerReferences"][0]["uid"] == meta["uid"]
        ]  # fmt: skip
        number = lambda one: int(one["metadata"]["annotations"][REVISION])
        newest = max(map(number, own), default=0)
        found = next((one for one in own if one["spec"]["template"] == deployment["spec"]["template"]), None)
        if found is None:
            self.version += 1
            name = f"{meta['name']}-{self.version:08x}"
            template = copy.deepcopy(deployment["spec"]["template"])
            found = {
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": {"template": template, "replicas": 0},
                "metadata": {
                    "name": name, "namespace": namespace, "uid": str(uuid.uuid4()), "resourceVersion": str(self.version), "annotations": {REVISION: str(newest + 1)},
                    "creationTimestamp": f"2026-11-21T10:{self.version // 60 % 60:02}:{self.version % 60:02}Z",
                    "labels": template.get("metadata", {}).get("labels", {}),
                    "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": meta["name"], "uid": meta["uid"], "controller": True}],
                },
            }  # fmt: skip
            self.objects["replicasets", namespace, name] = found
        elif number(found) != newest:
            marks = found["metadata"]["annotations"]
            marks[HISTORY] = ",".join(filter(None, [marks.get(HISTORY), marks[REVISION]]))
            marks[REVISION] = str(newest + 1)
        marks = found["metadata"]["annotations"]
        kept = {name: marks[name] for name in (REVISION, HISTORY) if name in marks}
        marks.clear()
        marks |= {name: value for name, value in notes.items() if name not in (REVISION, HISTORY)} | kept
        notes[REVISION] = kept[REVISION]

    def pod(self, namespace, workload, ready):
        name = f"{workload['metadata']['name']}-0"
        template = workload["spec"]["template"]
        state = {"running": {}} if ready else {"waiting": {"reason": "CrashLoopBackOff"}}
        names = [own["name"] for own in template["spec"]["containers"]]
        self.objects["pods", namespace, name] = {
            "apiVersion": "v1", "kind": "Pod", "spec": copy.deepcopy(template["spec"]),
            "metadata": {"name": name, "namespace": namespace, "uid": str(uuid.uuid4()), "labels": template.get("metadata", {}).get("labels", {})},
            "status": {
                "phase": "Running", "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
                "containerStatuses": [{"name": one, "ready": ready, "restartCount": 0, "state": state, "image": "", "imageID": ""} for one in names],
            },
        }  # fmt: skip
        if not ready:
            self.version += 1
            self.objects["events", namespace, f"{name}.{self.version}"] = {
                "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "BackOff", "count": 1,
                "message": "Back-off restarting failed container", "lastTimestamp": "2026-11-21T10:00:00Z", "firstTimestamp": "2026-11-21T10:00:00Z",
                "metadata": {"name": f"{name}.{self.version}", "namespace": namespace, "creationTimestamp": "2026-11-21T10:00:00Z"},
                "involvedObject": {"kind": "Pod", "name": name, "namespace": namespace},
            }  # fmt: skip

    # --- what is asked ---

    def apply(self, resource, namespace, name, wanted, manager, dry):
        """Server-side apply: what the manager applied before and does not say any more is taken out."""
        if namespace and ("namespaces", None, namespace) not in self.objects:
            raise Refused(404, "NotFound", f'namespaces "{namespace}" not found')
        key = resource, namespace, name
        earlier = self.applied.get((*key, manager), {})
        merged = merge(copy.deepcopy(self.objects.get(key, {})), earlier, wanted)
        for field in ("resourceVersion", "uid"):
            wanted.get("metadata", {}).pop(field, None)
        if resource in ("deployments", "statefulsets"):
            merged["spec"].setdefault("replicas", 1)
        if resource == "statefulsets":
            merged["spec"].setdefault("updateStrategy", {"type": "RollingUpdate"})
        if dry:
            before = self.objects.get(key)
            merged["metadata"]["generation"] = generation(before, merged)
            merged["metadata"].setdefault("namespace", namespace)
            return merged
        self.applied[*key, manager] = copy.deepcopy(wanted)
        return self.write(*key, merged)

    def patch(self, resource, namespace, name, operations):
        """A JSON patch, as `rollout undo` sends one."""
        changed = copy.deepcopy(self.find(resource, namespace, name))
        for operation in operations:
            place = changed
            *path, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
            for part in path:
                place = place[part]
            place[last] = plain(operation["value"])
        return self.write(resource, namespace, name, changed)

    def listed(self, resource, namespace, query):
        fields = dict(one.split("=") for one in query.get("fieldSelector", "").split(",") if one.startswith("metadata.name="))
        labels = dict(one.split("=") for one in query.get("labelSelector", "").split(",") if one)
        return [
            one for (kind, place, name), one in sorted(self.objects.items(), key=lambda item: item[0][2])
            if kind == resource and (namespace is None or place == namespace)
            and fields.get("metadata.name", name) == name
            and labels.items() <= one["metadata"].get("labels", {}).items()
        ]  # fmt: skip


def plain(value):
    """Without what says nothing: clients write it, and the server leaves it out."""
    if isinstance(value, dict):
        value = {key: plain(one) for key, one in value.items()}
        return {key: one for key, one in value.items() if one not in (None, {}, [])}
    return [plain(one) for one in value] if isinstance(value, list) else value


def generation(before, wanted):
    """It counts the changes of what is wanted."""
    if before is None:
        return 1
    return before["metadata"]["generation"] + (before.get("spec") != wanted.get("spec"))


def merge(live, earlier, wanted):
    """Maps are merged, lists of what has a name are merged by it, all else is replaced."""
    for key in earlier:
        if key not in wanted:
            live.pop(key, None)
    for key, value in wanted.items():
        old = live.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            live[key] = merge(old, earlier.get(key, {}) if isinstance(earlier.get(key), dict) else {}, value)
        elif isinstance(value, list) and isinstance(old, list) and all(isinstance(one, dict) and "name" in one for one in [*value, *old]):
            known, before = {one["name"]: one for one in old}, {one["name"]: one for one in earlier.get(key) or []}
            gone = before.keys() - {one["name"] for one in value}
            merged = [merge(known.get(one["name"], {}), before.get(one["name"], {}), one) for one in value]
            live[key] = merged + [one for one in old if one["name"] not in gone | {own["name"] for own in value}]
        else:
            live[key] = copy.deepcopy(value)
    return live


def specification(version):
    """That patches of these kinds are validated, and can be tried."""
    group, _, number = version.rpartition("/")
    path = f"/apis/{version}" if group else f"/api/{version}"
    parameters = [{"name": name, "in": "query"} for name in ("dryRun", "fieldValidation")]
    kinds = {
        f"{path}/{resource}/{{name}}": {
            "patch": {"parameters": parameters, "x-kubernetes-group-version-kind": {"group": group, "version": number, "kind": kind}}
        }
        for resource, (kind, _) in RESOURCES[version].items()
    }
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.35.0"}, "paths": kinds}


def discovery(path):
    """What there is: nothing of it depends on who asks."""
    groups = [version.rpartition("/") for version in RESOURCES if "/" in version]
    match path:
        case "/version":
            return {"major": "1", "minor": "35", "gitVersion": "v1.35.2"}
        case "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        case "/apis":
            versions = lambda group, number: {"groupVersion": f"{group}/{number}", "version": number}
            return {
                "kind": "APIGroupList", "apiVersion": "v1",
                "groups": [{"name": group, "versions": [versions(group, number)], "preferredVersion": versions(group, number)} for group, _, number in groups],
            }  # fmt: skip
        case "/openapi/v3":
            place = lambda version: f"apis/{version}" if "/" in version else f"api/{version}"
            return {"paths": {place(version): {"serverRelativeURL": f"/openapi/v3/{place(version)}?hash=1"} for version in RESOURCES}}
    version = path.removeprefix("/openapi/v3").removeprefix("/apis/").removeprefix("/api/")
    if version not in RESOURCES:
        return None
    if path.startswith("/openapi"):
        return specification(version)
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    return {
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
        "resources": [
            {"name": name, "singularName": kind.lower(), "namespaced": namespaced, "kind": kind, "verbs": verbs}
            for name, (kind, namespaced) in RESOURCES[version].items()
        ],
    }  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    cluster = None

    def log_message(self, *_arguments):
        """Says nothing: the journal is asked for."""

    def answer(self, code, body, kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        query = {name: values[0] for name, values in urllib.parse.parse_qs(url.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = read(self.rfile.read(length)) if length else None
        try:
            who, right = self.cluster.authenticate(self.headers.get("Authorization"))
            known = discovery(url.path)
            if known is not None:
                return self.answer(200, known)
            with self.cluster.lock:
                answer = self.asked(who, right, url.path, query, body)
            if answer is None:
                return self.watch(url.path, query)
            return self.answer(*answer)
        except Refused as refusal:
            return self.answer(*refusal.answer)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = serve

    def asked(self, who, right, path, query, body):
        version, namespace, resource, name, below = parts(path)
        if resource == "selfsubjectaccessreviews":
            allowed = self.cluster.may(right, body["verb"], body["resource"])
            return 201, {"kind": "SelfSubjectAccessReview", "apiVersion": version, "status": {"allowed": allowed}}
        watched = query.get("watch") in ("1", "true")
        verb = {"GET": "watch" if watched else "get" if name else "list", "PATCH": "patch", "POST": "create", "DELETE": "delete"}[self.command]
        dry = query.get("dryRun") == "All"
        self.cluster.journal.append(
            {"who": who, "verb": verb, "what": "/".join(filter(None, [resource, name, below])), "namespace": namespace, "dry": dry, "body": body}
        )
        if not self.cluster.may(right, verb, resource):
            raise Refused(403, "Forbidden", f'{resource} "{name or ""}" is forbidden: User "{who}" cannot {verb} resource "{resource}"')
        kind, namespaced = RESOURCES[version][resource]
        place = namespace if namespaced else None
        if below == "log":
            self.cluster.find(resource, place, name)
            lines = [f"line {number} of {query.get('container')}" for number in range(1, 301)]
            tail = int(query.get("tailLines", 300))
            return 200, "\n".join(lines[-tail:]).encode() + b"\n", "text/plain"
        match verb:
            case "get":
                return 200, self.cluster.find(resource, place, name)
            case "list":
                items = self.cluster.listed(resource, place, query)
                return 200, {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": str(self.cluster.version)}, "items": items}
            case "watch":
                return None if "sendInitialEvents" not in query else (400, {"kind": "Status", "status": "Failure", "code": 400, "reason": "BadRequest"})
            case "patch" if "apply-patch" in self.headers["Content-Type"]:
                there = (resource, place, name) in self.cluster.objects
                return 200 if there else 201, self.cluster.apply(resource, place, name, body, query["fieldManager"], dry)
            case "patch":
                return 200, self.cluster.patch(resource, place, name, body)
            case "create":
                return 201, self.cluster.write(resource, place, body["metadata"]["name"], body)
            case "delete":
                return 200, self.cluster.objects.pop((resource, place, name))

    def watch(self, path, query):
        """Nothing changes by itself: what is watched stays as it was listed, until nobody looks any more."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.flush()
        time.sleep(30)


def parts(path):
    """version, namespace, resource, name and what lies below, of a path."""
    words = [*path.strip("/").split("/"), "", "", ""]
    version, rest = (words[1], words[2:]) if words[0] == "api" else ("/".join(words[1:3]), words[3:])
    namespace = None
    if rest[0] == "namespaces" and rest[2]:
        namespace, rest = rest[1], rest[2:]
    rest = [word or None for word in rest]
    if version not in RESOURCES or rest[0] not in RESOURCES[version]:
        raise Refused(404, "NotFound", "the server could not find the requested resource")
    return version, namespace, *rest[:3]


def read(body):
    """What is sent: JSON, or, of an access review, Protocol Buffers, whose attributes are enough."""
    if not body.startswith(b"k8s\0"):
        return json.loads(body)
    review = fields(body[4:])[2]
    attributes = fields(fields(fields(review)[2])[1])
    return {name: attributes.get(number, b"").decode() for number, name in ((1, "namespace"), (2, "verb"), (3, "group"), (5, "resource"))}


def fields(message):
    """The fields of a message that have a length, by number; all of them are shorter than 16 KiB."""
    found, place = {}, 0
    while place < len(message):
        number, length, place = message[place] >> 3, message[place + 1], place + 2
        if length > 127:
            length, place = (length & 127) | message[place] << 7, place + 1
        found[number] = message[place : place + length]
        place += length
    return found


def certificate():
    """A certificate for loopback, with its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kubernetes")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    text = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return text, secret


running = None  # the cluster of this emulator, with its address and certificate


def start():
    """The API server, when a cluster is looked at for the first time."""
    global running
    if running is None:
        text, secret = certificate()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile() as file:
            file.write(text + secret)
            file.flush()
            context.load_cert_chain(file.name)
        cluster = Cluster()
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"cluster": cluster}))
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running = cluster, f"https://127.0.0.1:{server.server_address[1]}", base64.b64encode(text).decode()
    return running


describe = EKSBackend.describe_cluster


def described(self, name):
    cluster = describe(self, name)
    _, cluster.endpoint, authority = start()
    cluster.certificate_authority = {"data": authority}
    return cluster


EKSBackend.describe_cluster = described


def control(command):
    """What a test asks for."""
    cluster, _, _ = start()
    with cluster.lock:
        match command.pop("what"):
            case "journal":
                return cluster.journal
            case "forget":
                cluster.journal.clear()
            case "objects":
                return [copy.deepcopy(one) for one in cluster.objects.values()]
            case "namespace":
                cluster.write("namespaces", None, command["name"], {"apiVersion": "v1", "kind": "Namespace"})
            case "set":
                for name, value in command["values"].items():
                    setattr(cluster, name, value)
    return None
