{# Those who said they would buy again (the high band), and did, by the month of their answer. #}
with
    segments as (select * from {{ ref("dim_customer_segments") }}),

    intents as (
        select * from {{ ref("fct_survey_results") }} where repurchase_band = 'high'
    ),

    outcomes as (
        select *, {{ month_start("submitted_date") }} as month
        from {{ ref("fct_survey_outcomes") }}
        -- while the days after the answer are not over, nobody has failed to come
        where is_observed
    ),

    final as (
        select
            {{
                made_key(
                    ["segments.segment_by", "segments.segment", "outcomes.month"]
                )
            }} as segment_month_key,
            segments.segment_by,
            segments.segment,
            outcomes.month,
            cast(count(*) as bigint) as high_intent_count,
            cast(
                sum(case when outcomes.has_repurchased then 1 else 0 end) as bigint
            ) as converted_count
        from outcomes
        inner join intents on outcomes.response_key = intents.response_key
        inner join segments on outcomes.customer_key = segments.customer_key
        group by segments.segment_by, segments.segment, outcomes.month
    )

select *
from final
