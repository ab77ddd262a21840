{# Months with an order, and whether there was one in each of the newest stable_months up to them. #}
with
    months as (
        select *
        from {{ ref("fct_customer_months") }}
        where base = 'customer' and order_count > 0
    ),

    final as (
        select
            base_key as customer_key,
            month,
            coalesce(
                lag(month, {{ var("stable_months") - 1 }}) over (
                    partition by base_key order by month
                )
                = {{ add_months("month", 1 - var("stable_months")) }},
                false
            ) as is_stable
        from months
    )

select *
from final
