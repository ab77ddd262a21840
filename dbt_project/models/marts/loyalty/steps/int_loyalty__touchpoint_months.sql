{# Counts and exact sums of all that is known of a touchpoint in a month, nothing divided yet. #}
{%- set parts = {
    "orders": [
        "order_count",
        "promised_count",
        "late_count",
        "returnable_count",
        "returned_count",
        "failed_count",
        "score_count",
        "score_sum",
        "score_square_sum",
    ],
    "tickets": [
        "ticket_count",
        "answerable_count",
        "unanswered_count",
        "due_ticket_count",
        "in_time_count",
        "closed_count",
        "handled_count",
        "bot_count",
        "ticket_score_count",
        "ticket_score_sum",
    ],
    "answers": [
        "response_count",
        "score_count",
        "score_sum",
        "score_square_sum",
        "effort_count",
        "effort_sum",
        "convenience_count",
        "convenience_sum",
    ],
    "contacts": ["contact_count"],
} -%}
{# Empty, not 0, where a source does not have them. #}
{%- set unknown = ["answerable_count", "unanswered_count"] -%}
{%- set names = parts.values() | sum(start=[]) | unique | list -%}
{#- what a count of 0 rests on; answers are bases, 0 where no one answered -#}
{%- set feeds = {
    "orders": "orders",
    "tickets": "tickets",
    "contacts": "interaction_channels",
} -%}
{%- set feed_of = {} -%}
{%- for part, feed in feeds.items() -%}
    {%- for name in parts[part] if not name.startswith("score_") -%}
        {%- do feed_of.update({name: feed}) -%}
    {%- endfor -%}
{%- endfor -%}
with
    orders as (select * from {{ ref("int_loyalty__touchpoint_orders") }}),

    tickets as (select * from {{ ref("int_loyalty__touchpoint_tickets") }}),

    answers as (select * from {{ ref("int_loyalty__touchpoint_answers") }}),

    months as (select * from {{ ref("dim_months") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    -- interactions by channel, in either direction
    contacts as (
        select
            interactions.source,
            {{ month_start("interactions.interacted_date") }} as month,
            'channel' as touchpoint_by,
            interactions.channel as touchpoint,
            count(*) as contact_count
        from {{ ref("fct_interactions") }} as interactions
        inner join as_of on interactions.interacted_date <= as_of.as_of
        where interactions.channel is not null
        group by
            interactions.source,
            {{ month_start("interactions.interacted_date") }},
            interactions.channel
    ),

    together as (
        {% for part, has in parts.items() %}
            select
                source,
                month,
                touchpoint_by,
                touchpoint,
                {% for name in names %}
                    cast(
                        {{ name if name in has else "null" }} as decimal(28, 8)
                    ) as {{ name }}
                    {%- if not loop.last %},{% endif %}
                {% endfor %}
            from {{ part }}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    summed as (
        select
            source,
            month,
            touchpoint_by,
            touchpoint,
            {% for name in names %}
                {% if name in unknown %} cast(sum({{ name }}) as bigint) as {{ name }}
                {% elif name in feed_of and name.endswith("_count") %}
                    {{
                        when_delivered(
                            feed_of[name],
                            "cast(coalesce(sum(" ~ name ~ "), 0) as bigint)",
                        )
                    }} as {{ name }}
                {% elif name.endswith("_count") %}
                    cast(coalesce(sum({{ name }}), 0) as bigint) as {{ name }}
                {% else %} sum({{ name }}) as {{ name }}
                {% endif %}
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from together
        group by source, month, touchpoint_by, touchpoint
    ),

    final as (
        select
            {{ made_key(["source", "month", "touchpoint_by", "touchpoint"]) }}
            as touchpoint_month_key,
            summed.*,
            coalesce(months.is_partial, false) as is_partial_month
        from summed
        left join months using (month)
    )

select *
from final
