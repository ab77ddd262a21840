{# The waterfall all time; every customer, and one row for each group outside the base. #}
with
    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    days as (select * from {{ ref("fct_customer_days") }}),

    rows_to_show as (
        select customer_key as base_key, 'customer' as base, currency_code
        from customers
        union
        select base_key, base, currency_code
        from days
    ),

    summed as (
        select
            rows_to_show.base_key,
            rows_to_show.base,
            rows_to_show.currency_code,
            {{ customer_day_sums("days") }}
        from rows_to_show
        left join days on rows_to_show.base_key = days.base_key
        group by rows_to_show.base_key, rows_to_show.base, rows_to_show.currency_code
    ),

    stepped as (select *, {{ waterfall_steps() }} from summed),

    ranked as (
        select
            stepped.*,
            case
                when
                    stepped.base = 'customer'
                    and customers.order_count > 0
                    and stepped.profit_amount is not null
                then true
                else false
            end as is_on_curve,
            customers.customer_id
        from stepped
        left join customers on stepped.base_key = customers.customer_key
    ),

    final as (
        select
            *,
            -- who bought nothing, or at unknown costs, has no rank
            case
                when is_on_curve
                then
                    row_number() over (
                        partition by currency_code, is_on_curve
                        order by profit_amount desc, customer_id, base_key
                    )
            end as profit_rank
        from ranked
    )

select *
from final
