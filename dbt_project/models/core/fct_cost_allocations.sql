{#
  Activity-based costing: a pool is spread in proportion to its driver, at the given rate or at
  pool / total driver, to the cent by largest remainder (ties by customer_id). Shares are taken in
  doubles row by row; whole cents are what is added up, so the parts make the whole.
#}
with
    costs as (select * from {{ ref("fct_costs") }}),

    activities as (select * from {{ ref("int_profitability__cost_activities") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    -- the customers that drove a pool, and how much
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

    -- the cents there are to allocate: the pool, or what a given rate makes of the
    -- driver
    priced as (
        select
            *,
            case
                when driver_rate is null and pool_amount < 0 then -1 else 1
            end as sign,
            case
                when driver_rate is null
                then floor(abs(cast(pool_amount as {{ type_amount() }})) * 100)
                else
                    round(
                        cast(
                            cast(driver_rate as {{ type_double() }})
                            * cast(total_quantity as {{ type_double() }})
                            * 100 as decimal(38, 4)
                        ),
                        0
                    )
            end as cents
        from totals
    ),

    shares as (
        select
            *,
            cast(cents as {{ type_double() }})
            * {{ div("quantity", "total_quantity") }} as exact_cents
        from priced
        -- a pool with neither amount nor rate has nothing to give
        where cents is not null
    ),

    ranked as (
        select
            shares.*,
            cast(floor(shares.exact_cents) as bigint) as whole_cents,
            cast(
                shares.cents as bigint
            ) - sum(cast(floor(shares.exact_cents) as bigint)) over (
                partition by shares.cost_key
            ) as cents_left,
            row_number() over (
                partition by shares.cost_key
                order by
                    shares.exact_cents - floor(shares.exact_cents) desc,
                    coalesce(customers.customer_id, shares.base_key),
                    shares.base_key
            ) as place
        from shares
        left join customers on shares.base_key = customers.customer_key
    ),

    final as (
        select
            cost_key,
            base_key,
            quantity as driver_quantity,
            {{
                rounded(
                    div(
                        "sign * (whole_cents + case when place <= cents_left then 1 else 0 end)",
                        100,
                    ),
                    4,
                )
            }}
            as allocated_amount
        from ranked
    )

select *
from final
