{# The months in which a customer's standing changed: new, bought a second time, lapsed, came back. #}
with
    gaps as (select * from {{ ref("fct_order_gaps") }}),

    final as (
        select customer_key, 'new' as kind, {{ month_start("order_date") }} as month
        from gaps
        where order_day_number = 1
        union all
        select customer_key, 'second' as kind, {{ month_start("order_date") }} as month
        from gaps
        where order_day_number = 2
        union all
        -- two orders on one day are a second order, but no second day
        select
            customer_key,
            'second_order' as kind,
            {{
                month_start(
                    "case when order_count > 1 then order_date else next_order_date end"
                )
            }} as month
        from gaps
        where order_day_number = 1 and (order_count > 1 or is_closed)
        union all
        select customer_key, 'lapsed' as kind, {{ month_start("lapse_date") }} as month
        from gaps
        where lapse_date is not null
        union all
        select
            customer_key,
            'reactivated' as kind,
            {{ month_start("next_order_date") }} as month
        from gaps
        where lapse_date is not null and is_closed
    )

select *
from final
