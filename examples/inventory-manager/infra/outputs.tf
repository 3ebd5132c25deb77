output "cluster_name" {
  description = "The cluster that runs the inventory."
  value       = terraform_data.eks.output.name
}

output "vpc_id" {
  description = "The network that everything lies in."
  value       = terraform_data.vpc.output.id
}

output "database" {
  description = "Where the database is; it stays in the state."
  value       = terraform_data.rds.output.vpc
}
