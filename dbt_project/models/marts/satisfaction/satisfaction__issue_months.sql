{%- set n = var("issue_trend_months") | int -%}
with
    issues as (select * from {{ ref("int_satisfaction__issue_months") }}),

    -- ratings of twelve months, because one month has too few
    rated as (
        select
            issues.month,
            issues.category,
            issues.is_technical,
            cast(sum(earlier.scored_count) as bigint) as year_scored_count,
            sum(earlier.score_sum) as year_score_sum
        from issues
        inner join
            issues as earlier
            on issues.category = earlier.category
            and earlier.month <= issues.month
            and earlier.month > {{ add_months("issues.month", -12) }}
        group by issues.month, issues.category, issues.is_technical
    ),

    -- the trend: the slope of the line through the last n whole months, x = 0 .. n - 1:
    -- sum((x - mean x) * y) / sum((x - mean x)^2)
    lines as (
        select
            issues.month,
            issues.category,
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

    windows as (
        select
            month,
            category,
            {{ div("lines.twice_centred_sum * 6", n * (n * n - 1)) }} as trend_slope,
            rated.year_scored_count,
            rated.year_score_sum,
            {% for name, condition in [
                ("technical", "is_technical"),
                ("other", "not is_technical"),
            ] %}
                cast(
                    sum(
                        case when {{ condition }} then year_scored_count else 0 end
                    ) over whole_month as bigint
                ) as {{ name }}_scored_count,
                sum(case when {{ condition }} then year_score_sum end) over whole_month
                as {{ name }}_score_sum
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from rated
        left join lines using (month, category)
        window whole_month as (partition by month)
    ),

    ranked as (
        select
            *,
            row_number() over by_size as issue_rank,
            sum(complaint_count) over by_size as cumulative_count,
            sum(
                case
                    when is_technical then complaint_count when not is_technical then 0
                end
            ) over (partition by month) as technical_count
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
                suppress_small_rate(
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
                suppress_small_rate(
                    "technical",
                    "case when not is_partial then technical_count end",
                    "month_count",
                )
            }},
            year_scored_count as scored_count,
            {{ suppress_small_mean("year_score_sum", "year_scored_count") }}
            as satisfaction_mean,
            {% for name in ["technical", "other"] %}
                {{ name }}_scored_count,
                {{ suppress_small_mean(name ~ "_score_sum", name ~ "_scored_count") }}
                as {{ name }}_satisfaction_mean
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from ranked
        inner join windows using (month, category)
    )

select *
from final
