with
    judged as (select * from {{ ref("fct_model_checks") }}),

    final as (
        select
            check_key,
            model,
            scope,
            check_name,
            part,
            cast(base_count as bigint) as base_count,
            cast(observed as {{ type_double() }}) as observed_figure,
            cast(expected as {{ type_double() }}) as expected_figure,
            cast(low as {{ type_double() }}) as observed_low,
            cast(high as {{ type_double() }}) as observed_high,
            cast(
                {{ div("observed", "expected") }} as {{ type_double() }}
            ) as observed_to_expected_ratio,
            rule,
            cast(threshold as {{ type_double() }}) as threshold,
            verdict,
            reason,
            fit_date
        from judged
    )

select *
from final
