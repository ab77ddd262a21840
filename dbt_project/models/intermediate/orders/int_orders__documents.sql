{# What is on the document of an order: goods sold and goods taken back. An exchange has both, and its amounts keep their signs. #}
with
    orders as (select * from {{ ref("stg_orders__orders") }}),

    line_totals as (
        select
            order_key,
            count(*) as line_count,
            sum(
                case when quantity < 0 or net_amount < 0 then 0 else 1 end
            ) as sale_line_count,
            sum(
                case when quantity < 0 or net_amount < 0 then 0 else net_amount end
            ) as sale_amount,
            sum(
                case when quantity < 0 or net_amount < 0 then abs(net_amount) else 0 end
            ) as returned_amount
        from {{ ref("stg_order_lines__lines") }}
        group by order_key
    ),

    documents as (
        select
            orders.*,
            coalesce(line_totals.line_count, 0) as line_count,
            -- goods taken back: said by the kind, or nothing on the document is sold
            lower(coalesce(orders.kind, 'sale')) = 'return'
            or coalesce(line_totals.sale_line_count = 0, false)
            or (
                line_totals.order_key is null
                and coalesce(orders.total_amount < 0, false)
            ) as is_return,
            line_totals.sale_amount,
            line_totals.returned_amount
        from orders
        left join line_totals on orders.order_key = line_totals.order_key
    ),

    kinds as (
        select *, not is_return and coalesce(returned_amount > 0, false) as is_exchange
        from documents
    ),

    final as (
        select
            order_key,
            source,
            line_count,
            is_return,
            is_exchange,
            sale_amount,
            returned_amount,
            case
                when is_exchange
                then sale_amount - returned_amount
                when is_return
                then sale_amount + returned_amount
                else sale_amount
            end as lines_amount,
            {% for name in ["total_amount", "tax_amount", "shipping_amount"] %}
                {%- set amount = name if loop.first else "coalesce(" ~ name ~ ", 0)" %}
                case
                    when is_exchange then {{ amount }} else abs({{ amount }})
                end as {{ name }},
            {% endfor %}
            coalesce(discount_amount, 0) as discount_amount
        from kinds
    )

select *
from final
