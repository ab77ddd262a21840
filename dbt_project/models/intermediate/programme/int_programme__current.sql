{{ current_rows("programme", ref("stg_programme__entries")) }}
