{# Tiers and levels of each value window: customers with a counted order in it, ranked by the var tier_measure, and by net revenue without unit costs. #}
with
    windows as (select * from {{ ref("dim_value_windows") }} where is_observed),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    basis as (select * from {{ ref("dim_value_basis") }}),

    days as (
        select windows.window_number, days.*
        from {{ ref("fct_customer_days") }} as days
        inner join
            windows
            on days.calendar_date > windows.start_date
            and days.calendar_date <= windows.end_date
    ),

    summed as (
        select
            days.window_number,
            customers.customer_key,
            customers.customer_id,
            customers.currency_code,
            {{ customer_day_sums("days") }}
        from customers
        inner join days on customers.customer_key = days.base_key
        group by
            days.window_number,
            customers.customer_key,
            customers.customer_id,
            customers.currency_code
    ),

    valued as (
        select
            window_number,
            customer_key,
            customer_id,
            currency_code,
            order_count,
            {{ waterfall("net") }} as net_amount,
            {{ waterfall("order_cost") }}
            + {{ waterfall("customer_cost") }} as cost_to_serve_amount,
            {{ waterfall("cm3") }} as cm3_amount,
            {{ waterfall("profit") }} as profit_amount
        from summed
    ),

    based as (
        select
            valued.*,
            basis.value_basis,
            case
                when basis.value_basis = 'net_revenue'
                then valued.net_amount
                else valued.cm3_amount
            end as value_amount
        from valued
        left join basis on valued.currency_code = basis.currency_code
    ),

    measured as (
        select
            *,
            case
                when order_count > 0
                then
                    {{
                        (
                            "value_amount"
                            if var("tier_measure") == "cm3"
                            else "net_amount"
                        )
                    }}
            end as measure_amount
        from based
    ),

    ranked as (
        select
            *,
            case
                when measure_amount is not null
                then
                    row_number() over (
                        partition by
                            window_number,
                            currency_code,
                            case when measure_amount is null then 1 else 0 end
                        order by measure_amount desc, customer_id, customer_key
                    )
            end as value_rank,
            count(measure_amount) over (
                partition by window_number, currency_code
            ) as ranked_count
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
            end as level
        from ranked
    )

select *
from final
