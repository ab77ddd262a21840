{# The figures of every segment as they may be shown: a figure on a small base is empty, and rates are also drawn towards those of their kind. #}
{%- set of_scores = [
    "satisfaction_index",
    "satisfaction_index_weighted",
    "overall_mean",
    "top_box_rate",
    "top_box_rate_weighted",
    "top_two_rate",
    "top_two_rate_weighted",
    "satisfied_rate",
    "dissatisfied_rate",
    "loyal_rate",
    "at_risk_rate",
    "hostile_rate",
] -%}
with
    figures as (select * from {{ ref("int_satisfaction__segment_figures") }}),

    priors as (select * from {{ source("estimates", "survey_shrinkage") }}),

    joined as (
        select
            figures.*,
            -- where a kind of segment has no prior of its own, that of all kinds; the
            -- whole is drawn nowhere
            coalesce(own.prior_a, of_all.prior_a) as prior_a,
            coalesce(own.prior_b, of_all.prior_b) as prior_b
        from figures
        left join priors as own using (source, survey_id, respondent_type, segment_by)
        left join
            priors as of_all
            on figures.source = of_all.source
            and figures.survey_id = of_all.survey_id
            and figures.respondent_type = of_all.respondent_type
            and of_all.segment_by = 'any'
            and figures.segment_by != 'all'
    ),

    final as (
        select
            segment_month_key,
            source,
            survey_id,
            wave,
            respondent_type,
            segment_by,
            segment,
            response_count,
            effective_count,
            scored_count,
            classed_count,
            loyal_count,
            at_risk_count,
            hostile_count,
            is_suppressed,
            {% for name in of_scores %}
                case when not is_suppressed then {{ name }} end as {{ name }},
            {% endfor %}
            {% for name in ["satisfaction_index_careful", "top_box_rate_careful"] %}
                {{ suppress_small(name, "careful_count") }} as {{ name }},
            {% endfor %}
            case
                when not is_suppressed then {{ div("index_variance", "index_count") }}
            end as index_error,
            prior_a + prior_b as prior_count,
            {{ div("top_box_count + prior_a", "scored_count + prior_a + prior_b") }}
            as top_box_rate_shrunk,
            nps_count,
            promoter_count,
            passive_count,
            detractor_count,
            is_nps_suppressed,
            case when not is_nps_suppressed then nps end as nps,
            case when not is_nps_suppressed then nps_weighted end as nps_weighted,
            nps_variance,
            recommend_level_count,
            {{ suppress_small("recommend_net_rate", "recommend_level_count") }}
            as recommend_net_rate,
            repurchase_count,
            {{ suppress_small("repurchase_high_rate", "repurchase_count") }}
            as repurchase_high_rate,
            c_count,
            c_below_count,
            c_equal_count,
            c_above_count,
            case when not is_c_suppressed then c_mean_of_ratios end as c_mean_of_ratios,
            case when not is_c_suppressed then c_ratio_of_means end as c_ratio_of_means,
            case
                when not is_c_suppressed then {{ div("c_above_count", "c_count") }}
            end as delight_rate,
            {{ suppress_small("d_gap_mean", "d_count") }} as d_gap_mean
        from joined
    )

select *
from final
