# The broker's service. terraform_data stands in for the resources of AWS, so that the example
# plans, tests and applies without an account.
#
# Who owns what: Terraform makes the service, and deployments choose the task definition that it runs.
# So Terraform names one to begin with and ignores it from then on. It would take every deployment back.

locals {
  name       = "sandbox-broker"
  repository = "${var.account_id}.dkr.ecr.${var.region}.amazonaws.com/${local.name}-api"
}

resource "terraform_data" "cluster" {
  input = {
    arn = "arn:aws:ecs:${var.region}:${var.account_id}:cluster/${local.name}-cluster"
  }
}

resource "terraform_data" "service" {
  input = {
    cluster       = terraform_data.cluster.input.arn
    name          = "${local.name}-api"
    desired_count = var.desired_count

    # aws_ecs_service: deployment_circuit_breaker { enable = true, rollback = true }. A deployment that does
    # not become healthy is put back by ECS itself, whatever becomes of the run that started it.
    deployment_circuit_breaker = { enable = true, rollback = true }

    # The first revision; see ignore_changes.
    task_definition = "${local.name}-api:1"

    environment = {
      SANDBOXES = join(",", var.sandboxes)
    }
  }

  lifecycle {
    # Of an aws_ecs_service: ignore_changes = [task_definition].
    ignore_changes = [input.task_definition]

    precondition {
      condition     = length(var.sandboxes) > 0
      error_message = "A broker without sandboxes has nothing to hand out."
    }
  }
}
