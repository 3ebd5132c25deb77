terraform {
  required_version = "~> 1.11"

  # Bucket, key and lock come from the pipeline.
  backend "s3" {}
}
