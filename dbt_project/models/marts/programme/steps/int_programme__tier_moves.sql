{# The tier of each customer at the start and at the end of the value window; for profit tiers: in the window before and in the current one. #}
{%- set places = {"top_5": 3, "next_15": 2, "last_80": 1} -%}
with
    windows as (select * from {{ ref("dim_value_windows") }} where window_number = 0),

    prior_window as (
        select *
        from {{ ref("dim_value_windows") }}
        where window_number = 1 and is_observed
    ),

    value_windows as (select * from {{ ref("fct_customer_value_windows") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    memberships as (select * from {{ ref("fct_memberships") }}),

    standings as (
        {% for number, moment in [(1, "before"), (0, "now")] %}
            select
                'profit' as tier_kind,
                cast(null as {{ dbt.type_string() }}) as programme_id,
                value_windows.customer_key,
                '{{ moment }}' as moment,
                value_windows.tier,
                case
                    value_windows.tier
                    {% for tier, place in places.items() %}
                        when '{{ tier }}' then {{ place }}
                    {% endfor %}
                end as tier_rank,
                1 as place
            from value_windows
            cross join prior_window
            where
                value_windows.window_number = {{ number }}
                and value_windows.tier is not null
            union all
            select
                'programme',
                memberships.programme_id,
                memberships.customer_key,
                '{{ moment }}',
                coalesce(memberships.tier, 'member'),
                memberships.tier_rank,
                row_number() over (
                    partition by memberships.customer_key, memberships.programme_key
                    order by
                        memberships.valid_from_date desc, memberships.membership_key
                )
            from memberships
            inner join customers on memberships.customer_key = customers.customer_key
            inner join
                windows
                on memberships.valid_from_date
                <= windows.{{ "end_date" if moment == "now" else "start_date" }}
                and memberships.valid_to_date
                >= windows.{{ "end_date" if moment == "now" else "start_date" }}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    final as (
        select
            tier_kind,
            programme_id,
            customer_key,
            coalesce(
                max(case when moment = 'before' then tier end), 'none'
            ) as tier_from,
            coalesce(max(case when moment = 'now' then tier end), 'none') as tier_to,
            max(case when moment = 'before' then tier_rank end) as rank_from,
            max(case when moment = 'now' then tier_rank end) as rank_to
        from standings
        where place = 1
        group by tier_kind, programme_id, customer_key
    )

select *
from final
