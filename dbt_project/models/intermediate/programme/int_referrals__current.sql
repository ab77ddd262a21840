{{ current_rows("referrals", ref("stg_referrals__referrals")) }}
