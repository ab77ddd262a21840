{# Delivered pools and assumed rates are never mixed: one delivered pool switches all assumptions off. #}
with
    pools as (select count(*) as pool_count from {{ ref("stg_costs__pools") }}),

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
