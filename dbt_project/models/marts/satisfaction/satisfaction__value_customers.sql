with
    levels as (select * from {{ ref("int_satisfaction__value_customer_scores") }}),

    drivers as (
        select *, count(*) over (partition by source, survey_id) as driver_count
        from {{ ref("int_satisfaction__drivers") }}
        where segment = 'high_value' and driver_by = 'key_factor'
    ),

    stacked as (
        select
            source,
            survey_id,
            case
                segment when 'all' then 1 when 'value' then 2 else 3
            end as level_number,
            segment as level,
            'overall' as factor,
            scored_count as customer_count,
            top_box_count,
            classed_count,
            satisfied_count,
            {{ div("index_sum", "index_count") }} as satisfaction_index,
            {{
                div(
                    variance_of_sums("index_count", "index_sum", "index_square_sum"),
                    "index_count",
                )
            }} as index_error,
            cast(null as {{ type_double() }}) as importance_share,
            cast(null as {{ dbt.type_string() }}) as reason
        from levels
        union all
        select
            source,
            survey_id,
            4 as level_number,
            'key_factor' as level,
            driver as factor,
            answer_count as customer_count,
            cast(null as bigint) as top_box_count,
            cast(null as bigint) as classed_count,
            cast(null as bigint) as satisfied_count,
            performance_index as satisfaction_index,
            cast(null as {{ type_double() }}) as index_error,
            lmg_share as importance_share,
            fit_reason as reason
        from drivers
        -- a key factor explains more than its equal share; where it could not be said,
        -- all are shown
        where coalesce(lmg_share * driver_count >= 1, true)
    ),

    judged as (
        select *, customer_count < {{ var("min_base") }} as is_suppressed from stacked
    ),

    final as (
        select
            {{ made_key(["source", "survey_id", "level", "factor"]) }} as focus_key,
            source,
            survey_id,
            level_number,
            level,
            factor,
            customer_count,
            is_suppressed,
            {{
                with_interval(
                    "satisfaction_index",
                    "satisfaction_index",
                    "sqrt(index_error)",
                    when="not is_suppressed",
                    least=0,
                    most=100,
                )
            }},
            {{ suppress_small_rate("top_box", "top_box_count", "customer_count") }},
            {{ suppress_small_rate("satisfied", "satisfied_count", "classed_count") }},
            importance_share,
            case
                when is_suppressed then 'fewer answers than min_base' else reason
            end as reason
        from judged
    )

select *
from final
