{%- set parts = ["order_counts", "order_days", "refund_days", "cost_days"] -%}
with
    order_days as (select * from {{ ref("fct_customer_order_days") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    entries as (select * from {{ ref("fct_cost_entries") }}),

    orders as (select * from {{ ref("fct_orders") }}),

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
    -- customer: only its amounts stand apart.
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

    cost_days as (
        select
            base_key,
            currency_code,
            cost_date as calendar_date,
            {% for kind in [
                "order_pool",
                "interaction",
                "campaign",
                "ticket",
                "points",
                "customer_pool",
                "acquisition",
                "sustaining_pool",
            ] %}
                -- a campaign-level pool is a cost of campaigns
                sum(
                    case
                        when
                            kind
                            {% if kind == "campaign" %} in ('campaign', 'campaign_pool')
                            {% else %} = '{{ kind }}'
                            {% endif %}
                        then amount
                        else 0
                    end
                ) as {{ kind }}_cost_amount
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from entries
        group by base_key, currency_code, cost_date
    ),

    refund_days as (
        select
            base_key,
            currency_code,
            refund_date as calendar_date,
            count(*) as refund_count,
            sum(refund_amount) as refund_amount,
            sum(coalesce(returned_cost_amount, 0)) as returned_cost_amount
        from {{ ref("fct_refunds") }}
        group by base_key, currency_code, refund_date
    ),

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
            case
                when customers.customer_key is not null
                then 'customer'
                else
                    substr(
                        days.base_key,
                        1,
                        length(days.base_key) - length(days.currency_code) - 1
                    )
            end as base,
            cast(coalesce(order_counts.order_count, 0) as bigint) as order_count,
            cast(
                coalesce(order_counts.kept_order_count, 0) as bigint
            ) as kept_order_count,
            cast(
                coalesce(order_days.booked_order_count, 0) as bigint
            ) as booked_order_count,
            cast(
                coalesce(order_days.uncosted_line_count, 0) as bigint
            ) as uncosted_line_count,
            cast(coalesce(refund_days.refund_count, 0) as bigint) as refund_count,
            {% for table, name in customer_day_amounts() %}
                cast(
                    coalesce({{ table }}.{{ name }}, 0) as {{ type_amount() }}
                ) as {{ name }}
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
