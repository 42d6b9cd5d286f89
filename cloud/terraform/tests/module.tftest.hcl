# Tests of the module's resources, without an account: terraform init && terraform test

mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/spaceport-endpoint" }
  }
  mock_resource "aws_appautoscaling_policy" {
    defaults = { arn = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:resource/sagemaker/1:policyName/1" }
  }
}

variables {
  name          = "spaceport-chat"
  image         = "123456789012.dkr.ecr.us-east-1.amazonaws.com/spaceport-inference:0.1.0"
  instance_type = "ml.g4dn.xlarge"
}

run "a_real_time_endpoint" {
  command = apply

  variables {
    instances     = 2
    max_instances = 4
    environment   = { SPACEPORT_LOG_LEVEL = "info" }
    alarms        = ["spaceport-latency"]
  }

  assert {
    condition     = startswith(output.model, "spaceport-chat-") && aws_sagemaker_endpoint_configuration.this.name_prefix == "spaceport-chat-"
    error_message = "Resources are named after the deployment."
  }
  assert {
    condition     = aws_sagemaker_endpoint_configuration.this.production_variants[0].initial_instance_count == 2
    error_message = "It starts with two instances."
  }
  assert {
    condition     = length(aws_sagemaker_endpoint.this.deployment_config[0].auto_rollback_configuration[0].alarms) == 2
    error_message = "The module's alarm and the configured one roll an update back."
  }
  assert {
    condition     = aws_appautoscaling_target.instances[0].min_capacity == 2 && aws_appautoscaling_target.instances[0].max_capacity == 4
    error_message = "It scales between the bounds."
  }
  assert {
    condition     = length(aws_appautoscaling_policy.from_zero) == 0
    error_message = "It never scales to zero."
  }
  assert {
    condition     = output.role == "arn:aws:iam::123456789012:role/spaceport-endpoint"
    error_message = "The module creates a role."
  }
}

run "another_image_is_another_model" {
  command = apply

  variables {
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/spaceport-inference:0.2.0"
  }

  assert {
    condition     = output.model != run.a_real_time_endpoint.model
    error_message = "A model cannot be changed."
  }
  assert {
    condition     = length(aws_appautoscaling_target.instances) == 0
    error_message = "Equal bounds need no scaling."
  }
}

run "a_serverless_endpoint" {
  command = plan

  variables {
    mode      = "serverless"
    memory_mb = 3072
  }

  assert {
    condition     = aws_sagemaker_endpoint_configuration.this.production_variants[0].serverless_config[0].memory_size_in_mb == 3072
    error_message = "It has the configured memory."
  }
  assert {
    condition     = aws_sagemaker_endpoint_configuration.this.production_variants[0].instance_type == null
    error_message = "It has no instances."
  }
  assert {
    condition     = length(aws_sagemaker_endpoint.this.deployment_config) == 0 && length(aws_appautoscaling_target.instances) == 0
    error_message = "SageMaker refuses a traffic policy and scaling of a serverless endpoint."
  }
}

run "an_asynchronous_endpoint_scales_from_zero" {
  command = apply

  variables {
    mode          = "async"
    output        = "s3://spaceport-answers/chat"
    max_instances = 2
  }

  assert {
    condition     = aws_sagemaker_endpoint_configuration.this.async_inference_config[0].output_config[0].s3_output_path == "s3://spaceport-answers/chat"
    error_message = "Its answers go to S3."
  }
  assert {
    condition     = aws_appautoscaling_target.instances[0].min_capacity == 0
    error_message = "It scales to zero."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.asked[0].alarm_actions == toset([aws_appautoscaling_policy.from_zero[0].arn])
    error_message = "The first request starts the first instance."
  }
}

run "a_model_in_a_bucket_and_an_existing_role" {
  command = plan

  variables {
    model = "s3://spaceport-models/qwen.tar.gz"
    role  = "arn:aws:iam::123456789012:role/mine"
  }

  assert {
    condition     = aws_sagemaker_model.this.primary_container[0].model_data_source[0].s3_data_source[0].compression_type == "Gzip"
    error_message = "An archive is unpacked."
  }
  assert {
    condition     = length(aws_iam_role.endpoint) == 0 && aws_sagemaker_model.this.execution_role_arn == "arn:aws:iam::123456789012:role/mine"
    error_message = "It uses the configured role."
  }
}

run "invalid_settings_are_refused" {
  command = plan

  variables {
    name          = "spaceport_chat"
    image         = "123456789012.dkr.ecr.us-east-1.amazonaws.com/spaceport-inference:latest"
    mode          = "async"
    model         = "models/qwen"
    instances     = 3
    memory_mb     = 5000
    strategy      = "slowly"
    step_percent  = 60
    budget_usd    = 50
    max_instances = 2
    alarms        = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]
  }

  expect_failures = [
    var.name, var.image, var.output, var.model, var.max_instances, var.memory_mb, var.strategy, var.step_percent,
    var.budget_email, var.alarms,
  ]
}

run "components_are_refused" {
  command = plan

  variables {
    mode = "components"
  }

  expect_failures = [var.mode]
}
