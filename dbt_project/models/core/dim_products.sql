with
    versions as (select * from {{ ref("stg_products__versions") }}),

    dated as (
        select *, coalesce(valid_from, cast('1900-01-01' as date)) as valid_from_date
        from versions
    ),

    final as (
        select
            record_key as product_version_key,
            product_key,
            product_id,
            source,
            product_name,
            category,
            brand,
            coalesce(product_type, 'good') as product_type,
            supplier_id,
            launched_date,
            unit_cost,
            valid_from_date,
            coalesce(
                lead(valid_from_date) over (product_in_time), cast('9999-12-31' as date)
            ) as valid_to_date,
            lead(valid_from_date) over (product_in_time) is null as is_newest
            {{ x_columns(ref("stg_products__versions")) }}
        from dated
        window
            product_in_time as (
                partition by product_key order by valid_from_date, record_key
            )
    )

select *
from final
