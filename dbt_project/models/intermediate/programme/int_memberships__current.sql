{{ current_rows("memberships", ref("stg_memberships__memberships")) }}
