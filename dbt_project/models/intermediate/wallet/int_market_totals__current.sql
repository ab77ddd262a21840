{{ current_rows("market_totals", ref("stg_market_totals__totals")) }}
