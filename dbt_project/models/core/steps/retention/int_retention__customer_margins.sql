{# Contribution margin 3 of everything so far, as a share of goods and shipping sold: refunds and costs are in it. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    days as (select * from {{ ref("fct_customer_days") }}),

    summed as (
        select
            customers.customer_key,
            customers.currency_code,
            customers.order_day_count,
            {{ customer_day_sums("days") }}
        from customers
        cross join as_of
        inner join
            days
            on customers.customer_key = days.base_key
            and days.calendar_date <= as_of.as_of
        group by
            customers.customer_key, customers.currency_code, customers.order_day_count
    ),

    -- a customer without purchases of value, or of goods with a known cost, has no rate
    costed as (
        select
            customer_key,
            currency_code,
            order_day_count,
            cast(goods_amount + shipping_amount as {{ type_amount() }}) as sold_amount,
            {{ waterfall("cm3") }} as cm3_amount
        from summed
    ),

    rated as (select * from costed where sold_amount > 0 and cm3_amount is not null),

    segment_rates as (
        select
            rated.currency_code,
            segments.segment_by,
            segments.segment,
            {{ div("sum(rated.cm3_amount)", "sum(rated.sold_amount)") }} as margin_rate
        from rated
        inner join segments on rated.customer_key = segments.customer_key
        where segments.segment_by in ('{{ var("margin_segment") }}', 'all')
        group by rated.currency_code, segments.segment_by, segments.segment
        -- a rate is pulled to that of many, never to its own
        having segments.segment_by = 'all' or count(*) >= {{ var("min_base") }}
    ),

    final as (
        select
            customers.customer_key,
            rated.order_day_count,
            {{ div("rated.cm3_amount", "rated.sold_amount") }} as own_margin_rate,
            coalesce(near.margin_rate, overall.margin_rate) as segment_margin_rate
        from customers
        left join
            rated on customers.customer_key = rated.customer_key
            {{ join_near_and_all("segment_rates", by="currency_code") }}
    )

select *
from final
