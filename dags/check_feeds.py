"""Has no DAG: each feed's YAML that is wrong is an import error of this file, as soon as Airflow reads it."""

from loyalty.operate.airflow.dags import refuse_broken_feeds

refuse_broken_feeds()
