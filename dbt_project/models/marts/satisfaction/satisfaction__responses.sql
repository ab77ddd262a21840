with
    results as (select * from {{ ref("fct_survey_results") }}),

    responses as (select * from {{ ref("fct_survey_responses") }}),

    weights as (select * from {{ ref("int_satisfaction__weights") }}),

    waves as (select * from {{ ref("dim_survey_waves") }}),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    answer_segments as (select * from {{ ref("int_satisfaction__answer_segments") }}),

    final as (
        select
            results.response_key,
            results.source,
            responses.response_id,
            results.survey_id,
            results.wave,
            waves.month,
            results.customer_key,
            responses.order_key,
            case
                when responses.order_key is not null
                then 'transaction'
                else 'relationship'
            end as occasion,
            results.respondent_type,
            responses.mode,
            responses.touchpoint,
            responses.language,
            responses.status,
            responses.sent_at,
            results.submitted_at,
            results.submitted_date,
            scores.stage,
            scores.tier,

            -- the overall score
            cast(results.overall_score as {{ type_double() }}) as overall_score,
            cast(results.overall_scale_max as {{ type_double() }}) as overall_scale_max,
            results.loyalty_class,
            results.satisfaction_class,
            results.is_top_box,
            results.is_top_two,

            -- perceived against expected
            cast(results.expectation_score as {{ type_double() }}) as expectation_score,
            cast(results.perceived_score as {{ type_double() }}) as perceived_score,
            cast(results.c_ratio as {{ type_double() }}) as c_ratio,
            results.c_state,
            cast(results.d_gap as {{ type_double() }}) as d_gap,

            -- dimensions and index
            cast(results.quality_score as {{ type_double() }}) as quality_score,
            cast(results.service_score as {{ type_double() }}) as service_score,
            cast(results.price_score as {{ type_double() }}) as price_score,
            cast(results.delivery_score as {{ type_double() }}) as delivery_score,
            cast(results.care_score as {{ type_double() }}) as care_score,
            cast(
                results.satisfaction_index as {{ type_double() }}
            ) as satisfaction_index,

            -- recommendation and intention
            cast(results.recommend_score as {{ type_double() }}) as recommend_score,
            results.nps_class,
            results.recommend_level,
            cast(
                results.repurchase_probability as {{ type_double() }}
            ) as repurchase_probability,
            results.repurchase_band,

            -- quality and weight
            {{ when_delivered("answers", "responses.answer_count") }} as answer_count,
            cast(responses.answer_seconds as bigint) as answer_seconds,
            responses.is_duplicate,
            responses.is_speeder,
            responses.is_straight_liner,
            cast(responses.mark_deviation as {{ type_double() }}) as mark_deviation,
            responses.best_mark_rate,
            responses.is_answered_before_sent,
            responses.has_off_scale,
            responses.has_unreadable,
            not responses.is_duplicate as is_counted,
            weights.weight,
            weights.weighting_status,
            answer_segments.answer_segment
        from results
        inner join responses on results.response_key = responses.response_key
        inner join
            waves
            on results.source = waves.source
            and results.survey_id = waves.survey_id
            and results.wave = waves.wave
        left join weights on results.response_key = weights.response_key
        left join scores on results.customer_key = scores.customer_key
        left join answer_segments on results.response_key = answer_segments.response_key
    )

select *
from final
