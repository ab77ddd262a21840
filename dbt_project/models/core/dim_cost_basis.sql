{# Delivered pools and assumed rates are never mixed: one delivered pool switches all assumptions off. #}
with
    -- a pool with neither amount nor rate has nothing to give
    pools as (
        select count(coalesce(pool_amount, driver_rate)) as pool_count
        from {{ ref("stg_costs__pools") }}
    ),

    final as (
        select
            pool_count > 0 as has_delivered_pools,
            pool_count = 0 and {{ var("assumed_cost_rates") }} as is_assumed,
            case
                when pool_count > 0
                then 'delivered pools'
                when {{ var("assumed_cost_rates") }}
                then 'assumed default rates'
                else 'stated by records only'
            end as cost_basis
        from pools
    )

select *
from final
