{{ current_rows("products", ref("stg_products__versions")) }}
