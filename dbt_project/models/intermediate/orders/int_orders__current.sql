{{ current_rows("orders", ref("stg_orders__orders")) }}
