with
    parameters as (select * from {{ ref("fct_model_parameters") }}),

    final as (
        select
            model,
            scope,
            parameter,
            cast(value as {{ type_double() }}) as parameter_value,
            cast(standard_error as {{ type_double() }}) as standard_error,
            status,
            reason,
            cast(base_count as bigint) as base_count,
            cast(log_likelihood as {{ type_double() }}) as log_likelihood,
            cast(loss as {{ type_double() }}) as loss,
            cast(iterations as bigint) as iteration_count,
            is_converged,
            fit_date
        from parameters
    )

select *
from final
