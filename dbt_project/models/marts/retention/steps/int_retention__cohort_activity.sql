with
    segments as (select * from {{ ref("dim_customer_segments") }}),

    members as (
        -- customers who were there before the data began belong to no cohort
        select * from {{ ref("dim_customers") }} where {{ is_in_cohort() }}
    ),

    months as (
        select *
        from {{ ref("fct_customer_months") }}
        where order_count > 0 or booked_order_count > 0 or refund_count > 0
    ),

    final as (
        select
            segments.segment_by,
            segments.segment,
            members.first_order_month as cohort_month,
            months.month,
            sum(case when months.order_count > 0 then 1 else 0 end) as active_count,
            sum({{ waterfall("net", "months") }}) as net_amount,
            sum({{ waterfall("goods_cost", "months") }}) as goods_cost_amount,
            sum(months.costed_amount) as costed_amount,
            sum(months.goods_amount) as goods_amount,
            sum(months.uncosted_line_count) as uncosted_line_count
        from members
        inner join months on members.customer_key = months.base_key
        inner join segments on members.customer_key = segments.customer_key
        group by
            segments.segment_by,
            segments.segment,
            members.first_order_month,
            months.month
    )

select *
from final
