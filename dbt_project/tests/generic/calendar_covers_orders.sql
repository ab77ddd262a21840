{# A month spine that begins after the first order, or ends before the newest, silently loses revenue. #}
{% test calendar_covers_orders(model, orders) %}
    select orders.order_month
    from {{ orders }} as orders
    left join {{ model }} as months on orders.order_month = months.month
    where months.month is null
{% endtest %}
