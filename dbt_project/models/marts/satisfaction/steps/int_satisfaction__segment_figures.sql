{%- set weights = var("index_weights") -%}
{%- set items = {
    "overall": weights["overall_satisfaction"],
    "disconfirmation": weights["disconfirmation"],
    "ideal": weights["ideal"],
} -%}
with
    sums as (select * from {{ ref("int_satisfaction__segment_sums") }}),

    final as (
        select
            *,
            {{
                made_key(
                    [
                        "source",
                        "survey_id",
                        "wave",
                        "respondent_type",
                        "segment_by",
                        "segment",
                    ]
                )
            }} as segment_month_key,
            scored_count < {{ var("min_base") }} as is_suppressed,
            nps_count < {{ var("min_base_nps") }} as is_nps_suppressed,
            c_count < {{ var("min_base") }} as is_c_suppressed,
            {{ div("weight_sum * weight_sum", "weight_square_sum") }}
            as effective_count,
            -- the mean of each item on its own base: 100 * sum w (mean - min) / ((max
            -- - min) * sum w)
            (
                {%- for name, weight in items.items() %}
                    {% if not loop.first %}+ {% endif %}
                    coalesce(
                        {{ weight }}
                        * {{ div(name ~ "_index_sum", name ~ "_index_count") }},
                        0
                    )
                {%- endfor %}
            ) / nullif(
                {%- for name, weight in items.items() %}
                    {% if not loop.first %}+ {% endif %}
                    case when {{ name }}_index_count > 0 then {{ weight }} else 0 end
                {%- endfor %},
                0
            ) as satisfaction_index,
            {{ variance_of_sums("index_count", "index_sum", "index_square_sum") }}
            as index_variance,
            {{ div("weighted_index_sum", "index_weight_sum") }}
            as satisfaction_index_weighted,
            {{ div("careful_index_sum", "careful_index_count") }}
            as satisfaction_index_careful,
            {{ div("overall_sum", "scored_count") }} as overall_mean,
            {{ div("top_box_count", "scored_count") }} as top_box_rate,
            {{ div("top_two_count", "scored_count") }} as top_two_rate,
            {{ div("coalesce(top_box_weight_sum, 0)", "weight_sum") }}
            as top_box_rate_weighted,
            {{ div("coalesce(top_two_weight_sum, 0)", "weight_sum") }}
            as top_two_rate_weighted,
            {{ div("careful_top_box_count", "careful_count") }} as top_box_rate_careful,
            {{ div("satisfied_count", "classed_count") }} as satisfied_rate,
            {{ div("dissatisfied_count", "classed_count") }} as dissatisfied_rate,
            {{ div("loyal_count", "classed_count") }} as loyal_rate,
            {{ div("at_risk_count", "classed_count") }} as at_risk_rate,
            {{ div("hostile_count", "classed_count") }} as hostile_rate,
            100 * {{ div("promoter_count - detractor_count", "nps_count") }} as nps,
            100
            *
            {{
                div(
                    "coalesce(promoter_weight_sum, 0) - coalesce(detractor_weight_sum, 0)",
                    "nps_weight_sum",
                )
            }}
            as nps_weighted,
            -- the variance of a mean of +1, 0 and -1: (p + d - (p - d)^2) / n
            10000 * (
                {{ div("promoter_count + detractor_count", "nps_count") }}
                - {{ div("promoter_count - detractor_count", "nps_count") }}
                * {{ div("promoter_count - detractor_count", "nps_count") }}
            )
            / nullif(nps_count, 0) as nps_variance,
            {{ div("very_likely_count - unlikely_count", "recommend_level_count") }}
            as recommend_net_rate,
            {{ div("repurchase_high_count", "repurchase_count") }}
            as repurchase_high_rate,
            {{ div("c_ratio_sum", "c_count") }} as c_mean_of_ratios,
            {{ div("perceived_sum", "expected_sum") }} as c_ratio_of_means,
            {{ div("d_gap_sum", "d_count") }} as d_gap_mean
        from sums
    )

select *
from final
