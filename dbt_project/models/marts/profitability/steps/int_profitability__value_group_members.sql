{# Who is in which group, with what the current window brought: also of those who ordered nothing in it. #}
with
    value_windows as (select * from {{ ref("fct_customer_value_windows") }}),

    current_values as (select * from value_windows where window_number = 0),

    prior_values as (
        select * from value_windows where window_number = 1 and order_count > 0
    ),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    windows as (select * from {{ ref("dim_value_windows") }} where window_number = 0),

    days as (select * from {{ ref("fct_customer_order_days") }} where order_count > 0),

    before as (
        select
            customers.customer_key,
            customers.is_left_truncated,
            windows.start_date,
            min(days.calendar_date) as first_order_date,
            max(days.calendar_date) as last_order_date,
            count(distinct days.calendar_date) as order_day_count
        from customers
        inner join days on customers.customer_key = days.base_key
        inner join windows on days.calendar_date <= windows.start_date
        group by customers.customer_key, customers.is_left_truncated, windows.start_date
    ),

    -- the stage at the START of the window, from the orders until then: stages are
    -- compared by what followed, lapsed ones kept in
    stages as (
        select
            customer_key,
            {{
                stage_on(
                    day="start_date",
                    first_date="first_order_date",
                    last_date="last_order_date",
                    order_day_count="order_day_count",
                    is_left_truncated="is_left_truncated",
                )
            }} as stage
        from before
    ),

    valued as (
        select
            customers.customer_key,
            customers.currency_code,
            current_values.tier,
            current_values.level,
            current_values.value_rank,
            prior_values.tier as tier_prior,
            prior_values.level as level_prior,
            stages.stage as stage_prior,
            coalesce(current_values.order_count, 0) as order_count,
            {% for name in ["net", "cost_to_serve"] %}
                coalesce(current_values.{{ name }}_amount, 0) as {{ name }}_amount,
            {% endfor %}
            -- without a row nothing was bought and nothing cost; with one it may be
            -- unknown
            {% for name in ["cm3", "profit"] %}
                case
                    when current_values.customer_key is null
                    then 0
                    else current_values.{{ name }}_amount
                end as {{ name }}_amount,
            {% endfor %}
            case
                when current_values.customer_key is null
                then 0
                {% if var("tier_measure") == "cm3" %} else current_values.value_amount
                {% else %} else current_values.net_amount
                {% endif %}
            end as measure_amount,
            prior_values.measure_amount as prior_measure_amount
        from customers
        left join current_values on customers.customer_key = current_values.customer_key
        left join prior_values on customers.customer_key = prior_values.customer_key
        left join stages on customers.customer_key = stages.customer_key
        -- without an event in either window, and no customer before: in no group
        where
            current_values.customer_key is not null
            or prior_values.customer_key is not null
            or stages.customer_key is not null
    ),

    final as (
        select valued.*, 'all' as group_by, 'all' as group_name, true as is_ranked
        from valued
        {% for name in ["tier", "level", "tier_prior", "level_prior"] %}
            union all
            select
                valued.*,
                '{{ name }}' as group_by,
                coalesce({{ name }}, 'not ranked') as group_name,
                {{ name }} is not null as is_ranked
            from valued
        {% endfor %}
        union all
        select
            valued.*,
            'stage_prior' as group_by,
            coalesce(stage_prior, 'no customer yet') as group_name,
            stage_prior is not null as is_ranked
        from valued
        union all
        select
            valued.*,
            segments.segment_by as group_by,
            segments.segment as group_name,
            true as is_ranked
        from valued
        inner join segments on valued.customer_key = segments.customer_key
        where segments.segment_by <> 'all'
    )

select *
from final
