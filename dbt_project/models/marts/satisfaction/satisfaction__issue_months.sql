with
    issues as (select * from {{ ref("int_satisfaction__issue_months") }}),

    windows as (select * from {{ ref("int_satisfaction__issue_windows") }}),

    ranked as (
        select
            *,
            row_number() over by_size as issue_rank,
            sum(complaint_count) over by_size as cumulative_count,
            sum(case when is_technical then complaint_count else 0 end) over (
                partition by month
            ) as technical_count
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
            month,
            category,
            is_partial as is_partial_month,
            is_technical,
            complaint_count,
            month_count as month_complaint_count,
            month_count < {{ var("min_base") }} as is_suppressed,
            cast(issue_rank as bigint) as issue_rank,
            -- half a month has no rates and no flags
            case
                when not is_partial then issue_rank <= 3 and complaint_count > 0
            end as is_top_three,
            {{
                shown_rate(
                    "share",
                    "case when not is_partial then complaint_count end",
                    "month_count",
                )
            }},
            {{
                month_rate(
                    "cumulative_count", "month_count", "month_count", "is_partial"
                )
            }} as cumulative_share_rate,
            trend_slope,
            case
                when trend_slope is null
                then 'fewer than {{ var("issue_trend_months") }} whole months'
            end as trend_reason,
            cast(technical_count as bigint) as technical_count,
            {{
                shown_rate(
                    "technical",
                    "case when not is_partial then technical_count end",
                    "month_count",
                )
            }},
            year_scored_count as scored_count,
            {{ shown_mean("year_score_sum", "year_scored_count") }}
            as satisfaction_mean,
            {% for name in ["technical", "other"] %}
                {{ name }}_scored_count,
                {{ shown_mean(name ~ "_score_sum", name ~ "_scored_count") }}
                as {{ name }}_satisfaction_mean
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from ranked
        inner join windows using (month, category)
    )

select *
from final
