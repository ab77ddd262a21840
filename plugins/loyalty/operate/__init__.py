"""The nightly run and everything a person does to the warehouse: commands, DAGs, alerts, erasure."""
