{# The curve of a survey: of its index where that has values enough to show a bend, else of its score. #}
with
    fitted as (select * from {{ source("estimates", "survey_thresholds") }}),

    ranked as (
        select
            *,
            row_number() over (
                partition by source, survey_id
                order by
                    case when status = 'fitted' then 0 else 1 end,
                    case when measure = 'satisfaction_index' then 0 else 1 end
            ) as place
        from fitted
    ),

    final as (
        select
            source,
            survey_id,
            measure as curve_measure,
            status as curve_status,
            reason as curve_reason,
            customer_count as curve_count,
            shape as curve_shape,
            threshold_low,
            threshold_high,
            {% for zone in [1, 2, 3] %} slope_{{ zone }}, rate_{{ zone }}, {% endfor %}
            bic_gain
        from ranked
        where place = 1
    )

select *
from final
