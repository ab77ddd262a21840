{# What a verbal answer is worth: in the respondent's language where it says so, else where all languages agree. #}
with
    labels as (
        select
            source,
            survey_id,
            question_code,
            lower(language) as language,
            lower(trim(label)) as label,
            score
        from {{ ref("int_survey_answer_labels__current") }}
    ),

    by_language as (
        select source, survey_id, question_code, label, language, max(score) as score
        from labels
        where language is not null
        group by source, survey_id, question_code, label, language
        having min(score) = max(score)
    ),

    in_any_language as (
        select
            source,
            survey_id,
            question_code,
            label,
            cast(null as {{ dbt.type_string() }}) as language,
            max(score) as score
        from labels
        group by source, survey_id, question_code, label
        having min(score) = max(score)
    ),

    final as (
        select *
        from by_language
        union all
        select *
        from in_any_language
    )

select *
from final
