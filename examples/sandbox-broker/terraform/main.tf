# The broker's service. terraform_data stands in for the resources of AWS, so that the example
# plans, tests and applies without an account.

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
    environment = {
      SANDBOXES = join(",", var.sandboxes)
    }
  }

  lifecycle {
    precondition {
      condition     = length(var.sandboxes) > 0
      error_message = "A broker without sandboxes has nothing to hand out."
    }
  }
}
