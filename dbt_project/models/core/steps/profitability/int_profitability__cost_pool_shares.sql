{# Who drove a pool, by how much, and the cents there are to allocate: the pool, or what a given rate makes of the driver. #}
with
    costs as (select * from {{ ref("fct_costs") }}),

    activities as (select * from {{ ref("int_profitability__cost_activities") }}),

    driven as (
        select
            costs.cost_key,
            costs.pool_amount,
            costs.driver_rate,
            activities.base_key,
            sum(activities.quantity) as quantity
        from costs
        inner join
            activities
            on costs.driver = activities.driver
            and costs.month = activities.month
            and (
                costs.campaign_key is null
                or costs.campaign_key = activities.campaign_key
            )
            and (
                costs.limited_to_source is null
                or costs.limited_to_source = activities.source
            )
            and (
                costs.limited_to_channel is null
                or costs.limited_to_channel = activities.channel
            )
        group by
            costs.cost_key, costs.pool_amount, costs.driver_rate, activities.base_key
    ),

    totals as (
        select *, sum(quantity) over (partition by cost_key) as total_quantity
        from driven
    ),

    priced as (
        select
            *,
            case
                when driver_rate is null and pool_amount < 0 then -1 else 1
            end as sign,
            case
                when driver_rate is null
                then floor(abs(pool_amount) * 100)
                else
                    round(
                        cast(
                            cast(driver_rate as {{ type_double() }})
                            * cast(total_quantity as {{ type_double() }})
                            * 100 as decimal(18, 4)
                        ),
                        0
                    )
            end as cents
        from totals
    ),

    -- a pool with neither amount nor rate has nothing to give
    final as (select * from priced where cents is not null)

select *
from final
