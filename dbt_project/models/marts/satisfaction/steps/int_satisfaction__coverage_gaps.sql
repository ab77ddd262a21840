{# Half the sum of the differences of shares: how far those who answered differ from all, on the attribute where they differ most. #}
with
    final as (
        select source, survey_id, wave, mode, max(gap) as coverage_gap_rate
        from
            (
                select
                    source,
                    survey_id,
                    wave,
                    mode,
                    segment_by,
                    cast(
                        sum(
                            abs(
                                base_count * respondent_total
                                - respondent_count * base_total
                            )
                        ) as {{ type_double() }}
                    )
                    / nullif(2 * min(base_total) * min(respondent_total), 0) as gap
                from {{ ref("int_satisfaction__coverage") }}
                where respondent_total >= {{ var("min_base") }}
                group by source, survey_id, wave, mode, segment_by
            ) as by_attribute
        group by source, survey_id, wave, mode
    )

select *
from final
