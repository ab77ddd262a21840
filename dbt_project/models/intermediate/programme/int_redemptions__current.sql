{{ current_rows("redemptions", ref("stg_redemptions__redemptions")) }}
