{# The waterfall all time; every customer, and one row for each group outside the base. #}
with
    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    days as (select * from {{ ref("fct_customer_days") }}),

    basis as (select * from {{ ref("dim_value_basis") }}),

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

    valued as (
        select
            stepped.*,
            customers.customer_id,
            basis.value_basis,
            -- customers who bought nothing are not on the curve
            case
                when stepped.base <> 'customer' or customers.order_count = 0
                then null
                when basis.value_basis = 'net_revenue'
                then stepped.net_amount
                else stepped.profit_amount
            end as curve_amount
        from stepped
        left join customers on stepped.base_key = customers.customer_key
        left join basis on stepped.currency_code = basis.currency_code
    ),

    ranked as (
        select
            *,
            case
                when curve_amount is not null
                then
                    row_number() over (
                        partition by
                            currency_code,
                            case when curve_amount is null then 1 else 0 end
                        order by curve_amount desc, customer_id, base_key
                    )
            end as curve_rank
        from valued
    ),

    final as (
        select
            *,
            case
                when value_basis = 'net_revenue' then null else curve_rank
            end as profit_rank
        from ranked
    )

select *
from final
