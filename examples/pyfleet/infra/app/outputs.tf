output "active_asg" {
  value       = terraform_data.listener.output.group
  description = "The group that gets the traffic."
}

output "address" {
  value       = "https://fleet-${var.environment}.example.com"
  description = "Where the fleet answers."
}
