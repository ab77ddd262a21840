{# What a wave says beyond its segment figures: problems, behaviour afterwards, and moves of the same people since the wave before. #}
with
    experiences as (select * from {{ ref("fct_survey_experiences") }}),

    waves as (select * from {{ ref("dim_survey_waves") }}),

    numbered as (
        select experiences.*, waves.wave_number
        from experiences
        inner join waves using (source, survey_id, wave)
    ),

    moved as (
        select numbered.*, before.mouth_class as previous_class
        from numbered
        left join
            numbered as before
            on numbered.source = before.source
            and numbered.survey_id = before.survey_id
            and numbered.respondent_type = before.respondent_type
            and numbered.customer_key = before.customer_key
            and numbered.wave_number = before.wave_number + 1
            -- one survey for every order may ask a customer twice in a wave
            and not exists (
                select 1
                from numbered as other
                where
                    other.source = before.source
                    and other.survey_id = before.survey_id
                    and other.respondent_type = before.respondent_type
                    and other.customer_key = before.customer_key
                    and other.wave_number = before.wave_number
                    and other.response_key != before.response_key
            )
    ),

    final as (
        select
            source,
            survey_id,
            wave,
            respondent_type,
            wave_number,
            count(has_problem) as problem_n,
            {{ count_where("has_problem") }} as problem_count,
            count(has_repurchased) as outcome_n,
            {{ count_where("has_repurchased") }} as repurchased_count,
            {{
                count_where(
                    "previous_class= 'satisfied' and mouth_class is not null"
                )
            }} as satisfied_before_n,
            {{
                count_where(
                    "previous_class= 'satisfied' and mouth_class= 'delighted'"
                )
            }} as upgrade_count,
            {{
                count_where(
                    "previous_class= 'delighted' and mouth_class is not null"
                )
            }} as delighted_before_n,
            {{
                count_where(
                    "previous_class= 'delighted' and mouth_class= 'satisfied'"
                )
            }} as downgrade_count
        from moved
        group by source, survey_id, wave, respondent_type, wave_number
    )

select *
from final
