{{ current_rows("refunds", ref("stg_refunds__refunds")) }}
