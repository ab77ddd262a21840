with
    order_days as (select * from {{ ref("fct_customer_order_days") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    entries as (select * from {{ ref("fct_cost_entries") }}),

    cost_days as (
        select
            base_key,
            currency_code,
            cost_date as calendar_date,
            {% for kind in cost_kinds() %}
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

    days as (
        select base_key, currency_code, calendar_date
        from order_days
        union
        select base_key, currency_code, calendar_date
        from cost_days
    ),

    final as (
        select
            days.base_key,
            days.calendar_date,
            {{ month_start("days.calendar_date") }} as month,
            days.currency_code,
            {{ base_of_key("days", "customers") }} as base,
            {% for name in order_day_counts() %}
                cast(coalesce(order_days.{{ name }}, 0) as bigint) as {{ name }},
            {% endfor %}
            {% for name in order_day_amounts() %}
                cast(
                    coalesce(order_days.{{ name }}, 0) as {{ type_amount() }}
                ) as {{ name }},
            {% endfor %}
            {% for kind in cost_kinds() %}
                cast(
                    coalesce(cost_days.{{ kind }}_cost_amount, 0) as {{ type_amount() }}
                ) as {{ kind }}_cost_amount
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from days
        left join customers on days.base_key = customers.customer_key
        {% for part in ["order_days", "cost_days"] %}
            left join
                {{ part }}
                on days.base_key = {{ part }}.base_key
                and days.currency_code = {{ part }}.currency_code
                and days.calendar_date = {{ part }}.calendar_date
        {% endfor %}
    )

select *
from final
