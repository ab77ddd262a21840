{#
  Activity-based costing: a pool is spread in proportion to its driver, at the given rate or at
  pool / total driver, to the cent by largest remainder (ties by customer_id). Shares are taken in
  doubles row by row; whole cents are what is added up, so the parts make the whole.
#}
with
    pool_shares as (select * from {{ ref("int_profitability__cost_pool_shares") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    shares as (
        select
            *,
            cast(cents as {{ type_double() }})
            * {{ div("quantity", "total_quantity") }} as exact_cents
        from pool_shares
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
            cast(
                cast(
                    sign * (
                        whole_cents + case when place <= cents_left then 1 else 0 end
                    ) as decimal(18, 0)
                )
                / 100 as {{ type_amount() }}
            ) as allocated_amount
        from ranked
    )

select *
from final
