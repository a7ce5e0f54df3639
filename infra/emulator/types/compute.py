"""What runs code: Lambda, Glue jobs, EMR Serverless, Airflow, schedules."""

from __future__ import annotations

from infra.emulator.types.registration import Call, CloudType, Make, made, native

_IN_PROCESS = "Runs as a process of Python 3.13 (Node.js for CDK's own), whatever the runtime says."

TYPES: tuple[CloudType, ...] = (
    native("AWS::Lambda::Function", Call("lambda", "get_function", {"FunctionName": "{id}"}), _IN_PROCESS),
    native("AWS::Lambda::LayerVersion", Call("lambda", "get_layer_version_by_arn", {"Arn": "{id}"})),
    native("AWS::Lambda::Permission", Call("lambda", "get_policy", {"FunctionName": "{FunctionName}"})),
    native(
        "AWS::Lambda::EventSourceMapping",
        Call("lambda", "get_event_source_mapping", {"UUID": "{id}"}),
        "Polls SQS, Kinesis and DynamoDB; not MSK.",
    ),
    native("AWS::Glue::Connection", Call("glue", "get_connection", {"Name": "{id}"})),
    native(
        "AWS::Glue::Job",
        Call("glue", "get_job", {"JobName": "{id}"}),
        "A run succeeds without running the script; tests/infra/test_jobs.py runs it.",
        faked=True,
    ),
    made(
        "AWS::Glue::SecurityConfiguration",
        Make(
            "{Name}",
            {},
            Call("glue", "create_security_configuration"),
            Call("glue", "delete_security_configuration", {"Name": "{id}"}),
            lambda given: {
                **given,
                "EncryptionConfiguration": {
                    **given["EncryptionConfiguration"],
                    # The one name that CloudFormation and the API don't share.
                    "S3Encryption": given["EncryptionConfiguration"].get("S3Encryptions", []),
                },
            },
        ),
        Call("glue", "get_security_configuration", {"Name": "{id}"}),
    ),
    made(
        "AWS::EMRServerless::Application",
        Make(
            "{answer.applicationId}",
            {"ApplicationId": "{id}", "Arn": "{answer.arn}"},
            # moto knows only release labels of the older form.
            Call("emr-serverless", "create_application", {"releaseLabel": "emr-7.0.0"}),
            Call("emr-serverless", "delete_application", {"applicationId": "{id}"}),
            stop=Call("emr-serverless", "stop_application", {"applicationId": "{id}"}),
        ),
        Call(
            "emr-serverless", "get_application", {"applicationId": "{id}"}, "application.state!='TERMINATED'"
        ),
        "Made in moto, with another release; runs nothing.",
        faked=True,
    ),
    made(
        "AWS::MWAA::Environment",
        Make(
            "{Name}",
            {
                "Arn": "{answer.Arn}",
                "WebserverUrl": "{hash}.c2.airflow.{region}.on.aws",
                "CeleryExecutorQueue": "arn:aws:sqs:{region}:{account}:airflow-celery-{hash}",
                "DatabaseVpcEndpointService": "com.amazonaws.vpce.{region}.vpce-svc-{hash}",
                "WebserverVpcEndpointService": "com.amazonaws.vpce.{region}.vpce-svc-{hash}",
                "LoggingConfiguration.TaskLogs.CloudWatchLogGroupArn": (
                    "arn:aws:logs:{region}:{account}:log-group:airflow-{Name}-Task"
                ),
            },
            Call("mwaa", "create_environment"),
            Call("mwaa", "delete_environment", {"Name": "{id}"}),
        ),
        Call("mwaa", "get_environment", {"Name": "{id}"}),
        "No Airflow runs; tests/infra/test_dags.py runs the DAGs.",
        faked=True,
    ),
    native(
        "AWS::StepFunctions::StateMachine",
        Call("stepfunctions", "describe_state_machine", {"stateMachineArn": "{id}"}),
        "Executions really run.",
    ),
    native(
        "AWS::Scheduler::Schedule",
        Call("scheduler", "get_schedule", {"Name": "{id}", "GroupName": "{GroupName || 'default'}"}),
    ),
    native(
        "AWS::Events::Rule",
        Call("events", "describe_rule", {"Name": "{Name}", "EventBusName": "{EventBusName || 'default'}"}),
        "Patterns and schedules really fire.",
    ),
)
