"""Who may: what AWS refuses, and moto does not.

A refusal is (status, code, message), None is none. The administrator is the test itself: it is never refused, but for
buckets that belong to somebody else.
"""

import json

from moto.dynamodb.models import dynamodb_backends
from moto.iam.access_control import PermissionResult
from moto.iam.models import iam_backends
from moto.s3.models import FakeBucket, s3_backends
from moto.sts.models import sts_backends

import policies
from actions import ACCOUNT

ADMINISTRATOR = "administrator"
# moto reads bucket policies without their conditions; `permitted` reads them whole.
FakeBucket.get_permission = lambda *_: PermissionResult.NEUTRAL


def session(access_key):
    """The session of a role whose key this is."""
    roles = sts_backends[ACCOUNT]["aws"].assumed_roles
    return next((role for role in roles if role.access_key_id == access_key), None)


def principal(request):
    role = session(request.access_key)
    return role.arn if role else ADMINISTRATOR


def foreign(request):
    """Whether the bucket is somebody else's, or not whose the caller expects it to be."""
    owner = s3_backends.bucket_accounts.get(request.parameters.get("Bucket"), (None, None))[1]
    if request.service != "s3" or request.operation == "CreateBucket" or owner is None:
        return None
    if owner != ACCOUNT or request.expected_owner not in (None, owner):
        return 403, "AccessDenied", "Access Denied"
    return None


def refused(request):
    """What the caller's policies do not allow. DynamoDB and ECS really say so with status 400: clients read the code."""
    role = session(request.access_key)
    if role is None:
        if request.access_key.startswith("ASIA"):
            return 403, "InvalidClientTokenId", "The security token included in the request is invalid."
        return None
    if request.operation == "GetCallerIdentity":
        return None
    for action, resource in request.asks:
        if not permitted(request, action, resource, context(request)):
            return 403, "AccessDenied", f"User: {role.arn} is not authorized to perform: {action} on resource: {resource}"
    return None


def permitted(request, action, resource, known):
    role = iam_backends[ACCOUNT]["aws"].get_role_by_arn(session(request.access_key).role_arn)
    documents = [json.loads(document) for document in role.policies.values()]
    for policy in role.managed_policies.values():
        versions = {version.version_id: version.document for version in policy.versions}
        documents.append(json.loads(versions[policy.default_version_id]))
    bucket = s3_backends[ACCOUNT]["aws"].buckets.get(request.parameters.get("Bucket"))
    if bucket is not None and bucket.policy:
        document = json.loads(bucket.policy)
        speaks = [one for one in policies.listed(document["Statement"]) if addressed(one["Principal"], role.arn)]
        documents.append({"Statement": speaks})
    return policies.allows(documents, action, resource, known)


def addressed(principals, role):
    return principals == "*" or any(
        one in ("*", role, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root") for one in policies.listed(principals.get("AWS", []))
    )


def hides_absence(request):
    """Who may not list is not told that an object is missing. S3 checks a condition on s3:prefix against the key."""
    if "Key" not in request.parameters or session(request.access_key) is None:
        return False
    bucket, key = request.parameters["Bucket"], request.parameters["Key"]
    known = context(request) | {"s3:prefix": key}
    return not permitted(request, "s3:ListBucket", f"arn:aws:s3:::{bucket}", known)


def context(request):
    """The condition keys of one request. On loopback nothing is encrypted; at AWS it would be."""
    named = request.parameters
    known = {"aws:securetransport": "true", "s3:tlsversion": "1.3"}
    if request.service == "s3" and "prefix" in named:
        known["s3:prefix"] = named["prefix"]
    if request.service == "dynamodb":
        table = dynamodb_backends[ACCOUNT][request.region].tables.get(named.get("TableName"))
        item = named.get("Key") or named.get("Item")
        if table and item:
            known["dynamodb:leadingkeys"] = next(iter(item[table.hash_key_attr].values()))
    if request.service == "ecs":
        known["iam:passedtoservice"] = "ecs-tasks.amazonaws.com"
        known["ecs:createaction"] = request.operation
    for key, parameter in (("iam:permissionsboundary", "PermissionsBoundary"), ("iam:policyarn", "PolicyArn")):
        if parameter in named:
            known[key] = named[parameter]
    return known
