variable "region" {
  description = "Where the broker runs."
  type        = string
  default     = "eu-central-1"
}

variable "account_id" {
  description = "The account that owns the broker."
  type        = string
  default     = "905418046272"

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id has twelve digits."
  }
}

variable "desired_count" {
  description = "How many tasks the service keeps running."
  type        = number
  default     = 2

  validation {
    condition     = var.desired_count >= 1 && var.desired_count <= 10
    error_message = "Between one and ten tasks."
  }
}

variable "sandboxes" {
  description = "Names of the sandboxes that the broker hands out."
  type        = list(string)
  default     = ["sandbox-1", "sandbox-2"]

  validation {
    condition     = length(var.sandboxes) == length(distinct(var.sandboxes))
    error_message = "Each sandbox has a name of its own."
  }
}
