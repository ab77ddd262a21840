{# Are customers valued by their margin or, where margins are mostly unknown, by their net revenue? One answer for a currency, so that all of it are ranked by the same. #}
with
    days as (
        select * from {{ ref("fct_customer_order_days") }} where base = 'customer'
    ),

    summed as (
        select base_key, currency_code, {{ order_day_sums("days") }}
        from days
        group by base_key, currency_code
    ),

    counted as (
        select
            currency_code,
            count(*) as customer_count,
            count(case when {{ waterfall("is_costed") }} then 1 end) as costed_count
        from summed
        -- without an order there are no goods with unknown costs
        where order_count > 0
        group by currency_code
    ),

    final as (
        select
            *,
            case
                when 2 * costed_count >= customer_count then 'margin' else 'net_revenue'
            end as value_basis
        from counted
    )

select *
from final
