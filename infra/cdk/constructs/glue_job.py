"""A job of the catalog as a Glue 6.0 job (Spark 4.1.1, Python 3.13, Delta 4.2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.cdk.constructs.shipped import runs
from infra.cdk.contracts import JobSpec

#: Streaming jobs would get an older one by default.
VERSION = "6.0"
#: The zip that Glue installs without a network; its name tells Glue what it is.
WHEELS_FILE = "mercato.gluewheels.zip"
#: Artifacts of jobs, and the folder that each is put in.
WHEELS, MODEL_WHEELS, ENTRY, JARS = "jobs-wheels", "model-jobs-wheels", "jobs-entry", "jobs-jars"

#: Argument that keeps a streaming job from ending.
_FOLLOW = "--follow"
_SPARK_CONF = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # One job writes a table, so the driver that runs it may hold the table's log.
    "spark.delta.logStore.s3.impl": "io.delta.storage.S3SingleDriverLogStore",
}


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What the jobs of a layer share.

    Attributes:
        prefix: put before a job's name.
        code: S3 folder with one folder for each of the jobs' artifacts.
        wheels: artifact with what they import.
        jars: names of the files of the artifact `jobs-jars`.
        lake_uri: root of the lake.
        given: arguments that all of them take.
        role: what they may do.
        security: name of Glue's security configuration.
        connection: name of the connection to the VPC.
        workers: of a batch job.
        worker_type: of a batch job.
        continuous: let streaming jobs run on; otherwise they end with what there is.
    """

    prefix: str
    code: str
    wheels: str
    jars: tuple[str, ...]
    lake_uri: str
    given: Mapping[str, str]
    role: iam.IRole
    security: str
    connection: str
    workers: int
    worker_type: str
    continuous: bool


class GlueJob(Construct):
    """One job.

    Attributes:
        job: itself.
    """

    def __init__(self, scope: Construct, construct_id: str, *, job: JobSpec, runtime: Runtime) -> None:
        """Create the job; Airflow starts those that are not streaming."""
        super().__init__(scope, construct_id)
        streaming = job.kind == "streaming"
        self.job = glue.CfnJob(
            self,
            "Job",
            name=f"{runtime.prefix}{job.name}",
            description=f"{', '.join(job.reads)} -> {', '.join(job.writes)}"[:2000],
            role=runtime.role.role_arn,
            glue_version=VERSION,
            command=glue.CfnJob.JobCommandProperty(
                name="gluestreaming" if streaming else "glueetl",
                python_version="3",
                script_location=f"{runtime.code}/{ENTRY}/{job.entry}",
            ),
            default_arguments=_arguments(runtime, job),
            worker_type=job.worker_type if streaming else runtime.worker_type,
            number_of_workers=job.workers if streaming else runtime.workers,
            timeout=job.timeout_minutes,
            # A window in which Glue may restart a job that never ends.
            maintenance_window="Sun:04" if streaming and runtime.continuous else None,
            # Who starts it tries again, and would meet a retry of Glue's.
            max_retries=0,
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=1),
            security_configuration=runtime.security,
            connections=glue.CfnJob.ConnectionsListProperty(connections=[runtime.connection]),
        )
        runs(self.job, runtime.wheels, ENTRY, *([JARS] if streaming else []))


def _arguments(runtime: Runtime, job: JobSpec) -> Mapping[str, str]:
    jars = ",".join(f"{runtime.code}/{JARS}/{name}" for name in runtime.jars)
    conf = " --conf ".join(f"{key}={value}" for key, value in _SPARK_CONF.items())
    return {
        "--datalake-formats": "delta",
        "--conf": conf,
        "--additional-python-modules": f"{runtime.code}/{runtime.wheels}/{WHEELS_FILE}",
        "--python-modules-installer-option": "--no-index",
        "--enable-metrics": "true",
        "--enable-observability-metrics": "true",
        "--lake-uri": runtime.lake_uri,
        **({"--extra-jars": jars} if job.kind == "streaming" else {}),
        **runtime.given,
        **{name: value for name, value in job.arguments.items() if runtime.continuous or name != _FOLLOW},
    }
