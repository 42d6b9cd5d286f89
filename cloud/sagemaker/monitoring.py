"""The calls for the alarm that rolls an update back, and for the budget."""

from __future__ import annotations

from cloud.calls import ApiCall
from cloud.sagemaker.names import alarm_names, budget_name, dimensions
from cloud.sagemaker.settings import SageMakerSettings


def monitoring(settings: SageMakerSettings) -> list[ApiCall]:
    """Return the calls for the alarm that rolls an update back, and for the budget."""
    alarm = {
        "AlarmName": alarm_names(settings)[0],
        "AlarmDescription": f"The model of {settings.name} failed.",
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": dimensions(settings),
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 2,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    calls = [ApiCall("cloudwatch", "PutMetricAlarm", alarm, "an alarm for failures")]
    return calls + ([_budget(settings)] if settings.budget_usd else [])


def _budget(settings: SageMakerSettings) -> ApiCall:
    notification = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    subscriber = {"SubscriptionType": "EMAIL", "Address": settings.budget_email}
    payload = {
        "AccountId": "000000000000",  # a placeholder: the step fills in the current account
        "Budget": {
            "BudgetName": budget_name(settings),
            "BudgetLimit": {"Amount": f"{settings.budget_usd:g}", "Unit": "USD"},
            "CostFilters": {"TagKeyValue": [f"user:deployment${settings.name}"]},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        },
        "NotificationsWithSubscribers": [{"Notification": notification, "Subscribers": [subscriber]}],
    }
    return ApiCall("budgets", "CreateBudget", payload, "a budget with alerts")
