"""How IAM reads a policy document: what a statement covers, and who wins.

Every verdict is True, False or None: None where this reader does not know an operator, a condition key or a policy
variable. What is unknown never allows, and always denies.
"""

import re

# The condition keys whose value, or absence, is known for every request.
KEYS = {
    "aws:securetransport",
    "dynamodb:leadingkeys",
    "ecs:createaction",
    "iam:passedtoservice",
    "iam:permissionsboundary",
    "iam:policyarn",
    "s3:prefix",
    "s3:tlsversion",
}


def allows(documents, action, resource, context):
    """An explicit Deny wins; what nothing allows is denied."""
    statements = [statement for document in documents for statement in listed(document["Statement"])]
    verdicts = [(statement["Effect"], covers(statement, action, resource, context)) for statement in statements]
    return ("Allow", True) in verdicts and not denies(verdicts)


def denies(verdicts):
    return any(effect == "Deny" and verdict is not False for effect, verdict in verdicts)


def covers(statement, action, resource, context, keys=KEYS):
    if "${" in str(statement):
        return None
    return all_of(
        [
            named(statement, "Action", action.lower(), str.lower),
            named(statement, "Resource", resource, str),
            *(
                condition(operator, key.lower(), [str(value) for value in listed(values)], context, keys)
                for operator, tests in statement.get("Condition", {}).items()
                for key, values in tests.items()
            ),
        ]
    )


def named(statement, element, value, fold):
    """Whether `Action` or `NotAction`, `Resource` or `NotResource` speaks of this value. A trust policy has no resource."""
    if element in statement:
        return any(like(value, fold(pattern)) for pattern in listed(statement[element]))
    if f"Not{element}" in statement:
        return not any(like(value, fold(pattern)) for pattern in listed(statement[f"Not{element}"]))
    return element == "Resource"


def condition(operator, key, expected, context, keys):
    """`context` has one value for a key: a set operator differs from a plain one only where the key is absent."""
    found = context.get(key)
    if key not in keys:
        return None
    if operator == "Null":
        return (found is None) == (expected[0].lower() == "true")
    quantifier, _, test = operator.rpartition(":")
    optional, test = test.endswith("IfExists"), test.removesuffix("IfExists")
    negated, test = "Not" in test, test.replace("Not", "")
    if test not in TESTS or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        return None
    if found is None:
        return quantifier == "ForAllValues" if quantifier else optional or negated
    return any(TESTS[test](found, one) for one in expected) != negated


def like(value, pattern):
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.DOTALL) is not None


TESTS = {
    "StringEquals": str.__eq__,
    "StringLike": like,
    "ArnEquals": like,
    "ArnLike": like,
    "Bool": lambda value, expected: value == expected.lower(),
    "NumericLessThan": lambda value, expected: float(value) < float(expected),
}


def all_of(verdicts):
    return False if False in verdicts else None if None in verdicts else True


def listed(value):
    return value if isinstance(value, list) else [value]
