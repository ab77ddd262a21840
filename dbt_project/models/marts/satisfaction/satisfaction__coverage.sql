with
    coverage as (select * from {{ ref("int_satisfaction__coverage") }}),

    final as (
        select
            source,
            survey_id,
            wave,
            mode,
            segment_by,
            segment,
            base_count,
            base_total,
            {{ div("base_count", "base_total") }} as base_share_rate,
            respondent_count,
            respondent_total,
            respondent_total < {{ var("min_base") }} as is_suppressed,
            {{
                suppress_small_rate(
                    "respondent_share", "respondent_count", "respondent_total"
                )
            }},
            {{ suppress_small_mean("respondent_count", "respondent_total") }}
            - {{ div("base_count", "base_total") }} as coverage_gap
        from coverage
    )

select *
from final
