# A stand-in for the hypervisor's own resources: it has their shape, and needs no hypervisor.
locals {
  machines = {
    docker-1 = { address = "192.0.2.11", cores = 2, memory = 4096 }
  }
}

resource "terraform_data" "machine" {
  for_each = local.machines

  input = {
    name        = "${var.environment}-${each.key}"
    template_id = var.template_id
    address     = each.value.address
    cores       = each.value.cores
    memory      = each.value.memory
    # The real resource tells it when the machine is up.
    host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkZ0000000000000000000000000000000000000000"
  }
}
