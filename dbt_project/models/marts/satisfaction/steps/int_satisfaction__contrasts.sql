{# How much likelier the upper group buys again, as it is and among equals in how often they bought before. #}
{%- set z = var("z_score") -%}
{%- set rates = [
    "upper_rate",
    "upper_customer_count",
    "lower_rate",
    "lower_customer_count",
] -%}
{%- set again = [
    "upper_again_count",
    "upper_missed_count",
    "lower_again_count",
    "lower_missed_count",
] -%}
{%- set intent = [
    "upper_intent_high_count",
    "upper_intent_low_count",
    "lower_intent_high_count",
    "lower_intent_low_count",
] -%}
{%- set counted = [
    "customer_count",
    "again_count",
    "active_count",
    "churned_count",
    "intent_count",
    "intent_high_count",
] -%}
{%- for tercile in [1, 2, 3] -%}
    {%- do counted.append("customer_count_" ~ tercile) -%}
    {%- do counted.append("again_count_" ~ tercile) -%}
{%- endfor -%}
{%- set contrast = "source, survey_id, segment_by, segment, contrast, upper_score" -%}
with
    outcomes as (select * from {{ ref("int_satisfaction__score_outcomes") }}),

    -- two groups side by side: each score with the one below it, and classes with each
    -- other
    sides as (
        select 'step' as contrast, score as upper_score, 'upper' as side, outcomes.*
        from outcomes
        -- a mean of two questions is no step of the scale
        where score = floor(score)
        union all
        select 'step' as contrast, score + 1 as upper_score, 'lower' as side, outcomes.*
        from outcomes
        where score < scale_max and score = floor(score)
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
                {% for name in counted %}
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

    counts as (
        select
            *,
            upper_customer_count - upper_again_count as upper_missed_count,
            lower_customer_count - lower_again_count as lower_missed_count,
            upper_intent_count - upper_intent_high_count as upper_intent_low_count,
            lower_intent_count - lower_intent_high_count as lower_intent_low_count
        from summed
        -- with no one on one side there is nothing to compare
        where upper_customer_count > 0 and lower_customer_count > 0
    ),

    pieces as (
        select
            *,
            {{ div("upper_again_count", "upper_customer_count") }} as upper_rate,
            {{ div("lower_again_count", "lower_customer_count") }} as lower_rate,
            {% for piece in ["r", "s", "pr", "qs", "psqr"] %}
                {% for t in [1, 2, 3] %}
                    {{
                        stratum_piece(
                            piece,
                            "upper_again_count_" ~ t,
                            "(upper_customer_count_"
                            ~ t
                            ~ " - upper_again_count_"
                            ~ t
                            ~ ")",
                            "lower_again_count_" ~ t,
                            "(lower_customer_count_"
                            ~ t
                            ~ " - lower_again_count_"
                            ~ t
                            ~ ")",
                        )
                    }}
                    {% if not loop.last %} + {% endif %}
                {% endfor %} as {{ piece }}_sum
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from counts
    ),

    compared as (
        select
            *,
            upper_rate - lower_rate as rate_difference,
            {{ has_zero_cell(*again) }} as has_zero_cell,
            {{ odds_ratio(*again) }} as odds_ratio,
            {{ log_odds_error(*again) }} as odds_ratio_error,
            {{ risk_ratio(*again) }} as risk_ratio,
            {{ log_risk_error(*again) }} as risk_ratio_error,
            case
                when upper_intent_count > 0 and lower_intent_count > 0
                then {{ risk_ratio(*intent) }}
            end as intent_risk_ratio,
            {{ log_risk_error(*intent) }} as intent_risk_ratio_error,
            -- no one in a stratum bought again, or everyone: no ratio
            case
                when r_sum > 0 and s_sum > 0 then r_sum / s_sum
            end as adjusted_odds_ratio,
            case
                when r_sum > 0 and s_sum > 0
                then
                    sqrt(
                        pr_sum / (2 * r_sum * r_sum)
                        + psqr_sum / (2 * r_sum * s_sum)
                        + qs_sum / (2 * s_sum * s_sum)
                    )
            end as adjusted_odds_ratio_error,
            {{ div("1", "lower_rate") }} as risk_ratio_limit
        from pieces
    ),

    final as (
        select
            *,
            {{ difference_bound("-", *rates) }} as rate_difference_low,
            {{ difference_bound("+", *rates) }} as rate_difference_high,
            {% for name in [
                "odds_ratio",
                "risk_ratio",
                "intent_risk_ratio",
                "adjusted_odds_ratio",
            ] %}
                {{ name }} * exp(-{{ z }} * {{ name }}_error) as {{ name }}_low,
                {{ name }} * exp({{ z }} * {{ name }}_error) as {{ name }}_high,
            {% endfor %}
            adjusted_odds_ratio is not null as is_adjusted
        from compared
    )

select *
from final
