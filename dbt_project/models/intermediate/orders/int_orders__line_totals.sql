with
    lines as (select * from {{ ref("fct_order_lines") }}),

    final as (
        select
            order_key,
            count(*) as line_count,
            sum(quantity) as unit_count,
            sum(gross_amount) as gross_amount,
            sum(discount_amount) as discount_amount,
            sum(net_amount) as goods_amount,
            sum(cost_amount) as cost_amount,
            sum(costed_amount) as costed_amount,
            count(*) - count(cost_amount) as uncosted_line_count
        from lines
        group by order_key
    )

select *
from final
