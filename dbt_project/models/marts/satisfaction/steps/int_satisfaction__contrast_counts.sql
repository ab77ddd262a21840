{# Two groups of customers side by side: each score with the one below it, and classes with each other. #}
{%- set counts = [
    "customer_count",
    "again_count",
    "active_count",
    "churned_count",
    "intent_count",
    "intent_high_count",
] -%}
{%- for tercile in [1, 2, 3] -%}
    {%- do counts.append("customer_count_" ~ tercile) -%}
    {%- do counts.append("again_count_" ~ tercile) -%}
{%- endfor -%}
{%- set contrast = "source, survey_id, segment_by, segment, contrast, upper_score" -%}
with
    outcomes as (select * from {{ ref("int_satisfaction__score_outcomes") }}),

    sides as (
        select 'step' as contrast, score as upper_score, 'upper' as side, outcomes.*
        from outcomes
        union all
        select 'step' as contrast, score + 1 as upper_score, 'lower' as side, outcomes.*
        from outcomes
        where score < scale_max
        {% for of, upper, lower in [
                ("satisfaction_class", "satisfied", "dissatisfied"),
                ("loyalty_class", "loyal", "at_risk"),
            ] %}
            union all
            select
                '{{ upper }} v {{ lower | replace("_", " ") }}' as contrast,
                cast(null as decimal(18, 8)) as upper_score,
                case
                    when {{ of }} = '{{ upper }}' then 'upper' else 'lower'
                end as side,
                outcomes.*
            from outcomes
            where {{ of }} in ('{{ upper }}', '{{ lower }}')
        {% endfor %}
    ),

    summed as (
        select
            {{ contrast }},
            {% for side in ["upper", "lower"] %}
                {% for name in counts %}
                    cast(
                        sum(
                            case when side = '{{ side }}' then {{ name }} else 0 end
                        ) as bigint
                    ) as {{ side }}_{{ name }}
                    {%- if not loop.last %},{% endif %}
                {% endfor %}
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from sides
        group by {{ contrast }}
    ),

    final as (
        select
            *,
            upper_customer_count - upper_again_count as upper_missed_count,
            lower_customer_count - lower_again_count as lower_missed_count,
            upper_intent_count - upper_intent_high_count as upper_intent_low_count,
            lower_intent_count - lower_intent_high_count as lower_intent_low_count
        from summed
        -- with nobody on one side there is nothing to compare
        where upper_customer_count > 0 and lower_customer_count > 0
    )

select *
from final
