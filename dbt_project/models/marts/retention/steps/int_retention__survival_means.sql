{# The area under each curve up to a common horizon, and where the curve falls to a half and a tenth. #}
{%- set horizon = var("survival_horizon_days") -%}
with
    points as (select * from {{ ref("int_retention__survival_curves") }}),

    followed as (
        select
            *,
            coalesce(lag(survival_rate) over by_time, 1) as survival_before_rate,
            coalesce(lag(duration_days) over by_time, 0) as duration_before_days,
            lead(duration_days) over by_time as next_duration_days
        from points
        window
            by_time as (partition by curve, segment_by, segment order by duration_days)
    ),

    -- each step reaches from the time before to its own, the last one to the horizon
    areas as (
        select
            *,
            cast(
                survival_before_rate * (
                    least(duration_days, {{ horizon }})
                    - least(duration_before_days, {{ horizon }})
                ) as decimal(28, 12)
            ) + case
                when next_duration_days is null and duration_days < {{ horizon }}
                then
                    cast(
                        survival_rate
                        * ({{ horizon }} - duration_days) as decimal(28, 12)
                    )
                else 0
            end as area
        from followed
    ),

    summed as (
        select
            curve,
            segment_by,
            segment,
            cast(sum(event_count + censored_count) as bigint) as base_count,
            cast(sum(event_count) as bigint) as event_count,
            max(duration_days) as longest_days,
            sum(area) as area,
            min(survival_rate) as last_rate,
            min(case when survival_rate <= 0.5 then duration_days end) as median_days,
            min(case when survival_rate <= 0.1 then duration_days end) as p90_days
        from areas
        group by curve, segment_by, segment
    ),

    final as (
        select
            {{ made_key(["curve", "segment_by", "segment"]) }} as curve_key,
            curve,
            segment_by,
            segment,
            base_count,
            event_count,
            longest_days,
            median_days,
            p90_days,
            cast({{ horizon }} as bigint) as horizon_days,
            -- beyond what anybody was seen for, the curve is unknown, unless it ended
            case
                when longest_days >= {{ horizon }} or last_rate = 0
                then cast(area as {{ type_double() }})
            end as restricted_mean_days
        from summed
    )

select *
from final
