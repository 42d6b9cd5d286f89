# The container's role if none is given, with the policy of ../policies.

resource "aws_iam_role" "endpoint" {
  count = var.role == null ? 1 : 0

  name = "${var.name}-endpoint"
  tags = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "sagemaker.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "endpoint" {
  count = var.role == null ? 1 : 0

  name   = "endpoint"
  role   = aws_iam_role.endpoint[0].name
  policy = file("${path.module}/../policies/sagemaker-endpoint-role.json")
}
