{{ current_rows("contracts", ref("stg_contracts__contracts")) }}
