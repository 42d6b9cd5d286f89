# Autoscaling: bounds, the tracked metric, and the step up from zero.

locals {
  scales    = var.mode == "async" || (var.mode == "real-time" && var.max_instances > var.instances)
  from_zero = var.mode == "async"
}

resource "aws_appautoscaling_target" "instances" {
  count = local.scales ? 1 : 0

  service_namespace  = "sagemaker"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.this.name}/variant/${local.variant}"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  min_capacity       = local.from_zero ? 0 : var.instances
  max_capacity       = max(1, var.max_instances)
  tags               = local.tags
}

resource "aws_appautoscaling_policy" "load" {
  count = local.scales ? 1 : 0

  name               = "${var.name}-load"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.instances[0].service_namespace
  resource_id        = aws_appautoscaling_target.instances[0].resource_id
  scalable_dimension = aws_appautoscaling_target.instances[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.target_concurrency
    scale_in_cooldown  = var.scale_in_seconds
    scale_out_cooldown = var.scale_out_seconds

    # High resolution: evaluated every ten seconds instead of every minute.
    dynamic "predefined_metric_specification" {
      for_each = var.mode == "real-time" ? ["SageMakerVariantConcurrentRequestsPerModelHighResolution"] : []

      content {
        predefined_metric_type = predefined_metric_specification.value
      }
    }

    # The queue length per instance.
    dynamic "customized_metric_specification" {
      for_each = var.mode == "async" ? ["ApproximateBacklogSizePerInstance"] : []

      content {
        namespace   = "AWS/SageMaker"
        metric_name = customized_metric_specification.value
        statistic   = "Average"

        dimensions {
          name  = "EndpointName"
          value = aws_sagemaker_endpoint.this.name
        }
      }
    }
  }
}

# Tracking divides by the number of instances. From zero, a failed request starts the first one.
resource "aws_appautoscaling_policy" "from_zero" {
  count = local.from_zero ? 1 : 0

  name               = "${var.name}-from-zero"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.instances[0].service_namespace
  resource_id        = aws_appautoscaling_target.instances[0].resource_id
  scalable_dimension = aws_appautoscaling_target.instances[0].scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = var.scale_out_seconds

    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "asked" {
  count = local.from_zero ? 1 : 0

  alarm_name          = "${var.name}-asked"
  alarm_actions       = [aws_appautoscaling_policy.from_zero[0].arn]
  namespace           = "AWS/SageMaker"
  metric_name         = "HasBacklogWithoutCapacity"
  dimensions          = { EndpointName = aws_sagemaker_endpoint.this.name }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "missing"
  tags                = local.tags
}
