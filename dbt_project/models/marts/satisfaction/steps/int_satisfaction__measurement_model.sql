with
    figures as (select * from {{ source("estimates", "survey_structure") }}),

    final as (
        select
            {{
                made_key(
                    ["source", "survey_id", "model", "figure", "subject", "object"]
                )
            }} as structure_key,
            source,
            survey_id,
            substr(model, 8) as model,
            figure,
            subject,
            object,
            value,
            value_low,
            value_high,
            answer_count,
            status as fit_status,
            reason as fit_reason
        from figures
    )

select *
from final
