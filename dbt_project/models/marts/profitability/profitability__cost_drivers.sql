with
    entries as (select * from {{ ref("fct_cost_entries") }}),

    order_days as (select * from {{ ref("fct_customer_order_days") }}),

    together as (
        select
            base_key,
            currency_code,
            activity,
            case
                when kind in ('campaign', 'campaign_pool')
                then 'campaign'
                when kind in ('interaction', 'ticket', 'points', 'customer_pool')
                then 'customer'
                when kind in ('order_pool', 'sustaining_pool')
                then replace(kind, '_pool', '')
                else kind
            end as level,
            coalesce(driver, 'record') as driver,
            cost_basis,
            quantity,
            amount
        from entries
        {% for name in ["shipping_cost", "payment_fee"] %}
            union all
            select
                base_key,
                currency_code,
                '{{ name }}' as activity,
                'order' as level,
                'record' as driver,
                'stated by the record' as cost_basis,
                booked_order_count as quantity,
                {{ name }}_amount as amount
            from order_days
            where {{ name }}_amount <> 0
        {% endfor %}
    ),

    -- Where the costs of each row of the waterfall come from: pools and records,
    -- and the fees and freight that orders state.
    costs as (
        select
            base_key,
            currency_code,
            activity,
            level,
            driver,
            cost_basis,
            cast(sum(quantity) as {{ type_amount() }}) as driver_quantity,
            cast(sum(amount) as {{ type_amount() }}) as cost_amount
        from together
        group by base_key, currency_code, activity, level, driver, cost_basis
    ),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    final as (
        select
            {{
                made_key(
                    [
                        "costs.base_key",
                        "costs.activity",
                        "costs.level",
                        "costs.driver",
                        "costs.cost_basis",
                    ]
                )
            }} as cost_driver_key,
            costs.base_key as customer_key,
            customers.customer_id,
            costs.activity,
            costs.level,
            costs.driver,
            costs.cost_basis,
            costs.cost_basis = 'assumed default rates' as is_assumed,
            costs.currency_code,
            costs.driver_quantity,
            costs.cost_amount,
            {{ div("costs.cost_amount", "costs.driver_quantity") }}
            as amount_per_driver,
            {{
                div(
                    "costs.cost_amount",
                    "sum(costs.cost_amount) over (partition by costs.base_key, costs.currency_code)",
                )
            }}
            as customer_cost_rate
        from costs
        left join customers on costs.base_key = customers.customer_key
    )
select *
from final
