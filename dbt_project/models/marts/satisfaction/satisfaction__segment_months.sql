{%- set segment = "source, survey_id, wave, respondent_type, segment_by, segment" -%}
with
    shown as (select * from {{ ref("int_satisfaction__segments_suppressed") }}),

    changes as (select * from {{ ref("int_satisfaction__segment_changes") }}),

    waves as (select source, survey_id, wave, month from {{ ref("dim_survey_waves") }}),

    touchpoints as (
        select *, 'all' as segment_by
        from {{ ref("int_satisfaction__touchpoint_spreads") }}
    ),

    final as (
        select
            segment_month_key,
            {{ segment }},
            month,
            previous_wave,

            -- bases
            response_count,
            scored_count,
            effective_count,
            is_suppressed,

            -- index
            {{
                with_interval(
                    "satisfaction_index",
                    "satisfaction_index",
                    "sqrt(index_error)",
                    least=0,
                    most=100,
                )
            }},
            satisfaction_index_weighted,
            satisfaction_index_careful,
            overall_mean,

            -- boxes and classes
            {% for name, base in {
                "top_box_rate": "scored_count",
                "top_box_rate_weighted": "effective_count",
                "top_box_rate_shrunk": "scored_count + prior_count",
                "top_two_rate": "scored_count",
                "satisfied_rate": "classed_count",
                "dissatisfied_rate": "classed_count",
                "loyal_rate": "classed_count",
                "at_risk_rate": "classed_count",
                "hostile_rate": "classed_count",
            }.items() %}
                {{ name }},
                {{ wilson_low(name, base) }} as {{ name }}_low,
                {{ wilson_high(name, base) }} as {{ name }}_high,
            {% endfor %}
            top_box_rate_careful,
            prior_count,
            top_two_rate_weighted,
            classed_count,
            loyal_count,
            at_risk_count,
            hostile_count,
            at_risk_rate > {{ var("complacency_share") }}
            and top_box_rate < {{ var("complacency_top_box") }} as is_complacent,

            -- recommendation and intention
            nps_count,
            promoter_count,
            passive_count,
            detractor_count,
            is_nps_suppressed,
            {{
                with_interval(
                    "nps", "nps", "sqrt(nps_variance)", least=-100, most=100
                )
            }},
            nps_weighted,
            recommend_level_count,
            recommend_net_rate,
            repurchase_count,
            repurchase_high_rate,

            -- perceived against expected
            c_count,
            c_below_count,
            c_equal_count,
            c_above_count,
            c_mean_of_ratios,
            c_ratio_of_means,
            delight_rate,
            d_gap_mean,

            -- change against the wave before
            shared_customer_rate,
            change_method,
            index_change_q_value,
            index_change_p_value,
            top_box_change_p_value,
            {% for name in ["index", "top_box", "nps"] %}
                {{ name }}_change, {{ name }}_change_low, {{ name }}_change_high,
            {% endfor %}
            c_change_from_perceived,
            c_change_from_expected,

            touchpoint_gap,
            touchpoint_variance_rate,
            {{ answers_reading() }} as caveat
        from shown
        inner join waves using (source, survey_id, wave)
        left join changes using ({{ segment }})
        left join
            touchpoints using (source, survey_id, wave, respondent_type, segment_by)
    )

select *
from final
