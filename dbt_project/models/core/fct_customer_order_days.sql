{%- set admitted = var("costs_from_records") -%}
with
    orders as (select * from {{ ref("fct_orders") }}),

    refunds as (select * from {{ ref("fct_refunds") }}),

    customers as (select customer_key, currency_code from {{ ref("dim_customers") }}),

    owned as (
        select
            case
                when orders.base = 'other_currency'
                then orders.customer_key
                else orders.base_key
            end as base_key,
            case
                when orders.base = 'other_currency'
                then customers.currency_code
                else orders.currency_code
            end as currency_code,
            orders.order_date as calendar_date,
            case when orders.is_counted then 1 else 0 end as order_count,
            case when orders.is_kept then 1 else 0 end as kept_order_count
        from orders
        left join customers on orders.customer_key = customers.customer_key
    ),

    -- An order in a currency that cannot be converted is still an order of its
    -- customer: only its amounts are in a row of their own.
    order_counts as (
        select
            base_key,
            currency_code,
            calendar_date,
            sum(order_count) as order_count,
            sum(kept_order_count) as kept_order_count
        from owned
        group by base_key, currency_code, calendar_date
    ),

    order_amounts as (
        select
            base_key,
            currency_code,
            order_date as calendar_date,
            sum(case when is_booked then 1 else 0 end) as booked_order_count,
            sum(uncosted_line_count) as uncosted_line_count,
            sum(gross_amount) as gross_amount,
            sum(discount_amount) as discount_amount,
            sum(goods_amount) as goods_amount,
            sum(shipping_amount) as shipping_amount,
            sum(coalesce(cost_amount, 0)) as sold_cost_amount,
            sum(costed_amount) as costed_amount,
            {% for name, kind in [
                ("shipping_cost_amount", "shipping"),
                ("payment_fee_amount", "payment_fee"),
            ] %}
                sum(
                    {{ "coalesce(" ~ name ~ ", 0)" if kind in admitted else "0" }}
                ) as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from orders
        group by base_key, currency_code, order_date
    ),

    refund_amounts as (
        select
            base_key,
            currency_code,
            refund_date as calendar_date,
            count(*) as refund_count,
            sum(refund_amount) as refund_amount,
            sum(coalesce(returned_cost_amount, 0)) as returned_cost_amount
        from refunds
        group by base_key, currency_code, refund_date
    ),

    {%- set parts = ["order_counts", "order_amounts", "refund_amounts"] %}
    days as (
        {% for part in parts %}
            select base_key, currency_code, calendar_date
            from {{ part }}
            {% if not loop.last %}
                union
            {% endif %}
        {% endfor %}
    ),

    final as (
        select
            days.base_key,
            days.calendar_date,
            {{ month_start("days.calendar_date") }} as month,
            days.currency_code,
            {{ base_of_key("days", "customers") }} as base,
            {% for name in order_day_counts() %}
                cast(coalesce({{ name }}, 0) as bigint) as {{ name }},
            {% endfor %}
            {% for name in order_day_amounts() %}
                cast(coalesce({{ name }}, 0) as {{ type_amount() }}) as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from days
        left join customers on days.base_key = customers.customer_key
        {% for part in parts %}
            left join
                {{ part }}
                on days.base_key = {{ part }}.base_key
                and days.currency_code = {{ part }}.currency_code
                and days.calendar_date = {{ part }}.calendar_date
        {% endfor %}
    )

select *
from final
