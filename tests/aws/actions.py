"""What IAM is asked for a request: the actions and the resources, as AWS's service authorisation reference names them."""

import json
from dataclasses import dataclass
from urllib.parse import parse_qs
from xml.etree import ElementTree

from moto.core.routing import get_service_router
from moto.moto_server.werkzeug_app import BackendRequest
from werkzeug.exceptions import NotFound

ACCOUNT = "123456789012"
# Where the signature names a service otherwise than IAM does.
PREFIXES = {"monitoring": "cloudwatch", "email": "ses"}

# S3's operations whose IAM action has another name. Source: "Required permissions for Amazon S3 API operations".
S3 = {
    "HeadObject": "GetObject",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "DeleteObjects": "DeleteObject",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
}
# With a version id, IAM asks for the action on a version.
VERSIONED = {
    "GetObject": "GetObjectVersion",
    "DeleteObject": "DeleteObjectVersion",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectTagging": "PutObjectVersionTagging",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
}


@dataclass
class Request:
    """One request, as IAM sees it."""

    service: str
    operation: str
    region: str
    access_key: str
    # (action, resource) pairs: all of them must be allowed.
    asks: list
    parameters: dict
    body: bytes
    expected_owner: str | None


def read(environ, body):
    """The request, or None where no service of AWS is addressed."""
    http = BackendRequest(environ)
    access_key, region, service = "", "us-east-1", None
    authorization = http.headers.get("Authorization", "")
    if "Credential=" in authorization:
        scope = authorization.split("Credential=")[1].split(",")[0]
        access_key, _, region, service, _ = scope.rsplit("/", 4)
    text = body.decode("utf-8", "replace")
    form = {}
    if http.content_type and http.content_type.startswith("application/x-www-form-urlencoded"):
        form = {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
    if service is None:
        # Only a web identity comes without a signature: it is what gets a caller its credentials.
        if form.get("Action") != "AssumeRoleWithWebIdentity":
            return None
        service = "sts"
    target = http.headers.get("X-Amz-Target")
    if target:
        operation, parameters = target.rpartition(".")[2], json.loads(text or "{}")
    elif "Action" in form:
        operation, parameters = form["Action"], form
    else:
        try:
            model, parameters = get_service_router(service).match(http)
        except NotFound:
            return None
        operation = model.name
        if service == "s3":
            parameters = http.args.to_dict() | parameters
    owner = http.headers.get("x-amz-expected-bucket-owner")
    request = Request(PREFIXES.get(service, service), operation, region, access_key, [], parameters, body, owner)
    if service == "s3":
        request.asks = s3(request, http.headers)
    else:
        request.asks = [(f"{request.service}:{operation}", one) for one in resources(request)]
    if service == "ecs" and operation == "RegisterTaskDefinition":
        passed = (parameters.get(name) for name in ("taskRoleArn", "executionRoleArn"))
        request.asks += [("iam:PassRole", role) for role in passed if role]
        if parameters.get("tags"):
            family = f"task-definition/{parameters.get('family')}:*"
            request.asks.append(("ecs:TagResource", f"arn:aws:ecs:{region}:{ACCOUNT}:{family}"))
    return request


def s3(request, headers):
    operation, parameters = request.operation, request.parameters
    bucket = f"arn:aws:s3:::{parameters.get('Bucket', '*')}"
    action = S3.get(operation, operation)
    if "Bucket" not in parameters:
        return [(f"s3:{action}", "*")]
    if operation == "DeleteObjects":
        asks = []
        for entry in ElementTree.fromstring(request.body).findall("{*}Object"):
            name = VERSIONED[action] if entry.findtext("{*}VersionId") else action
            asks.append((f"s3:{name}", f"{bucket}/{entry.findtext('{*}Key')}"))
        return asks
    if "Key" not in parameters:
        asks = [(f"s3:{action}", bucket)]
        if operation == "CreateBucket" and "x-amz-object-ownership" in headers:
            asks.append(("s3:PutBucketOwnershipControls", bucket))
        return asks
    if "versionId" in parameters:
        action = VERSIONED.get(action, action)
    resource = f"{bucket}/{parameters['Key']}"
    asks = [(f"s3:{action}", resource)]
    if "x-amz-copy-source" in headers:
        asks.append(("s3:GetObject", f"arn:aws:s3:::{headers['x-amz-copy-source'].lstrip('/').partition('?')[0]}"))
    if action == "PutObject":
        if "x-amz-tagging" in headers:
            asks.append(("s3:PutObjectTagging", resource))
        if "x-amz-acl" in headers:
            asks.append(("s3:PutObjectAcl", resource))
        if "If-Match" in headers:
            asks.append(("s3:GetObject", resource))
    return asks


def resources(request):
    """The resources outside S3; `*` where an action knows none."""
    named, service = request.parameters, request.service

    def arn(name, region=request.region):
        return f"arn:aws:{service}:{region}:{ACCOUNT}:{name}"

    def full(value, prefix, region=request.region):
        return value if value.startswith("arn:") else arn(prefix + value, region)

    if service == "dynamodb":
        tables = list(named.get("RequestItems", {}))
        tables += [next(iter(item.values()))["TableName"] for item in named.get("TransactItems", [])]
        if "TableName" in named:
            tables.append(named["TableName"])
        found = [full(table, "table/") for table in tables] or [named.get("ResourceArn", "*")]
    elif service == "iam":
        for name, kind in (("PolicyArn", ""), ("OpenIDConnectProviderArn", ""), ("RoleName", "role/"), ("PolicyName", "policy/")):
            # The policy of a role is asked for by the role.
            if name in named and not (name == "PolicyArn" and "RoleName" in named):
                # Only what is created has a path in its request.
                found = [full(named[name], kind + named.get("Path", "/")[1:], "")]
                break
        else:
            found = ["*"]
    elif service == "sts":
        found = [named.get("RoleArn", "*")]
    elif service == "ecr":
        names = named.get("repositoryNames") or [named[name] for name in ("repositoryName",) if name in named]
        found = [arn(f"repository/{name}") for name in names] or ["*"]
    elif service == "ecs":
        cluster = named.get("cluster", "default").rpartition("/")[2]
        services = named.get("services") or [named[name] for name in ("service", "serviceName") if name in named]
        found = [full(one, f"service/{cluster}/") for one in services] or [named.get("serviceDeploymentArn", "*")]
    elif service == "eks":
        found = [arn(f"cluster/{named['name']}")] if "name" in named else ["*"]
    else:
        found = ["*"]
    return found
