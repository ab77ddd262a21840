{#
  What changed between a customer's month and the month before, as one movement; active = a counted order in the
  month. A refund without an order in either month is an expansion or a contraction.
#}
with
    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    activity as (
        select
            base_key as customer_key,
            currency_code,
            month,
            order_count > 0 as is_active,
            {{ waterfall("net") }} as net_amount
        from {{ ref("fct_customer_months") }}
        where
            base = 'customer'
            and (order_count > 0 or booked_order_count > 0 or refund_count > 0)
    ),

    touched as (
        select customer_key, currency_code, month
        from activity
        union
        select customer_key, currency_code, {{ add_months("month", 1) }} as month
        from activity
    ),

    compared as (
        select
            touched.customer_key,
            touched.currency_code,
            touched.month,
            months.is_partial,
            coalesce(
                customers.first_order_month = touched.month, false
            ) as is_first_month,
            customers.is_left_truncated,
            coalesce(earlier.is_active, false) as was_active,
            coalesce(latest.is_active, false) as is_active,
            cast(coalesce(earlier.net_amount, 0) as {{ type_amount() }}) as opening,
            cast(coalesce(latest.net_amount, 0) as {{ type_amount() }}) as closing
        from touched
        -- the month after the as-of date's is not there yet
        inner join months on touched.month = months.month
        inner join customers on touched.customer_key = customers.customer_key
        left join
            activity as latest
            on touched.customer_key = latest.customer_key
            and touched.month = latest.month
        left join
            activity as earlier
            on touched.customer_key = earlier.customer_key
            and touched.month = {{ add_months("earlier.month", 1) }}
    ),

    final as (
        select
            {{ made_key(["customer_key", "month"]) }} as movement_key,
            customer_key,
            currency_code,
            month,
            is_partial as is_partial_month,
            case
                when is_first_month
                then 'new'
                when is_active and not was_active
                then 'reactivated'
                when was_active and not is_active
                then 'lapsed'
                when closing > opening
                then 'expansion'
                when closing < opening
                then 'contraction'
                else 'unchanged'
            end as movement,
            is_first_month and is_left_truncated as is_first_seen_at_data_start,
            was_active,
            opening as opening_amount,
            closing as closing_amount,
            cast(closing - opening as {{ type_amount() }}) as change_amount
        from compared
    )

select *
from final
