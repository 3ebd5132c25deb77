variable "environment" {
  type        = string
  description = "The environment's name."
}

variable "active_color" {
  type        = string
  default     = "blue"
  description = "The colour that gets the traffic."

  validation {
    condition     = contains(["blue", "green"], var.active_color)
    error_message = "There are two colours: blue and green."
  }
}

variable "zones" {
  type        = list(string)
  description = "Where instances run."
}

variable "tags" {
  type        = map(string)
  description = "What everything is labelled with."
}

variable "instance_type" {
  type        = string
  description = "What an instance is."
}

variable "instances" {
  type        = number
  description = "How many instances each colour has."
}

variable "alert_emails" {
  type        = list(string)
  sensitive   = true
  description = "Who is told when something breaks."
}
