output "endpoint" {
  description = "Its name: `endpoint` of a target of kind \"sagemaker\"."
  value       = aws_sagemaker_endpoint.this.name
}

output "arn" {
  value = aws_sagemaker_endpoint.this.arn
}

output "role" {
  description = "What the container runs as."
  value       = local.role
}

output "model" {
  value = aws_sagemaker_model.this.name
}

output "configuration" {
  value = aws_sagemaker_endpoint_configuration.this.name
}
