variable "environment" {
  description = "Which of them this is: part of the machines' names."
  type        = string
}

variable "template_id" {
  description = "The golden image that machines start from; the pipeline sets it."
  type        = string
}
