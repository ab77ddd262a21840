with
    as_of as (select * from {{ ref("dim_as_of") }}),

    months as (select * from {{ ref("dim_months") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    days as (
        select *
        from {{ ref("fct_customer_days") }}
        -- months of costs alone before the first order are no months of a customer
        where booked_order_count > 0 or refund_count > 0 or order_count > 0
    ),

    starts as (
        select
            base_key,
            base,
            currency_code,
            min(month) as first_month,
            max(month) as last_month
        from days
        group by base_key, base, currency_code
    ),

    summed as (
        select
            starts.base_key,
            starts.base,
            starts.currency_code,
            starts.first_month,
            months.month,
            months.is_partial,
            months.is_after_as_of,
            count(
                distinct case when days.order_count > 0 then days.calendar_date end
            ) as order_day_count,
            {{ customer_day_sums("days") }}
        from starts
        cross join as_of
        inner join
            months
            on months.month >= starts.first_month
            and months.month <= greatest(starts.last_month, as_of.as_of)
        left join days on starts.base_key = days.base_key and months.month = days.month
        group by
            starts.base_key,
            starts.base,
            starts.currency_code,
            starts.first_month,
            months.month,
            months.is_partial,
            months.is_after_as_of
    ),

    final as (
        select
            summed.base_key as customer_key,
            customers.customer_id,
            customers.source,
            summed.base,
            summed.month,
            summed.first_month,
            {{ months_between("summed.first_month", "summed.month") }} as month_number,
            summed.is_partial as is_partial_month,
            case
                when
                    summed.base = 'customer'
                    and not summed.is_partial
                    and not summed.is_after_as_of
                then summed.order_count > 0
            end as is_active,
            summed.order_count,
            summed.kept_order_count,
            cast(summed.order_day_count as bigint) as order_day_count,
            summed.currency_code,
            summed.gross_amount,
            summed.discount_amount,
            summed.shipping_amount,
            summed.refund_amount,
            {{ waterfall("net", "summed") }} as net_amount,
            {{ waterfall("cm1", "summed") }} as margin_amount,
            {{ div("summed.costed_amount", "summed.goods_amount") }}
            as cost_coverage_rate
        from summed
        left join customers on summed.base_key = customers.customer_key
    )

select *
from final
