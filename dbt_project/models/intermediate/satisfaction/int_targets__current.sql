{{ current_rows("targets", ref("stg_targets__targets")) }}
