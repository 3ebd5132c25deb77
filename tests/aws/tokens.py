"""GitHub's tokens, and AWS's opinion of them.

Stands in for GitHub's OIDC provider (the endpoint that a job with `id-token: write` asks) and checks what
sts:AssumeRoleWithWebIdentity checks: signature, expiry, provider, audience, and the role's trust policy.
"""

import json
import time
import uuid

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from werkzeug.wrappers import Request, Response

import policies
from actions import ACCOUNT

ISSUER = "token.actions.githubusercontent.com"
# The claims that AWS offers as condition keys: of any provider, and of GitHub's since early 2026.
KEYS = ("aud", "sub")
GITHUB_KEYS = ("actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref", "ref", "repository", "repository_id", "workflow")
# Made before the fork: it takes longer than everything else.
KEY = RSAKey.generate_key(2048, parameters={"kid": "github"})
BEARER = uuid.uuid4().hex


def token(claims, audience):
    """A token as GitHub issues it to a push to main, with the test's claims; a claim that is null is left out."""
    now = int(time.time())
    claims = {
        "iss": f"https://{ISSUER}",
        "aud": audience,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "nbf": now - 300,
        "exp": now + 300,
        "repository": "octo-org/octo-repo",
        "repository_id": "74",
        "repository_owner": "octo-org",
        "repository_owner_id": "65",
        "repository_visibility": "private",
        "ref": "refs/heads/main",
        "ref_type": "branch",
        "sha": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
        "actor": "octocat",
        "actor_id": "12",
        "event_name": "push",
        "workflow": "Terraform by hand",
        "workflow_ref": "octo-org/octo-repo/.github/workflows/tf.yml@refs/heads/main",
        "run_id": "30",
        "run_number": "10",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
    } | claims
    claims.setdefault("job_workflow_ref", claims["workflow_ref"])
    claims.setdefault("sub", subject(claims))
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": "github"}, present, KEY)


def subject(claims):
    """The immutable format, which repositories created since 2026-07-15 have."""
    repository = claims["repository"].partition("/")[2]
    repository = f"{claims['repository_owner']}@{claims['repository_owner_id']}/{repository}@{claims['repository_id']}"
    if claims.get("environment"):
        return f"repo:{repository}:environment:{claims['environment'].replace(':', '%3A')}"
    if claims["event_name"] == "pull_request":
        return f"repo:{repository}:pull_request"
    return f"repo:{repository}:ref:{claims['ref']}"


def endpoint(environ, claims):
    """ACTIONS_ID_TOKEN_REQUEST_URL, which a job asks with ACTIONS_ID_TOKEN_REQUEST_TOKEN."""
    request = Request(environ)
    if claims is None or request.headers.get("Authorization", "").lower() != f"bearer {BEARER}":
        return Response(status=401)
    owner = claims.get("repository_owner", "octo-org")
    value = token(claims, request.args.get("audience", f"https://github.com/{owner}"))
    return Response(json.dumps({"count": len(value), "value": value}), content_type="application/json")


def not_assumable(parameters):
    """Why AWS does not let this token assume this role: (status, code, message), or None."""
    iam = iam_backends[ACCOUNT]["aws"]
    try:
        claims = jwt.decode(parameters["WebIdentityToken"], KEY, algorithms=["RS256"]).claims
    except (JoseError, ValueError):
        return 400, "InvalidIdentityToken", "The ID Token provided is not valid"
    issuer = claims["iss"].removeprefix("https://")
    provider = next((one for one in iam.open_id_providers.values() if one.url == issuer), None)
    if provider is None:
        return 400, "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {claims['iss']}"
    if claims["exp"] <= time.time():
        return 400, "ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time"
    if claims["aud"] not in provider.client_id_list:
        return 400, "InvalidIdentityToken", "Incorrect token audience"
    offered = KEYS + (GITHUB_KEYS if issuer == ISSUER else ())
    keys = {f"{issuer}:{claim}" for claim in offered}
    context = {f"{issuer}:{claim}": str(claims[claim]) for claim in offered if claim in claims}
    denied = 403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    try:
        role = iam.get_role_by_arn(parameters["RoleArn"])
    except NotFoundException:
        return denied
    verdicts = [
        (statement["Effect"], policies.covers(statement, "sts:AssumeRoleWithWebIdentity", role.arn, context, keys))
        for statement in trusting(role.assume_role_policy_document, provider.arn)
    ]
    if ("Allow", True) not in verdicts or policies.denies(verdicts):
        return denied
    if int(parameters.get("DurationSeconds", 3600)) > int(role.max_session_duration or 3600):
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        return 400, "ValidationError", message
    return None


def not_writable(request):
    """IAM takes no trust in GitHub's provider, which everybody shares, that does not look at `sub`."""
    document = request.parameters.get({"CreateRole": "AssumeRolePolicyDocument", "UpdateAssumeRolePolicy": "PolicyDocument"}.get(request.operation))
    if request.service != "iam" or document is None:
        return None
    for statement in trusting(document, f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"):
        evaluated = {key.lower() for tests in statement.get("Condition", {}).values() for key in tests}
        if statement["Effect"] == "Allow" and f"{ISSUER}:sub" not in evaluated:
            return 400, "MalformedPolicyDocument", f"Missing required evaluation of {ISSUER}:sub for a shared OIDC provider"
    return None


def trusting(document, provider):
    """The statements that speak of this provider."""
    for statement in policies.listed(json.loads(document)["Statement"]):
        principal = statement.get("Principal", {})
        if principal == "*" or provider in policies.listed(principal.get("Federated", [])):
            yield statement
