with
    reasons as (select * from {{ ref("int_retention__churn_reasons") }}),

    counted as (
        select
            stated_in,
            reason,
            count(*) as reason_count,
            count(has_returned) as known_count,
            -- known for none, not 0
            sum(
                case when has_returned then 1 when not has_returned then 0 end
            ) as returned_count
        from reasons
        group by stated_in, reason
    ),

    ranked as (
        select
            *,
            sum(reason_count) over (partition by stated_in) as base_count,
            row_number() over (
                partition by stated_in order by reason_count desc, md5(reason)
            ) as reason_rank,
            sum(reason_count) over (
                partition by stated_in
                order by reason_count desc, md5(reason)
                rows between unbounded preceding and current row
            ) as so_far_count
        from counted
    ),

    final as (
        select
            stated_in,
            reason,
            cast(reason_rank as integer) as reason_rank,
            cast(reason_count as bigint) as reason_count,
            cast(base_count as bigint) as base_count,
            base_count < {{ var("min_base") }} as is_suppressed,
            {{ suppress_small_rate("reason", "reason_count", "base_count") }},
            {{ suppress_small_mean("so_far_count", "base_count") }} as cumulative_rate,
            cast(known_count as bigint) as known_count,
            cast(returned_count as bigint) as returned_count,
            {{ suppress_small_rate("returned", "returned_count", "known_count") }}
        from ranked
    )

select *
from final
