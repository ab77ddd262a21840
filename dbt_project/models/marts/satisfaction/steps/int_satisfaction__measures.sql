{# What a questionnaire says of value, price, benefits, bonds and costs of leaving, each on 0..100. #}
{%- set plain = [
    "nonmonetary",
    "convenience",
    "effort",
    "image",
    "belonging",
    "identity",
    "trust",
    "preference",
    "lifetime_intent",
    "norm",
    "situation",
    "price_tolerance",
] -%}
{%- set grouped = {
    "relational": "relational benefit",
    "switching_cost": "switching cost",
    "dimension": "intrinsic value",
} -%}
{%- set composites = {
    "perceived_value": [
        "perceived value",
        "role in ('value_given_price', 'price_given_quality')",
    ],
    "relational_benefits": [
        "relational benefit",
        "role like 'relational:%'",
    ],
    "switching_cost_index": [
        "switching cost",
        "role like 'switching_cost:%'",
    ],
    "total_benefit": ["delivered value", "role like 'benefit:%'"],
    "total_sacrifice": ["delivered value", "role like 'sacrifice:%'"],
} -%}
with
    scores as (
        select * from {{ ref("fct_survey_scores") }} where score_index is not null
    ),

    measured as (
        select
            response_key,
            role as measure,
            case
                {% for role, name in grouped.items() %}
                    when role like '{{ role }}:%' then '{{ name }}'
                {% endfor %}
                else 'bond'
            end as measure_group,
            score_index as place,
            1 as item_count
        from scores
        where
            role in ('{{ plain | join("', '") }}')
            {% for role in grouped %} or role like '{{ role }}:%' {% endfor %}
        {% for measure, (group, condition) in composites.items() %}
            union all
            select
                response_key,
                '{{ measure }}' as measure,
                '{{ group }}' as measure_group,
                {{ rounded(div("sum(score_index)", "count(*)"), 8) }} as place,
                count(*) as item_count
            from scores
            where {{ condition }}
            group by response_key
        {% endfor %}
    ),

    delivered as (
        select
            benefit.response_key,
            'delivered_value' as measure,
            'delivered value' as measure_group,
            benefit.place - sacrifice.place as place,
            benefit.item_count + sacrifice.item_count as item_count
        from measured as benefit
        inner join
            measured as sacrifice on benefit.response_key = sacrifice.response_key
        where
            benefit.measure = 'total_benefit' and sacrifice.measure = 'total_sacrifice'
    ),

    final as (
        select {{ made_key(["response_key", "measure"]) }} as measure_key, *
        from
            (
                select *
                from measured
                union all
                select *
                from delivered
            ) as stacked
    )

select *
from final
