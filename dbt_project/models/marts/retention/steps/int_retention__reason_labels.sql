{# The text of each coded answer, in English where there is one: for answers that are names and not grades. #}
with
    ranked as (
        select
            source,
            survey_id,
            question_code,
            score,
            lower(trim(label)) as label,
            row_number() over (
                partition by source, survey_id, question_code, score
                order by case when lower(language) = 'en' then 0 else 1 end, md5(label)
            ) as place
        from {{ ref("int_survey_answer_labels__current") }}
    ),

    final as (
        select source, survey_id, question_code, score, label
        from ranked
        where place = 1
    )

select *
from final
