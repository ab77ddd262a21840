{# Costs are in the reporting currency and are not mixed with amounts of another: the costs of a customer of another currency are in a row outside the customer's own. #}
with
    customers as (select * from {{ ref("dim_customers") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            customers.customer_key,
            case
                when customers.currency_code = as_of.reporting_currency_code
                then customers.base_key
                else 'other_currency:' || as_of.reporting_currency_code
            end as bearer_key
        from customers
        cross join as_of
    )

select *
from final
