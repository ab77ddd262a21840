with
    days as (select * from {{ ref("fct_customer_order_days") }}),

    final as (
        select
            base_key,
            base,
            currency_code,
            month,
            cast(
                count(case when order_count > 0 then calendar_date end) as bigint
            ) as order_day_count,
            {{ order_day_sums("days") }}
        from days
        group by base_key, base, currency_code, month
    )

select *
from final
