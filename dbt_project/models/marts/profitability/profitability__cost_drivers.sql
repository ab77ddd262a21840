with
    costs as (select * from {{ ref("int_profitability__customer_costs") }}),

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
