with
    costs as (select * from {{ ref("fct_costs") }}),

    allocated as (
        select
            cost_key,
            sum(driver_quantity) as driver_quantity,
            sum(allocated_amount) as allocated_amount,
            count(*) as receiver_count
        from {{ ref("fct_cost_allocations") }}
        group by cost_key
    ),

    joined as (
        select
            costs.*,
            coalesce(allocated.driver_quantity, 0) as driver_quantity,
            coalesce(allocated.receiver_count, 0) as receiver_count,
            coalesce(allocated.allocated_amount, 0) as allocated_amount
        from costs
        left join allocated on costs.cost_key = allocated.cost_key
    ),

    sized as (
        select
            *,
            -- with a rate and no amount, the pool is what the rate makes of the driver
            case
                when driver_rate is null
                then pool_amount
                else coalesce(pool_amount, allocated_amount)
            end as sized_amount
        from joined
    ),

    final as (
        select
            cost_key,
            cost_id,
            month,
            pool,
            level,
            driver,
            currency_code,
            cast(sized_amount as {{ type_amount() }}) as pool_amount,
            cast(driver_quantity as {{ type_amount() }}) as driver_quantity,
            cast(receiver_count as bigint) as receiver_count,
            coalesce(
                cast(driver_rate as {{ type_double() }}),
                {{ div("pool_amount", "driver_quantity") }}
            ) as amount_per_driver,
            driver_rate is not null as is_rate_given,
            cost_basis = 'assumed default rates' as is_assumed,
            cast(allocated_amount as {{ type_amount() }}) as allocated_amount,
            cast(
                sized_amount - allocated_amount as {{ type_amount() }}
            ) as unallocated_amount
        from sized
    )

select *
from final
