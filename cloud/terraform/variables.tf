# The settings of cloud/sagemaker/settings.py, under the same names. The region is the provider's.

variable "name" {
  description = "The endpoint's name, and the prefix of all other names."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", var.name)) && length(var.name) <= 36
    error_message = "Use letters, digits and hyphens, at most 36: SageMaker's limit is 63, and the suffixes need 27."
  }
}

variable "image" {
  description = "The container, in ECR: this project's, a Hugging Face or a vLLM one."
  type        = string

  validation {
    condition     = can(regex("(:[^/:]+|@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "Name a version or a digest: with a moving tag, Terraform sees no update and can't roll back."
  }
}

variable "role" {
  description = "The ARN of the container's role; null creates a role with the permissions of an endpoint."
  type        = string
  default     = null
}

variable "model" {
  description = "An s3:// prefix or a .tar.gz archive with the model; empty if the image has one."
  type        = string
  default     = ""

  validation {
    condition     = var.model == "" || startswith(var.model, "s3://")
    error_message = "Terraform uploads no files. Use `deploy_sagemaker.py`, or copy the model to S3 and write s3://…."
  }
}

variable "mode" {
  description = "real-time, serverless (billed per request) or async (answers go to S3, scales to zero)."
  type        = string
  default     = "real-time"

  validation {
    condition     = contains(["real-time", "serverless", "async"], var.mode)
    error_message = "Write real-time, serverless or async. For components, use `deploy_sagemaker.py`: this provider doesn't support them."
  }
}

variable "output" {
  description = "The s3:// prefix for the answers of an asynchronous endpoint."
  type        = string
  default     = ""

  validation {
    condition     = var.mode != "async" || startswith(var.output, "s3://")
    error_message = "An asynchronous endpoint writes its answers to S3: set output to s3://bucket/prefix."
  }
}

variable "instance_type" {
  type    = string
  default = "ml.g5.xlarge"
}

variable "instances" {
  description = "The initial number of instances, and the minimum unless it scales to zero."
  type        = number
  default     = 1
}

variable "max_instances" {
  type    = number
  default = 1

  validation {
    condition     = var.max_instances >= var.instances
    error_message = "max_instances is below instances: raise it."
  }
}

variable "target_concurrency" {
  description = "Requests in flight per instance; for an asynchronous endpoint, waiting requests per instance."
  type        = number
  default     = 4
}

variable "scale_in_seconds" {
  type    = number
  default = 300
}

variable "scale_out_seconds" {
  type    = number
  default = 60
}

variable "memory_mb" {
  description = "The memory of a serverless endpoint, in MB."
  type        = number
  default     = 4096

  validation {
    condition     = contains([1024, 2048, 3072, 4096, 5120, 6144], var.memory_mb)
    error_message = "Choose 1024, 2048, 3072, 4096, 5120 or 6144."
  }
}

variable "max_concurrency" {
  description = "The number of concurrent requests of a serverless endpoint."
  type        = number
  default     = 5
}

variable "environment" {
  description = "Environment variables of the container. No secrets: everyone who can describe the model sees them."
  type        = map(string)
  default     = {}
}

variable "download_timeout" {
  description = "The time limit for the download from S3, in seconds."
  type        = number
  default     = 1200
}

variable "health_timeout" {
  description = "The time limit until the container answers /ping, in seconds."
  type        = number
  default     = 900
}

variable "strategy" {
  description = "The traffic shift of an update: blue-green (at once), canary or linear."
  type        = string
  default     = "canary"

  validation {
    condition     = contains(["blue-green", "canary", "linear"], var.strategy)
    error_message = "Write blue-green, canary or linear."
  }
}

variable "step_percent" {
  type    = number
  default = 10

  validation {
    condition     = var.step_percent >= 1 && var.step_percent <= 50
    error_message = "A step is 1 to 50 percent."
  }
}

variable "wait_seconds" {
  type    = number
  default = 300
}

variable "timeout_seconds" {
  description = "The time limit for an update, in seconds."
  type        = number
  default     = 3600
}

variable "alarms" {
  description = "Names of additional alarms that roll an update back."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.alarms) <= 9
    error_message = "SageMaker watches at most ten alarms, and the module creates one."
  }
}

variable "capture" {
  description = "The s3:// prefix for a sample of questions and answers; for real-time endpoints."
  type        = string
  default     = ""
}

variable "capture_percent" {
  type    = number
  default = 10
}

variable "budget_usd" {
  description = "USD per month; 0 means no budget."
  type        = number
  default     = 0
}

variable "budget_email" {
  type    = string
  default = ""

  validation {
    condition     = var.budget_usd == 0 || var.budget_email != ""
    error_message = "A budget needs an address for its alerts: set budget_email."
  }
}

variable "tags" {
  type    = map(string)
  default = {}
}
