{#
  What the scores at touchpoints of one kind have in common over all months, by the analysis of variance: with SSB the squares
  between touchpoints and SSW those within, within = SSW / (N - k), between = (SSB - (k - 1) within) / (N - sum n^2 / N),
  not below 0. And of each month eta^2, the share of the variance that lies between touchpoints.
#}
{%- set scopes = {
    "monthly": ["months", "source, month, touchpoint_by"],
    "overall": ["totals", "source, touchpoint_by"],
} -%}
with
    months as (select * from {{ ref("int_loyalty__touchpoint_months") }}),

    totals as (
        select
            source,
            touchpoint_by,
            touchpoint,
            sum(score_count) as score_count,
            sum(score_sum) as score_sum,
            sum(score_square_sum) as score_square_sum
        from months
        group by source, touchpoint_by, touchpoint
    ),

    {% for scope, (relation, keys) in scopes.items() %}
        {{ scope }} as (
            select
                {{ keys }},
                sum(score_count) as score_count,
                sum(score_count * score_count) as score_count_squares,
                count(nullif(score_count, 0)) as score_groups,
                sum(score_square_sum) as score_square_sum,
                {{ div("sum(score_sum)", "sum(score_count)") }} as score_mean,
                {{ div("sum(score_sum) * sum(score_sum)", "sum(score_count)") }}
                as score_centre,
                sum(
                    {{
                        rounded(
                            div("score_sum * score_sum", "score_count"),
                            8,
                            precision=28,
                        )
                    }}
                ) as between_sum,
                max({{ suppress_small_mean("score_sum", "score_count") }}) - min(
                    {{ suppress_small_mean("score_sum", "score_count") }}
                ) as score_gap
            from {{ relation }}
            group by {{ keys }}
        ),
    {% endfor %}

    priors as (
        select
            *,
            greatest(
                0,
                {{
                    div(
                        "score_square_sum - between_sum",
                        "score_count - score_groups",
                    )
                }}
            ) as score_variance_within
        from overall
    ),

    final as (
        select
            {{ made_key(["monthly.source", "monthly.month", "monthly.touchpoint_by"]) }}
            as touchpoint_prior_key,
            monthly.source,
            monthly.month,
            monthly.touchpoint_by,
            monthly.score_gap,
            priors.score_mean,
            priors.score_variance_within,
            case
                when
                    priors.score_groups > 1 and priors.score_variance_within is not null
                then
                    greatest(
                        0,
                        {{
                            div(
                                "priors.between_sum - priors.score_centre"
                                ~ " - (priors.score_groups - 1) * priors.score_variance_within",
                                "priors.score_count - "
                                ~ div(
                                    "priors.score_count_squares", "priors.score_count"
                                ),
                            )
                        }}
                    )
            end as score_variance_between,
            -- alike answers vary neither within nor between
            case
                when
                    monthly.score_groups > 1
                    and {{ is_enough("monthly.score_count") }}
                    and monthly.score_square_sum > monthly.score_centre
                then
                    least(
                        1,
                        greatest(
                            0,
                            {{
                                div(
                                    "monthly.between_sum - monthly.score_centre",
                                    "nullif(monthly.score_square_sum - monthly.score_centre, 0)",
                                )
                            }}
                        )
                    )
            end as between_rate
        from monthly
        inner join
            priors
            on monthly.source = priors.source
            and monthly.touchpoint_by = priors.touchpoint_by
    )

select *
from final
