{{ current_rows("customers", ref("stg_customers__customers")) }}
