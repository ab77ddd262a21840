{{ current_rows("market_events", ref("stg_market_events__events")) }}
