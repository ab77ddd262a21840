{# How the people who could have been asked and those who answered divide into segments, by wave and mode. #}
with
    base as (select * from {{ ref("int_satisfaction__wave_participation") }}),

    attributes as (
        select
            *,
            max(case when segment <> 'unknown' then 1 else 0 end) over (
                partition by segment_by
            )
            = 1 as is_known
        from {{ ref("dim_customer_segments") }}
        where segment_by != 'all'
    ),

    -- by an attribute that is known for no one, nothing can be compared
    segments as (select * from attributes where is_known),

    modes as (
        select source, survey_id, wave, 'all' as mode
        from base
        group by source, survey_id, wave
        union
        select source, survey_id, wave, mode
        from base
        where has_answered and mode is not null
    ),

    counted as (
        select
            modes.source,
            modes.survey_id,
            modes.wave,
            modes.mode,
            segments.segment_by,
            segments.segment,
            count(*) as base_count,
            {{
                count_where(
                    "base.has_answered and (modes.mode = 'all' or base.mode = modes.mode)"
                )
            }}
            as respondent_count
        from modes
        inner join base using (source, survey_id, wave)
        inner join segments on base.customer_key = segments.customer_key
        group by
            modes.source,
            modes.survey_id,
            modes.wave,
            modes.mode,
            segments.segment_by,
            segments.segment
    ),

    final as (
        select
            *,
            cast(sum(base_count) over whole as bigint) as base_total,
            cast(sum(respondent_count) over whole as bigint) as respondent_total
        from counted
        window whole as (partition by source, survey_id, wave, mode, segment_by)
    )

select *
from final
