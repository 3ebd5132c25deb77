output "cluster_arn" {
  description = "The cluster that the service runs in."
  value       = terraform_data.cluster.input.arn
}

output "repository_url" {
  description = "Where the broker's image is pushed."
  value       = local.repository
}

output "service_name" {
  description = "The service that a deployment updates."
  value       = terraform_data.service.input.name
}
