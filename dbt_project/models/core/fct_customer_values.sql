{# Tiers and levels: customers with a counted order in the window, ranked by the var tier_measure. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    days as (
        select days.*
        from {{ ref("fct_customer_days") }} as days
        cross join as_of
        where
            days.calendar_date
            > {{ window_start("as_of.as_of", var("value_window_months")) }}
            and days.calendar_date <= as_of.as_of
    ),

    summed as (
        select
            customers.customer_key,
            customers.customer_id,
            {{ customer_day_sums("days") }}
        from customers
        inner join days on customers.customer_key = days.base_key
        group by customers.customer_key, customers.customer_id
    ),

    valued as (
        select
            customer_key,
            customer_id,
            order_count,
            {{ waterfall("net") }} as net_amount,
            {{ waterfall("cm3") }} as cm3_amount
        from summed
    ),

    measured as (
        select
            valued.*,
            customers.currency_code,
            {{
                (
                    "valued.cm3_amount"
                    if var("tier_measure") == "cm3"
                    else "valued.net_amount"
                )
            }} as measure_amount
        from valued
        inner join customers on valued.customer_key = customers.customer_key
        where valued.order_count > 0
    ),

    ranked as (
        select
            *,
            case
                when measure_amount is not null
                then
                    row_number() over (
                        partition by
                            currency_code,
                            case when measure_amount is null then 1 else 0 end
                        order by measure_amount desc, customer_id, customer_key
                    )
            end as value_rank,
            count(measure_amount) over (partition by currency_code) as ranked_count
        from measured
    ),

    final as (
        select
            *,
            case
                when value_rank <= {{ upper_share("ranked_count", 5) }}
                then 'top_5'
                when value_rank <= {{ upper_share("ranked_count", 20) }}
                then 'next_15'
                when value_rank is not null
                then 'last_80'
            end as tier,
            case
                when value_rank <= {{ upper_share("ranked_count", 1) }}
                then 'I'
                when value_rank <= {{ upper_share("ranked_count", 5) }}
                then 'II'
                when value_rank <= {{ upper_share("ranked_count", 20) }}
                then 'III'
                when value_rank is not null
                then 'IV'
            end as level,
            cm3_amount > 0 as is_value_customer
        from ranked
    )

select *
from final
