{{ current_rows("costs", ref("stg_costs__pools")) }}
