{%- set n = var("issue_trend_months") | int -%}
with
    issues as (select * from {{ ref("fct_issue_months") }}),

    -- a month's ratings are too few for a mean: those of the twelve months up to it
    years as (
        select
            issues.month,
            issues.category,
            issues.is_technical,
            issues.complaint_count,
            cast(sum(earlier.scored_count) as bigint) as scored_count,
            sum(earlier.score_sum) as score_sum
        from issues
        inner join
            issues as earlier
            on issues.category = earlier.category
            and earlier.month <= issues.month
            and earlier.month > {{ add_months("issues.month", -12) }}
        group by
            issues.month, issues.category, issues.is_technical, issues.complaint_count
    ),

    both_kinds as (
        select
            month,
            cast(
                sum(case when is_technical then complaint_count else 0 end) as bigint
            ) as technical_count,
            {% for name, condition in [
                ("technical", "is_technical"),
                ("other", "not is_technical"),
            ] %}
                cast(
                    sum(
                        case when {{ condition }} then scored_count else 0 end
                    ) as bigint
                ) as {{ name }}_scored_count,
                sum(
                    case when {{ condition }} then score_sum end
                ) as {{ name }}_score_sum
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from years
        group by month
    ),

    -- the slope of the line through the last n whole months, x = 0 .. n - 1:
    -- sum((x - mean x) * y) / sum((x - mean x)^2)
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
            -- half a month has no rates and no flags
            case
                when not ranked.is_partial
                then ranked.issue_rank <= 3 and ranked.complaint_count > 0
            end as is_top_three,
            {{
                shown_rate(
                    "share",
                    "case when not ranked.is_partial then ranked.complaint_count end",
                    "ranked.month_count",
                )
            }},
            case
                when
                    ranked.month_count >= {{ var("min_base") }}
                    and not ranked.is_partial
                then {{ div("ranked.cumulative_count", "ranked.month_count") }}
            end as cumulative_share_rate,
            {{ div("lines.twice_centred_sum * 6", n * (n * n - 1)) }} as trend_slope,
            case
                when lines.month is null then 'fewer than {{ n }} whole months'
            end as trend_reason,
            both_kinds.technical_count,
            {{
                shown_rate(
                    "technical",
                    "case when not ranked.is_partial then both_kinds.technical_count end",
                    "ranked.month_count",
                )
            }},
            years.scored_count,
            case
                when years.scored_count >= {{ var("min_base") }}
                then {{ div("years.score_sum", "years.scored_count") }}
            end as satisfaction_mean,
            {% for name in ["technical", "other"] %}
                both_kinds.{{ name }}_scored_count,
                case
                    when both_kinds.{{ name }}_scored_count >= {{ var("min_base") }}
                    then
                        {{
                            div(
                                "both_kinds." ~ name ~ "_score_sum",
                                "both_kinds." ~ name ~ "_scored_count",
                            )
                        }}
                end as {{ name }}_satisfaction_mean
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from ranked
        inner join both_kinds on ranked.month = both_kinds.month
        inner join
            years on ranked.month = years.month and ranked.category = years.category
        left join
            lines on ranked.month = lines.month and ranked.category = lines.category
    )

select *
from final
