with
    figures as (select * from {{ ref("int_satisfaction__measurement_model") }}),

    final as (
        select
            structure_key,
            source,
            survey_id,
            model,
            figure,
            subject,
            object,
            value,
            value_low,
            value_high,
            -- an interval without nought in it
            case
                when figure = 'path' then value_low > 0 or value_high < 0
            end as is_clear,
            answer_count,
            fit_status,
            fit_reason
        from figures
    )

select *
from final
