{{ current_rows("customer_links", ref("stg_customer_links__links")) }}
