output "endpoint" {
  description = "The endpoint's name: `endpoint` of a target of kind \"sagemaker\"."
  value       = aws_sagemaker_endpoint.this.name
}

output "arn" {
  value = aws_sagemaker_endpoint.this.arn
}

output "role" {
  description = "The container's role."
  value       = local.role
}

output "model" {
  value = aws_sagemaker_model.this.name
}

output "configuration" {
  value = aws_sagemaker_endpoint_configuration.this.name
}
