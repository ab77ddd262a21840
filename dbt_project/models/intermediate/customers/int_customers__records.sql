{# The CRM's record of each customer after merges: its own, else the oldest of those merged into it. #}
with
    merges as (select * from {{ ref("int_customers__merges") }}),

    customers as (select * from {{ ref("stg_customers__customers") }}),

    ranked as (
        select
            merges.merged_customer_key,
            min(customers.known_since_date) over (
                partition by merges.merged_customer_key
            ) as earliest_known_since_date,
            row_number() over (
                partition by merges.merged_customer_key
                order by
                    case
                        when merges.customer_key = merges.merged_customer_key
                        then 0
                        else 1
                    end,
                    coalesce(customers.created_date, cast('9999-12-31' as date)),
                    customers.customer_key
            ) as place,
            customers.*
        from customers
        inner join merges on customers.customer_key = merges.customer_key
    ),

    final as (
        select
            *,
            -- resellers and our own people are no base of customer metrics
            case
                when lower(customer_type) in ('reseller', 'internal')
                then lower(customer_type)
                else 'customer'
            end as base
        from ranked
        where place = 1
    )

select *
from final
