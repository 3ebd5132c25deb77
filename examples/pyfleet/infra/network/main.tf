# The network, as far as it can be shown without a provider: resources that keep what they are given.

terraform {
  required_version = ">= 1.11"
  backend "s3" {}
}

variable "environment" {
  type        = string
  description = "The environment's name."
}

resource "terraform_data" "vpc" {
  input = {
    name = "fleet-${var.environment}"
    cidr = "10.0.0.0/16"
  }
}

output "vpc" {
  value       = terraform_data.vpc.output.name
  description = "The network's name."
}
