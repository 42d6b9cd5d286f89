# The settings of cloud/sagemaker/settings.py, under the same names. The region is the provider's.

variable "name" {
  description = "What the endpoint is called, and what everything beside it is named after."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", var.name)) && length(var.name) <= 36
    error_message = "Use letters, digits and hyphens, at most 36: SageMaker takes 63, and 27 tell configurations apart."
  }
}

variable "image" {
  description = "The container, in ECR: this project's, a Hugging Face or a vLLM one."
  type        = string

  validation {
    condition     = can(regex("(:[^/:]+|@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "Name a version or a digest: with a tag that moves, no update is seen and there is no way back."
  }
}

variable "role" {
  description = "What the container runs as, an ARN; null makes a role that may do what an endpoint must."
  type        = string
  default     = null
}

variable "model" {
  description = "An s3:// prefix, or an archive that ends in .tar.gz; empty where the image has its own."
  type        = string
  default     = ""

  validation {
    condition     = var.model == "" || startswith(var.model, "s3://")
    error_message = "Terraform sends no files: `deploy_sagemaker.py` does, or copy the model to S3 and write s3://…."
  }
}

variable "mode" {
  description = "real-time, serverless (paid by the request) or async (answers are written to S3, scales to zero)."
  type        = string
  default     = "real-time"

  validation {
    condition     = contains(["real-time", "serverless", "async"], var.mode)
    error_message = "Write real-time, serverless or async. Components are deployed by `deploy_sagemaker.py`: this provider has none."
  }
}

variable "output" {
  description = "Where an asynchronous endpoint writes its answers: an s3:// prefix."
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
  description = "How many it starts with, and, where it does not scale to zero, the fewest."
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
  description = "Requests that one instance should have in flight, or of an asynchronous endpoint waiting."
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
  description = "Of a serverless endpoint."
  type        = number
  default     = 4096

  validation {
    condition     = contains([1024, 2048, 3072, 4096, 5120, 6144], var.memory_mb)
    error_message = "SageMaker has 1024, 2048, 3072, 4096, 5120 and 6144."
  }
}

variable "max_concurrency" {
  description = "Requests at once to a serverless endpoint."
  type        = number
  default     = 5
}

variable "environment" {
  description = "Variables of the container. No secrets: whoever may describe the model sees them."
  type        = map(string)
  default     = {}
}

variable "download_timeout" {
  description = "Seconds until the model must have come from S3."
  type        = number
  default     = 1200
}

variable "health_timeout" {
  description = "Seconds until the container must answer /ping."
  type        = number
  default     = 900
}

variable "strategy" {
  description = "How an update gets the traffic: blue-green (at once), canary or linear."
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
  description = "How long an update may take altogether."
  type        = number
  default     = 3600
}

variable "alarms" {
  description = "Names of alarms that take an update back, besides our own."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.alarms) <= 9
    error_message = "SageMaker watches ten alarms, and one is ours."
  }
}

variable "capture" {
  description = "An s3:// prefix for a sample of what is asked and answered; of real-time endpoints."
  type        = string
  default     = ""
}

variable "capture_percent" {
  type    = number
  default = 10
}

variable "budget_usd" {
  description = "A month; 0 is no budget."
  type        = number
  default     = 0
}

variable "budget_email" {
  type    = string
  default = ""

  validation {
    condition     = var.budget_usd == 0 || var.budget_email != ""
    error_message = "A budget has to warn somebody: set budget_email."
  }
}

variable "tags" {
  type    = map(string)
  default = {}
}
