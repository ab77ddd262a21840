{# What rates of small segments are drawn towards: best scores and scores by segment, over all waves. #}
with
    memberships as (
        select *
        from {{ ref("stat_satisfaction__memberships") }}
        where segment_by != 'all'
    ),

    results as (
        select * from {{ ref("fct_survey_results") }} where is_top_box is not null
    ),

    grouped as (
        select
            results.source,
            results.survey_id,
            results.respondent_type,
            results.wave,
            memberships.segment_by,
            memberships.segment,
            count(*) as scored_count,
            count(case when results.is_top_box then 1 end) as top_box_count
        from memberships
        inner join results on memberships.response_key = results.response_key
        group by
            results.source,
            results.survey_id,
            results.respondent_type,
            results.wave,
            memberships.segment_by,
            memberships.segment
    ),

    final as (
        select
            source,
            survey_id,
            respondent_type,
            segment_by,
            scored_count,
            top_box_count,
            count(*) as group_count
        from grouped
        group by
            source, survey_id, respondent_type, segment_by, scored_count, top_box_count
    )

select *
from final
