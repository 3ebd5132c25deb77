# The network, the cluster, the database and the storage of the inventory. terraform_data stands in for the resources of
# AWS, so that the example plans and applies without an account.

resource "terraform_data" "vpc" {
  input = { id = "vpc-inventory", cidr = var.cidr }
}

resource "terraform_data" "eks" {
  input = { name = "inventory", vpc = terraform_data.vpc.output.id }
}

resource "terraform_data" "rds" {
  input = { vpc = terraform_data.vpc.output.id, storage_encrypted = true }
}

resource "terraform_data" "s3" {
  input = { name = "inventory-exports", versioning = true }
}
