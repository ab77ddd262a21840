{{ config(tags=["scored"]) }}

with
    segments as (select * from {{ ref("fct_survey_segments") }}),

    results as (
        select *, cast(satisfaction_index as decimal(9, 4)) as rounded_index
        from {{ ref("fct_survey_results") }}
    ),

    responses as (select * from {{ ref("fct_survey_responses") }}),

    weights as (select * from {{ ref("fct_survey_weights") }}),

    members as (
        select
            segments.segment_by,
            segments.segment,
            results.*,
            weights.weight,
            not responses.is_speeder and not responses.is_straight_liner as is_careful
        from segments
        inner join results on segments.response_key = results.response_key
        inner join responses on segments.response_key = responses.response_key
        left join weights on segments.response_key = weights.response_key
    ),

    final as (
        select
            source,
            survey_id,
            wave,
            respondent_type,
            segment_by,
            segment,
            count(*) as response_count,

            -- the overall score and its classes
            count(overall_score) as scored_count,
            sum(overall_score) as overall_sum,
            count(case when is_top_box then 1 end) as top_box_count,
            count(case when is_top_two then 1 end) as top_two_count,
            count(
                case when satisfaction_class = 'satisfied' then 1 end
            ) as satisfied_count,
            count(
                case when satisfaction_class = 'dissatisfied' then 1 end
            ) as dissatisfied_count,
            count(loyalty_class) as classed_count,
            count(case when loyalty_class = 'loyal' then 1 end) as loyal_count,
            count(case when loyalty_class = 'at_risk' then 1 end) as at_risk_count,
            count(case when loyalty_class = 'hostile' then 1 end) as hostile_count,

            -- the index by item, and by respondent for its variance
            count(overall_index) as overall_index_count,
            sum(overall_index) as overall_index_sum,
            count(disconfirmation_index) as disconfirmation_index_count,
            sum(disconfirmation_index) as disconfirmation_index_sum,
            count(ideal_index) as ideal_index_count,
            sum(ideal_index) as ideal_index_sum,
            count(rounded_index) as index_count,
            sum(rounded_index) as index_sum,
            sum(rounded_index * rounded_index) as index_square_sum,

            -- with survey weights
            sum(case when overall_score is not null then weight end) as weight_sum,
            sum(
                case when overall_score is not null then weight * weight end
            ) as weight_square_sum,
            sum(case when is_top_box then weight end) as top_box_weight_sum,
            sum(case when is_top_two then weight end) as top_two_weight_sum,
            sum(
                case when rounded_index is not null then weight end
            ) as index_weight_sum,
            sum(rounded_index * weight) as weighted_index_sum,

            -- without speeders and straight-liners
            count(case when is_careful then overall_score end) as careful_count,
            count(
                case when is_careful and is_top_box then 1 end
            ) as careful_top_box_count,
            count(case when is_careful then rounded_index end) as careful_index_count,
            sum(case when is_careful then rounded_index end) as careful_index_sum,

            -- recommendation and intention
            count(nps_class) as nps_count,
            count(case when nps_class = 'promoter' then 1 end) as promoter_count,
            count(case when nps_class = 'passive' then 1 end) as passive_count,
            count(case when nps_class = 'detractor' then 1 end) as detractor_count,
            sum(case when nps_class is not null then weight end) as nps_weight_sum,
            sum(
                case when nps_class = 'promoter' then weight end
            ) as promoter_weight_sum,
            sum(
                case when nps_class = 'detractor' then weight end
            ) as detractor_weight_sum,
            count(recommend_level) as recommend_level_count,
            count(
                case when recommend_level = 'very likely' then 1 end
            ) as very_likely_count,
            count(case when recommend_level = 'unlikely' then 1 end) as unlikely_count,
            count(repurchase_band) as repurchase_count,
            count(
                case when repurchase_band = 'high' then 1 end
            ) as repurchase_high_count,

            -- perceived against expected
            count(c_ratio) as c_count,
            sum(c_ratio) as c_ratio_sum,
            sum(
                case when c_ratio is not null then perceived_score end
            ) as perceived_sum,
            sum(
                case when c_ratio is not null then expectation_score end
            ) as expected_sum,
            count(case when c_state = 'dissatisfied' then 1 end) as c_below_count,
            count(case when c_state = 'satisfied' then 1 end) as c_equal_count,
            count(case when c_state = 'delighted' then 1 end) as c_above_count,
            count(d_gap) as d_count,
            sum(d_gap) as d_gap_sum
        from members
        group by source, survey_id, wave, respondent_type, segment_by, segment
    )

select *
from final
