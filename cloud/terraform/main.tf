# One model on one SageMaker endpoint, as `deploy_sagemaker.py` deploys it, for infrastructure that Terraform manages.

locals {
  variant  = "main"
  tags     = merge({ project = "spaceport", deployment = var.name }, var.tags)
  role     = var.role != null ? var.role : aws_iam_role.endpoint[0].arn
  on_own   = var.mode != "serverless" # on instances that run all the time
  archived = endswith(var.model, ".tar.gz")

  # A model and a configuration can't be changed: new content gets a new name, and Terraform creates the new one before
  # it deletes the old one.
  model_digest = substr(sha256(jsonencode([var.image, var.model, var.environment, local.role])), 0, 10)
}

resource "aws_sagemaker_model" "this" {
  name               = "${var.name}-${local.model_digest}"
  execution_role_arn = local.role
  tags               = local.tags

  primary_container {
    image       = var.image
    environment = var.environment

    dynamic "model_data_source" {
      for_each = var.model == "" ? [] : [var.model]

      content {
        s3_data_source {
          s3_uri           = model_data_source.value
          s3_data_type     = local.archived ? "S3Object" : "S3Prefix"
          compression_type = local.archived ? "Gzip" : "None"
        }
      }
    }
  }

  # The role's permissions come first: SageMaker reads the image and the files at once.
  depends_on = [aws_iam_role_policy.endpoint]

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name_prefix = "${var.name}-"
  tags        = local.tags

  production_variants {
    variant_name           = local.variant
    model_name             = aws_sagemaker_model.this.name
    initial_variant_weight = 1

    instance_type          = local.on_own ? var.instance_type : null
    initial_instance_count = local.on_own ? var.instances : null

    model_data_download_timeout_in_seconds            = local.on_own ? var.download_timeout : null
    container_startup_health_check_timeout_in_seconds = local.on_own ? var.health_timeout : null

    dynamic "serverless_config" {
      for_each = local.on_own ? [] : [var.memory_mb]

      content {
        memory_size_in_mb = serverless_config.value
        max_concurrency   = var.max_concurrency
      }
    }
  }

  dynamic "async_inference_config" {
    for_each = var.mode == "async" ? [var.output] : []

    content {
      output_config {
        s3_output_path = async_inference_config.value
        # Without a failure path, a client that waits for an answer never learns about a failure.
        s3_failure_path = "${trimsuffix(async_inference_config.value, "/")}/failed"
      }
    }
  }

  dynamic "data_capture_config" {
    for_each = var.capture != "" && var.mode == "real-time" ? [var.capture] : []

    content {
      enable_capture              = true
      initial_sampling_percentage = var.capture_percent
      destination_s3_uri          = data_capture_config.value

      capture_options {
        capture_mode = "Input"
      }
      capture_options {
        capture_mode = "Output"
      }
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = var.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
  tags                 = local.tags

  # Serverless endpoints switch at once, and SageMaker refuses a policy.
  dynamic "deployment_config" {
    for_each = local.on_own ? [var.strategy] : []

    content {
      blue_green_update_policy {
        termination_wait_in_seconds          = min(var.wait_seconds, 3600)
        maximum_execution_timeout_in_seconds = max(600, min(28800, var.timeout_seconds))

        traffic_routing_configuration {
          type                     = { blue-green = "ALL_AT_ONCE", canary = "CANARY", linear = "LINEAR" }[var.strategy]
          wait_interval_in_seconds = min(var.wait_seconds, 3600)

          dynamic "canary_size" {
            for_each = var.strategy == "canary" ? [var.step_percent] : []

            content {
              type  = "CAPACITY_PERCENT"
              value = canary_size.value
            }
          }

          dynamic "linear_step_size" {
            for_each = var.strategy == "linear" ? [var.step_percent] : []

            content {
              type  = "CAPACITY_PERCENT"
              value = linear_step_size.value
            }
          }
        }
      }

      auto_rollback_configuration {
        dynamic "alarms" {
          for_each = concat([aws_cloudwatch_metric_alarm.errors.alarm_name], var.alarms)

          content {
            alarm_name = alarms.value
          }
        }
      }
    }
  }
}
