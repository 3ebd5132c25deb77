//! Which AWS services resources belong to, by the prefix of their IAM actions
//! ([AWS: service authorization reference](https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html)).

use std::collections::BTreeSet;

/// The start of a resource's type behind `aws_`, and the service. The longest start that fits counts.
const SERVICES: &[(&str, &str)] = &[
    ("acm", "acm"),
    ("alb", "elasticloadbalancing"),
    ("ami", "ec2"),
    ("api_gateway", "apigateway"),
    ("apigatewayv2", "apigateway"),
    ("appautoscaling", "application-autoscaling"),
    ("apprunner", "apprunner"),
    ("appsync", "appsync"),
    ("athena", "athena"),
    ("autoscaling", "autoscaling"),
    ("backup", "backup"),
    ("batch", "batch"),
    ("budgets", "budgets"),
    ("cloudfront", "cloudfront"),
    ("cloudtrail", "cloudtrail"),
    ("cloudwatch", "cloudwatch"),
    ("cloudwatch_event", "events"),
    ("cloudwatch_log", "logs"),
    ("codebuild", "codebuild"),
    ("cognito_identity_pool", "cognito-identity"),
    ("cognito_identity_provider", "cognito-idp"),
    ("cognito_resource_server", "cognito-idp"),
    ("cognito_user", "cognito-idp"),
    ("config", "config"),
    ("customer_gateway", "ec2"),
    ("db", "rds"),
    ("default_network_acl", "ec2"),
    ("default_route_table", "ec2"),
    ("default_security_group", "ec2"),
    ("default_subnet", "ec2"),
    ("default_vpc", "ec2"),
    ("dynamodb", "dynamodb"),
    ("ebs", "ec2"),
    ("ec2", "ec2"),
    ("ecr", "ecr"),
    ("ecs", "ecs"),
    ("efs", "elasticfilesystem"),
    ("egress_only_internet_gateway", "ec2"),
    ("eip", "ec2"),
    ("eks", "eks"),
    ("elasticache", "elasticache"),
    ("elasticsearch", "es"),
    ("elb", "elasticloadbalancing"),
    ("flow_log", "ec2"),
    ("glue", "glue"),
    ("guardduty", "guardduty"),
    ("iam", "iam"),
    ("instance", "ec2"),
    ("internet_gateway", "ec2"),
    ("key_pair", "ec2"),
    ("kinesis", "kinesis"),
    ("kinesis_firehose", "firehose"),
    ("kms", "kms"),
    ("lambda", "lambda"),
    ("launch_template", "ec2"),
    ("lb", "elasticloadbalancing"),
    ("mq", "mq"),
    ("msk", "kafka"),
    ("nat_gateway", "ec2"),
    ("network_acl", "ec2"),
    ("network_interface", "ec2"),
    ("opensearch", "es"),
    ("rds", "rds"),
    ("redshift", "redshift"),
    ("resourcegroups", "resource-groups"),
    ("route", "ec2"),
    ("route53", "route53"),
    ("route_table", "ec2"),
    ("s3", "s3"),
    ("scheduler", "scheduler"),
    ("secretsmanager", "secretsmanager"),
    ("security_group", "ec2"),
    ("service_discovery", "servicediscovery"),
    ("ses", "ses"),
    ("sfn", "states"),
    ("sns", "sns"),
    ("spot", "ec2"),
    ("sqs", "sqs"),
    ("ssm", "ssm"),
    ("subnet", "ec2"),
    ("transfer", "transfer"),
    ("volume_attachment", "ec2"),
    ("vpc", "ec2"),
    ("vpn", "ec2"),
    ("waf", "waf"),
    ("wafv2", "wafv2"),
    ("xray", "xray"),
];

/// The services of resources, and the types of AWS whose service is not known.
pub(super) fn of(resources: &BTreeSet<String>) -> (Vec<String>, Vec<&str>) {
    let mut services = BTreeSet::new();
    let mut unknown = Vec::new();
    for kind in resources {
        let Some(rest) = kind.strip_prefix("aws_") else { continue };
        let fits =
            |start: &str| rest.strip_prefix(start).is_some_and(|end| end.is_empty() || end.starts_with('_'));
        match SERVICES.iter().filter(|(start, _)| fits(start)).max_by_key(|(start, _)| start.len()) {
            Some((_, service)) => {
                services.insert((*service).to_owned());
            }
            None => unknown.push(kind.as_str()),
        }
    }
    (services.into_iter().collect(), unknown)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::of;

    #[test]
    fn the_longest_start_counts_and_only_whole_words() {
        let types = [
            "aws_cloudwatch_log_group",
            "aws_route53_record",
            "aws_lb_listener",
            "aws_lbx",
            "terraform_data",
        ];
        let types: BTreeSet<String> = types.iter().map(ToString::to_string).collect();
        let (services, unknown) = of(&types);
        assert_eq!(services, ["elasticloadbalancing", "logs", "route53"]);
        assert_eq!(unknown, ["aws_lbx"]);
    }
}
