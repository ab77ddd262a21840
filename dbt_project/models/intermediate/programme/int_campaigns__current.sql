{{ current_rows("campaigns", ref("stg_campaigns__campaigns")) }}
