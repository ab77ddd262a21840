{#-
  Correlation of a wave's satisfaction with the margin of the customers some months later, over the waves; from exact sums. A handful
  of waves correlates with anything, so below lag_waves there is a reason instead of a figure.
-#}
with
    summed as (select * from {{ ref("int_satisfaction__profit_lags") }}),

    final as (
        select
            source,
            survey_id,
            segment_by,
            segment,
            cast(lag_months as bigint) as lag_months,
            pair_count,
            pair_count < {{ var("lag_waves") }} as is_suppressed,
            case
                when pair_count >= {{ var("lag_waves") }}
                then
                    {{
                        div(
                            "pair_count * xy_sum - x_sum * y_sum",
                            "sqrt(cast(pair_count * xx_sum - x_sum * x_sum as "
                            ~ type_double()
                            ~ ")) * sqrt(cast(pair_count * yy_sum - y_sum * y_sum as "
                            ~ type_double()
                            ~ "))",
                        )
                    }}
            end as lag_correlation,
            case
                when pair_count < {{ var("lag_waves") }}
                then
                    'only '
                    || cast(pair_count as {{ dbt.type_string() }})
                    || ' waves with a margin, {{ var("lag_waves") }} are needed'
            end as suppressed_reason
        from summed
    )

select *
from final
