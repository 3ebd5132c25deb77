output "ansible_inventory" {
  description = "The machines as Ansible reads them."
  value = yamlencode({
    all = {
      hosts = {
        for machine in terraform_data.machine : machine.output.name => {
          ansible_host = machine.output.address
          template_id  = machine.output.template_id
        }
      }
      vars = {
        ansible_user = "ops"
      }
    }
  })
}

output "ansible_known_hosts" {
  description = "The machines' host keys, in the form of known_hosts."
  value       = [for machine in terraform_data.machine : "${machine.output.address} ${machine.output.host_key}"]
}
