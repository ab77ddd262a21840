{# How far touchpoints lie apart, and how much of all differences between answers that is. #}
{%- set wave = "source, survey_id, wave, respondent_type" -%}
with
    touchpoints as (
        select *, {{ div("index_sum", "index_count") }} as index_mean
        from {{ ref("int_satisfaction__segment_figures") }}
        where segment_by = 'touchpoint' and index_count > 0
    ),

    summed as (
        select
            {{ wave }},
            count(*) as touchpoint_count,
            max({{ suppress_small("index_mean", "index_count") }}) as highest_mean,
            min({{ suppress_small("index_mean", "index_count") }}) as lowest_mean,
            sum(index_count) as index_count,
            sum(index_sum) as index_sum,
            sum(index_square_sum) as index_square_sum,
            sum(
                {{
                    rounded(
                        "index_mean * cast(index_sum as " ~ type_double() ~ ")",
                        8,
                        precision=38,
                    )
                }}
            ) as mean_square_sum
        from touchpoints
        group by {{ wave }}
    ),

    centred as (
        select
            *,
            {{ div("index_sum", "index_count") }}
            * cast(index_sum as {{ type_double() }}) as middle
        from summed
    ),

    final as (
        select
            {{ wave }},
            touchpoint_count,
            case
                when touchpoint_count > 1 then highest_mean - lowest_mean
            end as touchpoint_gap,
            case
                when touchpoint_count > 1 and index_count >= {{ var("min_base") }}
                then
                    {{
                        div(
                            "greatest(0, mean_square_sum - middle)",
                            "index_square_sum - middle",
                        )
                    }}
            end as touchpoint_variance_rate
        from centred
    )

select *
from final
