{{ current_rows("events", ref("stg_events__events")) }}
