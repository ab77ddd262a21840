{#
  How a respondent used the scales of a battery: one answer to everything, how far the marks spread, how many are the
  best one. As given, before any is turned round; the best mark only is the friendly end of each scale.
#}
with
    answers as (
        select
            *,
            cast(
                {{ scale_index("given_score", "scale_min", "scale_max") }} as decimal(
                    12, 4
                )
            ) as place
        from {{ ref("fct_survey_answers") }}
        where role like 'dimension:%' and given_score is not null and not is_missing
    ),

    batteries as (
        select
            response_key,
            scale_min,
            scale_max,
            count(*) as item_count,
            min(given_score) = max(given_score) as is_all_equal
        from answers
        group by response_key, scale_min, scale_max
    ),

    uniform as (
        select
            response_key,
            max(item_count) as battery_item_count,
            max(
                case
                    when is_all_equal and item_count >= {{ var("battery_items", 5) }}
                    then 1
                    else 0
                end
            )
            = 1 as is_straight_liner
        from batteries
        group by response_key
    ),

    spread as (
        select
            response_key,
            {{
                rounded(
                    "sqrt("
                    ~ variance_of_sums(
                        "count(place)", "sum(place)", "sum(place * place)"
                    )
                    ~ ")",
                    8,
                )
            }} as mark_deviation,
            -- without a scale no mark is known to be the best
            {{ count_among("scale_max", "score = scale_max") }} as best_mark_count,
            count(score) as mark_count
        from answers
        where not is_off_scale
        group by response_key
    ),

    final as (
        select
            uniform.*, spread.mark_deviation, spread.best_mark_count, spread.mark_count
        from uniform
        left join spread on uniform.response_key = spread.response_key
    )

select *
from final
