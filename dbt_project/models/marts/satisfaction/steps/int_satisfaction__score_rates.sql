{# The counts of every score as rates with their intervals, before small-base suppression. #}
with
    outcomes as (select * from {{ ref("int_satisfaction__score_outcomes") }}),

    spread as (
        select
            *,
            {% for t in [1, 2, 3] %}
                cast(
                    sum(customer_count_{{ t }}) over whole as {{ type_double() }}
                ) as whole_{{ t }},
            {% endfor %}
            {{ div("weight_sum * weight_sum", "weight_square_sum") }}
            as effective_count,
            {{ div("again_count", "customer_count") }} as repurchase_rate,
            {{ div("again_weight_sum", "weight_sum") }} as repurchase_rate_weighted,
            {{ div("churned_count", "active_count") }} as churn_rate,
            -- the margin of those who bought nothing is known to be 0: their mean alone
            -- says nothing
            case
                when again_margin_count >= {{ var("min_cost_coverage") }} * again_count
                then {{ div("margin_amount", "margin_count") }}
            end as margin_mean_amount
        from outcomes
        window whole as (partition by source, survey_id, segment_by, segment)
    ),

    -- as if every score's customers had bought before as often as all of them did; a
    -- score without customers in a stratum that others are in has no such rate
    adjusted as (
        select
            *,
            (
                {%- for t in [1, 2, 3] %}
                    {% if not loop.first %}+ {% endif %}
                    case
                        when whole_{{ t }} = 0
                        then 0
                        else
                            whole_{{ t }}
                            * {{ div("again_count_" ~ t, "customer_count_" ~ t) }}
                    end
                {%- endfor %}
            )
            / nullif(whole_1 + whole_2 + whole_3, 0) as repurchase_rate_adjusted
        from spread
    ),

    final as (
        select
            *,
            {% for rate, base in [
                ("repurchase_rate", "customer_count"),
                ("repurchase_rate_weighted", "effective_count"),
                ("churn_rate", "active_count"),
            ] %}
                {{ wilson_low(rate, base) }} as {{ rate }}_low,
                {{ wilson_high(rate, base) }} as {{ rate }}_high
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from adjusted
    )

select *
from final
