{{ current_rows("interactions", ref("stg_interactions__interactions")) }}
