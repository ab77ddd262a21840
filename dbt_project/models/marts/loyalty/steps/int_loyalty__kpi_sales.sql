{# What the customers of the base did in a month; amounts in the reporting currency only. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    final as (
        select
            customers.source,
            customer_months.month,
            count(case when customer_months.order_count > 0 then 1 end) as active_count,
            count(
                case
                    when
                        customer_months.order_count > 0
                        and customers.first_order_month = customer_months.month
                        and not customers.is_left_truncated
                    then 1
                end
            ) as new_count,
            count(
                case
                    when customer_months.order_count > 0 and customers.is_target then 1
                end
            ) as target_count,
            count(
                case when customer_months.order_count > 0 then customers.is_target end
            ) as target_known_count,
            sum(customer_months.order_count) as order_count,
            sum(customer_months.refund_count) as refund_count,
            sum(
                case
                    when customers.currency_code = as_of.reporting_currency_code
                    then {{ waterfall("net", "customer_months") }}
                end
            ) as net_amount,
            sum(
                case
                    when customers.currency_code = as_of.reporting_currency_code
                    then customer_months.gross_amount
                end
            ) as gross_amount,
            sum(
                case
                    when customers.currency_code = as_of.reporting_currency_code
                    then customer_months.discount_amount
                end
            ) as discount_amount
        from {{ ref("fct_customer_months") }} as customer_months
        inner join customers on customer_months.base_key = customers.customer_key
        cross join as_of
        group by customers.source, customer_months.month
    )

select *
from final
