{{ current_rows("order_lines", ref("stg_order_lines__lines")) }}
