with
    purchases as (select * from {{ ref("stg_panel_purchases__purchases") }}),

    final as (
        select
            record_key as purchase_key,
            source,
            household_id,
            category,
            brand,
            coalesce(is_us, false) as is_us,
            purchased_at,
            purchased_date,
            {{ month_start("purchased_date") }} as purchase_month,
            coalesce(quantity, 1) as quantity,
            amount
        from purchases
    )

select *
from final
