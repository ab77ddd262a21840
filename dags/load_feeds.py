"""load_orders, load_crm, load_surveys: one Airflow DAG per group of feeds, made from dags/feeds/*.yml."""

from loyalty.operate.airflow.dags import load_dags

for dag in load_dags():
    globals()[dag.dag_id] = dag
