{# The arrows of each survey's path model: its own (feed survey_paths), else those of the seed survey_paths. #}
with
    own as (select * from {{ ref("stg_survey_paths__paths") }}),

    usual as (select * from {{ ref("survey_paths") }}),

    surveys as (
        select distinct source, survey_id from {{ ref("dim_survey_questions") }}
    ),

    final as (
        select
            source,
            survey_id,
            lower(trim(cause)) as cause,
            lower(trim(effect)) as effect,
            true as is_own,
            -- one row that says no is enough
            min(case when is_standardised is false then 0 else 1 end) over (
                partition by source, survey_id
            )
            = 1 as is_standardised
        from own
        union all
        select
            surveys.source,
            surveys.survey_id,
            usual.cause,
            usual.effect,
            false as is_own,
            true as is_standardised
        from surveys
        cross join usual
        where
            not exists (
                select 1
                from own
                where own.source = surveys.source and own.survey_id = surveys.survey_id
            )
    )

select *
from final
