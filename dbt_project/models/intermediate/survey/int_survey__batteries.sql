{# Whether a respondent gave one answer to everything: over the items of a battery, as given, before any is turned round. #}
with
    answers as (
        select *
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

    final as (
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
    )

select *
from final
