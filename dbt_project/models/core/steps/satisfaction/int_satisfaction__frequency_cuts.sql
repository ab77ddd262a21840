{# What a rare, a usual and a frequent buyer is: thirds of the days with an order, among all who could have been asked. #}
with
    base as (select * from {{ ref("fct_survey_wave_customers") }}),

    final as (
        select
            source,
            survey_id,
            wave,
            count(*) as base_count,
            {{ percentile("order_day_count", "1.0 / 3") }} as low_cut,
            {{ percentile("order_day_count", "2.0 / 3") }} as high_cut
        from base
        group by source, survey_id, wave
    )

select *
from final
