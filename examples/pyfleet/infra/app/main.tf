# The fleet in two colours, as far as it can be shown without a provider: resources that keep what they are given.

terraform {
  required_version = ">= 1.11"
  backend "s3" {}
}

resource "terraform_data" "group" {
  for_each = toset(["blue", "green"])

  input = {
    name          = "asg-${each.key}"
    environment   = var.environment
    instance_type = var.instance_type
    instances     = var.instances
    zones         = var.zones
    tags          = var.tags
  }
}

resource "terraform_data" "alarm" {
  input = { notifies = var.alert_emails }
}

# Promotion changes this alone.
resource "terraform_data" "listener" {
  input = { group = "asg-${var.active_color}" }
}
