{#
  What touchpoints of one kind have in common in a month. Beta-binomial by moments (Kleinman 1973):
  with S = sum x^2 / n - X^2 / N and N' = N - sum n^2 / N, the correlation of two events at one
  touchpoint is rho = (S - m (1 - m) (k - 1)) / (m (1 - m) (N' - k + 1)), within 0..1. Scores likewise, by
  the analysis of variance: within = SSW / (N - k), between = (SSB - (k - 1) within) / (N - sum n^2 / N), not
  below 0. And eta^2, the share of the variance of scores that lies between touchpoints.
#}
{%- set rates = ["failure", "late", "return"] -%}
with
    summed as (select * from {{ ref("int_touchpoints__kinds") }}),

    centred as (
        select
            *,
            {% for name in rates %}
                {{ div(name ~ "_part", name ~ "_base") }} as {{ name }}_mean,
                {{ name }}_part_squares
                - {{ div(name ~ "_part * " ~ name ~ "_part", name ~ "_base") }}
                as {{ name }}_spread,
                {{ name }}_base
                - {{ div(name ~ "_base_squares", name ~ "_base") }}
                - ({{ name }}_groups - 1) as {{ name }}_room,
            {% endfor %}
            {{ div("score_sum * score_sum", "score_count") }} as score_centre,
            {{ div("score_sum", "score_count") }} as score_mean,
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
            {% for name in rates %}
                {{ name }}_mean,
                case
                    when {{ name }}_room > 0
                    then
                        least(
                            1,
                            greatest(
                                0,
                                coalesce(
                                    {{
                                        div(
                                            name
                                            ~ "_spread - "
                                            ~ name
                                            ~ "_mean * (1 - "
                                            ~ name
                                            ~ "_mean) * ("
                                            ~ name
                                            ~ "_groups - 1)",
                                            name
                                            ~ "_mean * (1 - "
                                            ~ name
                                            ~ "_mean) * "
                                            ~ name
                                            ~ "_room",
                                        )
                                    }},
                                    0
                                )
                            )
                        )
                end as {{ name }}_rho,
            {% endfor %}
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
                    and score_count >= {{ var("min_base") }}
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
