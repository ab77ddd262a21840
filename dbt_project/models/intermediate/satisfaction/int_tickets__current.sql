{{ current_rows("tickets", ref("stg_tickets__tickets")) }}
