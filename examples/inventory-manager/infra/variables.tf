variable "cidr" {
  description = "The addresses of the network."
  type        = string
  default     = "10.20.0.0/16"
}
