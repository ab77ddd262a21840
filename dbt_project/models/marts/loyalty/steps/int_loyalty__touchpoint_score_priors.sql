{#
  What the scores at touchpoints of one kind have in common in a month, by the analysis of variance: with SSB the squares
  between touchpoints and SSW those within, within = SSW / (N - k), between = (SSB - (k - 1) within) / (N - sum n^2 / N),
  not below 0. And eta^2, the share of the variance that lies between touchpoints.
#}
with
    months as (select * from {{ ref("int_loyalty__touchpoint_months") }}),

    summed as (
        select
            source,
            month,
            touchpoint_by,
            sum(score_count) as score_count,
            sum(score_count * score_count) as score_count_squares,
            count(nullif(score_count, 0)) as score_groups,
            sum(score_sum) as score_sum,
            sum(score_square_sum) as score_square_sum,
            sum(
                {{
                    rounded(
                        div("score_sum * score_sum", "score_count"), 8, precision=28
                    )
                }}
            ) as between_sum,
            max({{ suppress_small_mean("score_sum", "score_count") }})
            - min({{ suppress_small_mean("score_sum", "score_count") }}) as score_gap
        from months
        group by source, month, touchpoint_by
    ),

    centred as (
        select
            *,
            {{ div("score_sum", "score_count") }} as score_mean,
            {{ div("score_sum * score_sum", "score_count") }} as score_centre,
            greatest(
                0,
                {{
                    div(
                        "score_square_sum - between_sum",
                        "score_count - score_groups",
                    )
                }}
            ) as score_variance_within
        from summed
    ),

    final as (
        select
            {{ made_key(["source", "month", "touchpoint_by"]) }}
            as touchpoint_prior_key,
            source,
            month,
            touchpoint_by,
            score_gap,
            score_mean,
            score_variance_within,
            case
                when score_groups > 1 and score_variance_within is not null
                then
                    greatest(
                        0,
                        {{
                            div(
                                "between_sum - score_centre"
                                ~ " - (score_groups - 1) * score_variance_within",
                                "score_count - "
                                ~ div("score_count_squares", "score_count"),
                            )
                        }}
                    )
            end as score_variance_between,
            -- alike answers vary neither within nor between
            case
                when
                    score_groups > 1
                    and {{ is_enough("score_count") }}
                    and score_square_sum > score_centre
                then
                    least(
                        1,
                        greatest(
                            0,
                            {{
                                div(
                                    "between_sum - score_centre",
                                    "nullif(score_square_sum - score_centre, 0)",
                                )
                            }}
                        )
                    )
            end as between_rate
        from centred
    )

select *
from final
