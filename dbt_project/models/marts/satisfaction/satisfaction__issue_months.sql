{%- set n = var("issue_trend_months") | int -%}
with
    issues as (select * from {{ ref("fct_issue_months") }}),

    technical as (
        select
            month,
            cast(
                sum(case when is_technical then complaint_count else 0 end) as bigint
            ) as technical_count,
            {{
                div(
                    "sum(case when is_technical then score_sum end)",
                    "sum(case when is_technical then scored_count end)",
                )
            }} as technical_satisfaction_mean,
            {{
                div(
                    "sum(case when not is_technical then score_sum end)",
                    "sum(case when not is_technical then scored_count end)",
                )
            }} as other_satisfaction_mean
        from issues
        group by month
    ),

    -- the line through the last whole months: sum((x - mean x) * y) / sum((x - mean
    -- x)^2),
    -- x = 0 .. n - 1
    lines as (
        select
            issues.month,
            issues.category,
            count(*) as month_count,
            sum(
                (
                    2 * (
                        {{ months_between("issues.month", "earlier.month") }}
                        + {{ n - 1 }}
                    )
                    - {{ n - 1 }}
                )
                * earlier.complaint_count
            ) as twice_centred_sum
        from issues
        inner join
            issues as earlier
            on issues.category = earlier.category
            and earlier.month <= issues.month
            and earlier.month > {{ add_months("issues.month", -n) }}
            and not earlier.is_partial
        where not issues.is_partial
        group by issues.month, issues.category
        having count(*) = {{ n }}
    ),

    ranked as (
        select
            *,
            row_number() over by_size as issue_rank,
            sum(complaint_count) over by_size as cumulative_count
        from issues
        window
            by_size as (
                partition by month
                order by complaint_count desc, md5(category)
                rows between unbounded preceding and current row
            )
    ),

    final as (
        select
            ranked.month,
            ranked.category,
            ranked.is_partial as is_partial_month,
            ranked.is_technical,
            ranked.complaint_count,
            ranked.month_count as month_complaint_count,
            ranked.month_count < {{ var("min_base") }} as is_suppressed,
            cast(ranked.issue_rank as bigint) as issue_rank,
            ranked.issue_rank <= 3 and ranked.complaint_count > 0 as is_top_three,
            {{ shown_rate("share", "ranked.complaint_count", "ranked.month_count") }},
            case
                when ranked.month_count >= {{ var("min_base") }}
                then {{ div("ranked.cumulative_count", "ranked.month_count") }}
            end as cumulative_share_rate,
            {{ div("lines.twice_centred_sum * 6", n * (n * n - 1)) }} as trend_slope,
            case
                when lines.month is null then 'fewer than {{ n }} whole months'
            end as trend_reason,
            technical.technical_count,
            {{
                shown_rate(
                    "technical", "technical.technical_count", "ranked.month_count"
                )
            }},
            ranked.scored_count,
            {{ div("ranked.score_sum", "ranked.scored_count") }} as satisfaction_mean,
            technical.technical_satisfaction_mean,
            technical.other_satisfaction_mean
        from ranked
        inner join technical on ranked.month = technical.month
        left join
            lines on ranked.month = lines.month and ranked.category = lines.category
    )

select *
from final
