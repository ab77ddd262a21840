{%- set solved = ["ticket_customers", "ticket_kinds", "ticket_solutions"] -%}
{#- Recovered complainers against customers who never failed: as they are, and matched within strata. -#}
with
    summed as (select * from {{ ref("fct_recovery_sums") }}),

    compared as (
        select
            *,
            {{ div("recovered_sum", "recovered_count") }} as recovered_mean,
            {{ div("others_sum", "others_count") }} as never_failed_mean,
            {{
                variance_of_sums(
                    "recovered_count", "recovered_sum", "recovered_squares"
                )
            }} as recovered_variance,
            {{ variance_of_sums("others_count", "others_sum", "others_squares") }}
            as others_variance,
            {{ div("gap_sum", "matched_count") }} as gap_matched
        from summed
        where
            recovered_count >= {{ var("min_base") }}
            and others_count >= {{ var("min_base") }}
    ),

    errors as (
        select
            source,
            survey_id,
            outcome,
            recovered_mean,
            never_failed_mean,
            recovered_mean - never_failed_mean as gap,
            sqrt(
                recovered_variance / recovered_count + others_variance / others_count
            ) as gap_error,
            {{ suppress_small("gap_matched", "matched_count") }} as gap_matched,
            sqrt(
                {{ div("recovered_variance", "matched_count") }}
                + others_variance
                * {{ div("others_weight", "matched_count * matched_count") }}
            ) as matched_error
        from compared
    ),

    final as (
        select
            summed.source,
            summed.survey_id,
            summed.outcome,
            {{ when_delivered(solved, "summed.recovered_count") }} as recovered_count,
            summed.others_count as never_failed_count,
            errors.source is null as is_suppressed,
            case
                when errors.source is null
                then 'fewer than min_base recovered or unfailed respondents'
                when errors.gap_matched is null
                then 'fewer than min_base recovered respondents have a match'
            end as suppressed_reason,
            errors.recovered_mean,
            errors.never_failed_mean,
            {{ with_interval("gap", "errors.gap", "errors.gap_error") }},
            {{ when_delivered(solved, "summed.matched_count") }} as matched_count,
            {{
                with_interval(
                    "gap_matched", "errors.gap_matched", "errors.matched_error"
                )
            }}
        from summed
        left join errors using (source, survey_id, outcome)
    )

select *
from final
