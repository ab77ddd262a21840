with
    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    days as (select * from {{ ref("fct_customer_days") }}),

    customer_values as (select * from {{ ref("fct_customer_values") }}),

    -- every customer, and one row for each group outside the base
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

    stepped as (
        select
            *,
            {{ waterfall("net") }} as net_amount,
            {{ waterfall("goods_cost") }} as goods_cost_amount,
            {{ waterfall("order_cost") }} as order_cost_amount,
            {{ waterfall("customer_cost") }} as customer_cost_amount,
            {{ waterfall("sustaining_cost") }} as sustaining_cost_amount,
            {{ waterfall("cm1") }} as cm1_amount,
            {{ waterfall("cm2") }} as cm2_amount,
            {{ waterfall("cm3") }} as cm3_amount,
            {{ waterfall("profit") }} as profit_amount
        from summed
    ),

    final as (
        select
            stepped.base_key as customer_key,
            customers.customer_id,
            customers.source,
            stepped.base,
            customers.first_order_date,
            customers.last_order_date,
            stepped.order_count,
            stepped.kept_order_count,
            stepped.currency_code,
            stepped.gross_amount,
            stepped.discount_amount,
            stepped.shipping_amount,
            stepped.refund_amount,
            stepped.net_amount,
            stepped.goods_cost_amount,
            {{ div("stepped.costed_amount", "stepped.goods_amount") }}
            as cost_coverage_rate,
            stepped.cm1_amount,
            stepped.shipping_cost_amount,
            stepped.payment_fee_amount,
            stepped.order_pool_cost_amount,
            stepped.order_cost_amount,
            stepped.cm2_amount,
            stepped.interaction_cost_amount,
            stepped.campaign_cost_amount,
            stepped.ticket_cost_amount,
            stepped.points_cost_amount,
            stepped.customer_pool_cost_amount,
            stepped.customer_cost_amount,
            stepped.cm3_amount,
            stepped.sustaining_cost_amount,
            stepped.profit_amount,
            case
                when stepped.net_amount > 0
                then {{ div("stepped.profit_amount", "stepped.net_amount") }}
            end as margin_rate,
            case
                when stepped.profit_amount is null
                then 'unit costs are known for too little of the goods sold'
            end as profit_missing_reason,
            stepped.acquisition_cost_amount,
            customer_values.net_amount as window_net_amount,
            customer_values.cm3_amount as window_cm3_amount,
            cast(customer_values.value_rank as bigint) as value_rank,
            customer_values.tier,
            customer_values.level,
            customer_values.is_value_customer
        from stepped
        left join customers on stepped.base_key = customers.customer_key
        left join customer_values on stepped.base_key = customer_values.customer_key
    )

select *
from final
