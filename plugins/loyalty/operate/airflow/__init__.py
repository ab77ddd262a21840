"""How Airflow runs the warehouse: what the tasks of `dags/` do, and Airflow on one machine.

Nothing heavy is imported here at the top: Airflow parses the DAG files again and again.
"""
