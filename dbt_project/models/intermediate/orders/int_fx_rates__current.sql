{{ current_rows("fx_rates", ref("stg_fx_rates__rates")) }}
