{%- set scope = "source, survey_id, driver_by, segment" -%}
with
    drivers as (
        select
            *,
            {{ suppress_small("performance_index", "answer_count") }}
            as shown_performance,
            {{ suppress_small("stated_importance", "stated_count") }} as shown_stated
        from {{ ref("int_satisfaction__drivers") }}
    ),

    ranked as (
        select
            *,
            cast(count(*) over whole as bigint) as driver_count,
            {{
                div(
                    "sum(cast(shown_performance as decimal(18, 8))) over whole",
                    "count(shown_performance) over whole",
                )
            }} as performance_mean,
            case
                when lmg_share is not null
                then
                    rank() over (
                        partition by {{ scope }} order by lmg_share desc nulls last
                    )
            end as importance_rank,
            case
                when shown_stated is not null
                then
                    rank() over (
                        partition by {{ scope }} order by shown_stated desc nulls last
                    )
            end as stated_importance_rank
        from drivers
        window whole as (partition by {{ scope }})
    ),

    final as (
        select
            {{ made_key(["source", "survey_id", "driver_by", "segment", "driver"]) }}
            as driver_key,
            source,
            survey_id,
            driver_by,
            segment,
            driver,
            outcome,
            answer_count,
            answer_count < {{ var("min_base") }} as is_suppressed,
            fit_status,
            fit_reason,
            r_squared,
            lmg,
            lmg_share,
            lmg_share_low,
            lmg_share_high,
            johnson,
            johnson_share,
            cast(importance_rank as bigint) as importance_rank,
            stated_count,
            shown_stated as stated_importance_index,
            cast(stated_importance_rank as bigint) as stated_importance_rank,
            cast(stated_importance_rank - importance_rank as bigint) as importance_gap,
            shown_performance as performance_index,
            -- importance at an equal share, performance at the drivers' mean
            case
                when lmg_share is null or shown_performance is null
                then null
                when
                    lmg_share * driver_count >= 1
                    and shown_performance < performance_mean
                then 'concentrate here'
                when lmg_share * driver_count >= 1
                then 'keep up the good work'
                when shown_performance < performance_mean
                then 'low priority'
                else 'possible overkill'
            end as quadrant,
            case
                when lmg_share is null
                then 'no importance: see fit_reason'
                else
                    'association, not cause; answers in whole points explain less than what people feel'
            end as caveat
        from ranked
    )

select *
from final
