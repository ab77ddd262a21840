{#
  What the months up to one say of a class of complaints, where the month alone says little: the trend of the last
  whole months, and ratings of twelve.
#}
{%- set n = var("issue_trend_months") | int -%}
with
    issues as (select * from {{ ref("int_satisfaction__issue_months") }}),

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

    -- the slope of the line through the last n whole months, x = 0 .. n - 1:
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

    final as (
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
    )

select *
from final
