{# Every driver with how it performs, what it explains and how important it is said to be. #}
{%- set scope = "source, survey_id, driver_by, segment" -%}
with
    sums as (
        select * from {{ ref("stat_satisfaction__driver_sums") }} where item_a = item_b
    ),

    fits as (select * from {{ source("estimates", "survey_driver_fits") }}),

    shares as (select * from {{ source("estimates", "survey_drivers") }}),

    stated as (select * from {{ ref("int_satisfaction__stated_importance") }}),

    performed as (
        select
            {{ scope }},
            item_a as driver,
            cast(sum(answer_count) as bigint) as answer_count,
            sum(sum_a) as score_sum
        from sums
        where item_a != 'outcome'
        group by {{ scope }}, item_a
    ),

    final as (
        select
            performed.source,
            performed.survey_id,
            performed.driver_by,
            performed.segment,
            performed.driver,
            case
                when performed.driver_by = 'relational_benefit'
                then 'repurchase_intent'
                else 'overall_satisfaction'
            end as outcome,
            performed.answer_count,
            {{ div("performed.score_sum", "performed.answer_count") }}
            as performance_index,
            coalesce(fits.status, 'not fitted') as fit_status,
            fits.reason as fit_reason,
            fits.r_squared,
            shares.lmg,
            shares.lmg_share,
            shares.lmg_share_low,
            shares.lmg_share_high,
            shares.johnson,
            shares.johnson_share,
            coalesce(stated.stated_count, 0) as stated_count,
            {{ div("stated.stated_sum", "stated.stated_count") }} as stated_importance
        from performed
        left join fits using ({{ scope }})
        left join shares using ({{ scope }}, driver)
        left join stated using ({{ scope }}, driver)
    )

select *
from final
